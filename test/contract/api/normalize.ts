/**
 * Takes out of an answer what two servers cannot agree on (identities, times, revisions) and keeps what they must agree on:
 * the same identity or revision gets the same name wherever it appears in one case.
 */

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g;
const HOUR = 3_600_000;

/** What a column says about itself is each server's own words. */
function withoutDescription(column: object): object {
  return { ...column, description: undefined };
}

export class Normalizer {
  readonly #names = new Map<string, string>();
  readonly #counts = new Map<string, number>();

  #name(kind: string, value: string): string {
    const key = `${kind} ${value}`;
    let name = this.#names.get(key);
    if (name === undefined) {
      const count = (this.#counts.get(kind) ?? 0) + 1;
      this.#counts.set(kind, count);
      name = `<${kind} ${count}>`;
      this.#names.set(key, name);
    }
    return name;
  }

  text(text: string): string {
    return (
      text
        .replaceAll(UUID, (uuid) => this.#name("uid", uuid))
        .replaceAll(TIME, (time) => (Math.abs(Date.parse(time) - Date.now()) < HOUR ? "<now>" : time))
        .replaceAll(/(object meta: |resourceVersion: |ResourceVersion in record \()(\d+)/g, "$1<revision>")
        .replaceAll(/(resource version: \d+, current: )\d+/g, "$1<revision>")
        .replaceAll(/(too old resource version: \d+ \()\d+/g, "$1<revision>")
        // The source line of the scheme, which every server has its own of.
        .replaceAll(/in scheme "[^"]*"/g, 'in scheme "<scheme>"')
        .replaceAll(/https:\/\/127\.0\.0\.1:\d+/g, "<server>")
    );
  }

  /**
   * A deep copy with everything of the moment renamed. managedFields go: who owns a field is server-side apply's suite; so do the
   * paths that a 404 on nothing in particular offers, as the genuine server here has kinds that ours has not.
   */
  value(value: unknown): unknown {
    return this.#value(value, false);
  }

  /** `isBookmark` for the object of such an event. */
  #value(value: unknown, isBookmark: boolean): unknown {
    if (typeof value === "string") return this.text(value);
    if (Array.isArray(value)) return value.map((item) => this.value(item));
    if (typeof value !== "object" || value === null) return value;
    const object = value as Record<string, unknown>;
    const ofServer = isBookmark || Array.isArray(object["items"]) || Array.isArray(object["rows"]);
    const result: Record<string, unknown> = {};
    // Sorted, as names are given in the order of first sight and servers write fields in different orders.
    for (const key of Object.keys(object).sort()) {
      const field = object[key];
      if (key === "metadata") result[key] = this.#metadata(field, ofServer);
      else if (key === "columnDefinitions") result[key] = (field as object[] | null)?.map(withoutDescription);
      else if (key === "cells" && Array.isArray(field)) result[key] = field.map((cell) => this.#cell(cell));
      else if (key === "paths" && Array.isArray(field)) result[key] = "<paths>";
      else if (key !== "managedFields") result[key] = this.#value(field, key === "object" && object["type"] === "BOOKMARK");
    }
    return result;
  }

  /** An age in a table goes on between two answers; what is older than this run is meant to be. */
  #cell(cell: unknown): unknown {
    return typeof cell === "string" && /^\d{1,3}s$/.test(cell) ? "<age>" : this.value(cell);
  }

  #metadata(value: unknown, ofServer: boolean): unknown {
    if (typeof value !== "object" || value === null) return this.value(value);
    const result = this.value(value) as Record<string, unknown>;
    const { resourceVersion, generateName, name } = result;
    // Lists and bookmarks carry the newest revision of the whole server: other cases move it.
    if (typeof resourceVersion === "string" && /^\d+$/.test(resourceVersion)) {
      result["resourceVersion"] = ofServer ? "<revision>" : this.#name("revision", resourceVersion);
    }
    // No client can tell an empty token from none.
    if (result["continue"] === "") delete result["continue"];
    else if (typeof result["continue"] === "string") result["continue"] = "<continue>";
    // The server cuts the given part so that five made-up characters end the name within 63.
    if (
      typeof generateName === "string" &&
      typeof name === "string" &&
      name.length > 5 &&
      generateName.startsWith(name.slice(0, -5))
    ) {
      result["name"] = `${name.slice(0, -5)}<random>`;
    }
    return result;
  }
}
