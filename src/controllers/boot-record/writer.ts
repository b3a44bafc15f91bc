/** Brings one BootRecord on record to what it should be. Knows what it wrote last, so that an unchanged part is not written again. */
import type { Wanted } from "#decide/flight/logbook.ts";
import { BootRecord } from "#kinds/metal/v1alpha2/boot-record.ts";
import type { Client, ResourceClient } from "#kube/client.ts";
import { isNotFound } from "#kube/status.ts";
import type { OwnerReference } from "#schema/meta.ts";
import { equal, type Json } from "#std/json.ts";

/** Everything but the status. */
interface Heading {
  readonly labels: Readonly<Record<string, string>>;
  readonly ownerReferences: readonly OwnerReference[];
  readonly spec: BootRecord["spec"];
}

interface Written {
  readonly version: string;
  readonly heading: Heading;
}

export class Writer {
  readonly #records: ResourceClient<BootRecord>;
  readonly #written = new Map<string, Written>();

  constructor(client: Client) {
    this.#records = client.for(BootRecord);
  }

  /** It is on record, as far as is known here. */
  has(record: string): boolean {
    return this.#written.has(record);
  }

  /** What was read of the server. */
  noteRead(object: BootRecord): void {
    const { name = "" } = object.metadata;
    this.#written.set(name, { version: object.metadata.resourceVersion ?? "", heading: headingOf(object) });
  }

  /** Reads it anew, after somebody else has written it; undefined when there is none. */
  async read(record: string): Promise<BootRecord | undefined> {
    try {
      const object = await this.#records.get(record);
      this.noteRead(object);
      return object;
    } catch (error) {
      if (!isNotFound(error)) throw error;
      this.#written.delete(record);
      return undefined;
    }
  }

  /** Faults `api.already-exists`, `api.conflict` and `api.not-found` ask for {@link read}; others are the server's or the network's. */
  async write({ metadata, spec, status }: Wanted): Promise<void> {
    const { name } = metadata;
    const heading = headingOf({ metadata, spec });
    const old = this.#written.get(name);
    if (old === undefined) this.noteRead(await this.#records.create({ metadata, spec }));
    else if (!equal(old.heading, heading)) this.noteRead(await this.#records.patch(name, difference(old, heading)));
    if (status === undefined) return;
    const resourceVersion = this.#written.get(name)!.version;
    const { apiVersion, kind } = BootRecord;
    const object = { apiVersion, kind, metadata: { name, resourceVersion }, spec, status } as BootRecord;
    this.noteRead(await this.#records.update(object, { subresource: "status" }));
  }

  /** Fine when there is none. */
  async remove(record: string): Promise<void> {
    try {
      await this.#records.delete(record);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    this.#written.delete(record);
  }
}

function headingOf({ metadata, spec }: Pick<BootRecord, "metadata" | "spec">): Heading {
  return { labels: metadata.labels ?? {}, ownerReferences: metadata.ownerReferences ?? [], spec };
}

/** A merge patch: labels that are no longer right are taken away, those of others stay. */
function difference({ version, heading: old }: Written, { labels, ownerReferences, spec }: Heading): Json {
  const stale = Object.keys(old.labels).filter((key) => key.includes("metal.sidero.dev/") && !(key in labels));
  return {
    metadata: {
      resourceVersion: version,
      labels: { ...Object.fromEntries(stale.map((key) => [key, null])), ...labels },
      ...(ownerReferences.length === 0 ? {} : { ownerReferences: ownerReferences as unknown as Json[] }),
    },
    spec: spec as unknown as Json,
  };
}
