/**
 * Stored objects as a request's version shows them. The storage version goes out byte for byte; another version is converted
 * once per object and revision. An object written under an older schema of its kind is pruned and defaulted when read.
 */
import { applyDefaults } from "#schema/default.ts";
import type { VersionDefinition } from "#schema/definition.ts";
import { compileJsonPath } from "#schema/json-path.ts";
import type { JsonPath } from "#schema/json-path.ts";
import type { KubeObject } from "#schema/meta.ts";
import { apiVersionOf } from "#schema/meta.ts";
import { prune } from "#schema/prune.ts";
import type { Json, JsonObject } from "#std/json.ts";
import type { Resource } from "./registry.ts";
import type { Item } from "./render/render.ts";
import type { Entry } from "./store/store.ts";

/** An item that is not stored: the answer of a dry run, a converted object. */
export function itemOf(object: KubeObject): Item {
  const bytes = Buffer.from(JSON.stringify(object));
  return { bytes, object: () => JSON.parse(bytes.toString("utf8")) as KubeObject };
}

export class View {
  /** The schema under which an entry is known to be in its normal form. */
  readonly #normal = new WeakMap<Entry, VersionDefinition>();
  readonly #items = new WeakMap<Entry, Map<VersionDefinition, Item>>();
  readonly #fields = new WeakMap<Entry, Map<VersionDefinition, Record<string, string>>>();
  readonly #paths = new WeakMap<VersionDefinition, [field: string, path: JsonPath][]>();

  /** The object in the request's version, encoded; the same item for the same entry and version. */
  item(entry: Entry, resource: Resource): Item {
    const storage = storageVersion(resource);
    if (resource.version === storage && this.#isNormal(entry, resource, storage)) return entry;
    const items = this.#cached(this.#items, entry);
    let item = items.get(resource.version);
    if (item === undefined) items.set(resource.version, (item = itemOf(this.#read(entry, resource, storage))));
    return item;
  }

  /** The object in the request's version, parsed for the caller to keep and change. */
  object(entry: Entry, resource: Resource): KubeObject {
    return this.item(entry, resource).object();
  }

  /** From the request's version to what is stored; may change its argument. */
  stored(object: KubeObject, resource: Resource): KubeObject {
    return convert(object, resource, storageVersion(resource));
  }

  /** Remembers that an entry was written under the kind's present schema, which makes it normal. */
  written(entry: Entry, resource: Resource): void {
    this.#normal.set(entry, storageVersion(resource));
  }

  /** Values for field selectors beyond metadata.name and metadata.namespace. */
  fields(entry: Entry, resource: Resource): Record<string, string> {
    const { definition, version } = resource;
    const fields = this.#cached(this.#fields, entry);
    let values = fields.get(version);
    if (values === undefined) {
      const object = this.object(entry, resource);
      values = definition.strategy.fields?.(object) ?? this.#selectable(object, version);
      fields.set(version, values);
    }
    return values;
  }

  /** The fields that a kind can be selected by, beyond metadata.name and metadata.namespace. */
  selectable({ definition, version }: Resource): string[] {
    const none = { apiVersion: "", kind: "", metadata: {} };
    return Object.keys(definition.strategy.fields?.(none) ?? this.#selectable(none, version));
  }

  #selectable(object: KubeObject, version: VersionDefinition): Record<string, string> {
    let paths = this.#paths.get(version);
    if (paths === undefined) {
      paths = version.selectable.map((path) => [path.replace(/^\./, ""), compileJsonPath(path)]);
      this.#paths.set(version, paths);
    }
    return Object.fromEntries(paths.map(([field, path]) => [field, printScalar(path(object)[0])]));
  }

  #cached<T>(cache: WeakMap<Entry, Map<VersionDefinition, T>>, entry: Entry): Map<VersionDefinition, T> {
    let values = cache.get(entry);
    if (values === undefined) cache.set(entry, (values = new Map<VersionDefinition, T>()));
    return values;
  }

  #isNormal(entry: Entry, { definition }: Resource, storage: VersionDefinition): boolean {
    if (!definition.custom || this.#normal.get(entry) === storage) return true;
    const object = entry.object();
    if (object.apiVersion !== apiVersionOf(definition.group, storage.name)) return false;
    // What the store keeps was printed the same way, so what has not changed prints the same.
    if (!entry.bytes.equals(Buffer.from(JSON.stringify(normalize(object, storage))))) return false;
    this.#normal.set(entry, storage);
    return true;
  }

  #read(entry: Entry, resource: Resource, storage: VersionDefinition): KubeObject {
    const object = entry.object();
    if (!this.#isNormal(entry, resource, storage)) normalize(object, writtenVersion(object, resource) ?? storage);
    return convert(object, resource, resource.version);
  }
}

/** As a field selector writes it; what is no scalar is never selected by. */
function printScalar(value: Json | undefined): string {
  return value === undefined || value === null || typeof value === "object" ? "" : String(value);
}

function storageVersion({ definition, version }: Resource): VersionDefinition {
  if (version.name === definition.storageVersion) return version;
  return definition.versions.find((candidate) => candidate.name === definition.storageVersion)!;
}

/** The version an object was stored in, which is another than today's when the CRD has moved on. */
function writtenVersion({ apiVersion }: KubeObject, { definition }: Resource): VersionDefinition | undefined {
  return definition.versions.find((version) => apiVersionOf(definition.group, version.name) === apiVersion);
}

function normalize(object: KubeObject, version: VersionDefinition): KubeObject {
  prune(object as unknown as JsonObject, version.schema);
  applyDefaults(object as unknown as JsonObject, version.schema);
  return object;
}

/** Changes an object's version; where the kind has no conversion of its own only apiVersion differs. */
function convert(object: KubeObject, { definition }: Resource, to: VersionDefinition): KubeObject {
  const apiVersion = apiVersionOf(definition.group, to.name);
  if (object.apiVersion === apiVersion) return object;
  const converted = definition.extension?.convert?.(object, to.name) ?? object;
  converted.apiVersion = apiVersion;
  prune(converted as unknown as JsonObject, to.schema);
  return converted;
}
