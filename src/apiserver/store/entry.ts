/** One object at one revision, as the store keeps it: its bytes and the few facts that are asked for without parsing them. */
import type { Row } from "#io/journal.ts";
import type { KubeObject, ObjectMeta } from "#schema/meta.ts";
import type { Entry, Key } from "./store.ts";

const NO_LABELS: Readonly<Record<string, string>> = Object.freeze({});
const NO_OWNERS: readonly string[] = Object.freeze([]);

/**
 * Where an object stands in lists: `namespace/name`, or the name alone in cluster scope. Compared by code unit, as etcd
 * compares keys, so namespace `a-b` comes before `a` (`-` sorts before `/`).
 */
export function positionOf(namespace: string, name: string): string {
  return namespace === "" ? name : `${namespace}/${name}`;
}

export class StoredEntry implements Entry {
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly position: string;
  readonly revision: number;
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly deleting: boolean;
  readonly owners: readonly string[];
  readonly bytes: Buffer;

  private constructor(key: Key, revision: number, metadata: ObjectMeta, bytes: Buffer) {
    this.resource = key.resource;
    this.namespace = key.namespace;
    this.name = key.name;
    this.position = positionOf(key.namespace, key.name);
    this.revision = revision;
    this.uid = metadata.uid ?? "";
    // A copy, because the object stays the caller's; spreading keeps a label called __proto__ as data.
    this.labels = metadata.labels === undefined ? NO_LABELS : { ...metadata.labels };
    this.deleting = metadata.deletionTimestamp !== undefined;
    this.owners = metadata.ownerReferences?.map((owner) => owner.uid) ?? NO_OWNERS;
    this.bytes = bytes;
  }

  /** Encodes `object`, its type first, with `revision` as its resourceVersion; the object itself is left as it is. */
  static encode(key: Key, revision: number, object: KubeObject): StoredEntry {
    const metadata: ObjectMeta = { ...object.metadata, resourceVersion: String(revision) };
    const { apiVersion, kind, ...rest } = object;
    const text = JSON.stringify({ apiVersion, kind, ...rest, metadata });
    // Memory of its own: a Buffer from node's pool keeps its 64 KiB neighbourhood alive as long as one object in it lives.
    const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text));
    bytes.write(text);
    return new StoredEntry(key, revision, metadata, bytes);
  }

  /** From a journal's row, whose value becomes the entry's bytes. */
  static decode(row: Row): StoredEntry {
    const bytes = Buffer.from(row.value.buffer, row.value.byteOffset, row.value.byteLength);
    return new StoredEntry(row, row.revision, parse(bytes).metadata, bytes);
  }

  object(): KubeObject {
    return parse(this.bytes);
  }
}

function parse(bytes: Buffer): KubeObject {
  return JSON.parse(bytes.toString()) as KubeObject;
}
