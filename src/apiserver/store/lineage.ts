/** Who is whose: objects by uid, and by the uid of their owners. Follows the head, so that garbage collection never acts on the past. */
import type { StoredEntry } from "./entry.ts";

export class Lineage {
  readonly #byUid = new Map<string, StoredEntry>();
  readonly #dependents = new Map<string, Set<StoredEntry>>();

  byUid(uid: string): StoredEntry | undefined {
    return this.#byUid.get(uid);
  }

  dependents(uid: string): Iterable<StoredEntry> {
    return this.#dependents.get(uid)?.values() ?? [];
  }

  /** `after` takes the place of `before`; swapping the other way undoes it. */
  swap(before: StoredEntry | undefined, after: StoredEntry | undefined): void {
    if (before !== undefined) this.#remove(before);
    if (after !== undefined) this.#add(after);
  }

  #add(entry: StoredEntry): void {
    if (entry.uid !== "") this.#byUid.set(entry.uid, entry);
    for (const owner of entry.owners) {
      const dependents = this.#dependents.get(owner);
      if (dependents === undefined) this.#dependents.set(owner, new Set([entry]));
      else dependents.add(entry);
    }
  }

  #remove(entry: StoredEntry): void {
    if (this.#byUid.get(entry.uid) === entry) this.#byUid.delete(entry.uid);
    for (const owner of entry.owners) {
      const dependents = this.#dependents.get(owner);
      dependents?.delete(entry);
      if (dependents?.size === 0) this.#dependents.delete(owner);
    }
  }
}
