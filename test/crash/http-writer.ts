/** A client that writes to objects of its own, one request after the other, until the server is gone. */
import type { Client } from "#kube/client.ts";
import { kindRef, type KindRef } from "#kube/kind.ts";
import type { KubeObject } from "#schema/meta.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import type { SeededEntropy } from "#io/memory/entropy.ts";
import { Fault } from "#std/fault.ts";
import { numbered, type Chronicle } from "./http-chronicle.ts";

export const ConfigMap: KindRef = kindRef<KubeObject>({
  group: "",
  version: "v1",
  kind: "ConfigMap",
  plural: "configmaps",
  scope: "Namespaced",
});
const NAMESPACE = "crash";

/** What is written: a built-in kind and one of ours, which controllers follow. */
export const KINDS: readonly KindRef[] = [ConfigMap, Server];

/** Sizes vary, so that rows share pages, fill them and spill over. */
const PADDING = "x".repeat(9000);
const OBJECTS = 4;

export class Writer {
  readonly #client: Client;
  readonly #kind: KindRef;
  readonly #name: string;
  readonly #chronicle: Chronicle;

  constructor(client: Client, kind: KindRef, name: string, chronicle: Chronicle) {
    this.#client = client;
    this.#kind = kind;
    this.#name = name;
    this.#chronicle = chronicle;
  }

  /** Resolves when the server is gone, leaving one write in doubt; `onDone` after each that was acknowledged. */
  async run(entropy: SeededEntropy, onDone: () => void): Promise<void> {
    try {
      for (;;) {
        await this.step(`${this.#name}-${entropy.below(OBJECTS)}`, entropy);
        onDone();
      }
    } catch (error) {
      if (!Fault.is(error, "io.unreachable")) throw error;
    }
  }

  /** One write to one object; rejects with what the client rejects with. */
  async step(name: string, entropy: SeededEntropy): Promise<KubeObject | undefined> {
    const chronicle = this.#chronicle;
    const namespace = this.#kind.scope === "Namespaced" ? NAMESPACE : "";
    const key = namespace === "" ? name : `${namespace}/${name}`;
    const resource = this.#client.for(this.#kind).in(namespace);
    const held = chronicle.held(this.#kind, key);
    const removes = held !== undefined && entropy.chance(0.15);
    const step = chronicle.intend(this.#kind, key, removes);
    const annotations = { ...numbered(step.number), padding: PADDING.slice(0, entropy.below(entropy.chance(0.1) ? 9000 : 600)) };
    let object: KubeObject | undefined;
    if (held === undefined) {
      object = await resource.create({ metadata: { name, annotations } });
    } else if (removes) {
      await resource.delete(name, { preconditions: { resourceVersion: held.metadata.resourceVersion! } });
    } else if (entropy.chance(0.5)) {
      object = await resource.update({ ...held, metadata: { ...held.metadata, annotations } });
    } else {
      object = await resource.patch(name, { metadata: { annotations } });
    }
    chronicle.acknowledge(step, object);
    return object;
  }
}

export async function makeNamespace(client: Client): Promise<void> {
  await client.raw("POST", "/api/v1/namespaces", { body: { metadata: { name: NAMESPACE } } });
}
