/** Objects of any kind, by what the server says of their kinds. */
import type { Client, ResourceClient } from "#kube/client.ts";
import { type KindRef, kindRef } from "#kube/kind.ts";
import { isNotFound } from "#kube/status.ts";
import type { KubeObject } from "#schema/meta.ts";
import { parseApiVersion } from "#schema/meta.ts";
import { Fault } from "#std/fault.ts";
import { isObject } from "#std/json.ts";

/** What the server serves, asked once for each version of a group. */
export class Kinds {
  readonly #client: Client;
  readonly #known = new Map<string, Promise<Map<string, KindRef>>>();

  constructor(client: Client) {
    this.#client = client;
  }

  /** Rejects with Fault `cli.not-found` for a kind that the server has not. */
  async of(apiVersion: string, kind: string): Promise<KindRef> {
    let found = this.#known.get(apiVersion);
    if (found === undefined) this.#known.set(apiVersion, (found = this.#read(apiVersion)));
    const ref = (await found).get(kind);
    if (ref !== undefined) return ref;
    const message = `the server has no ${kind} in ${apiVersion}: is a provider of Cluster API missing (--providers)?`;
    throw new Fault("cli.not-found", message, { fault: "caller", retry: "never" });
  }

  /** The kind of an object, in the object's namespace. */
  async resource(object: KubeObject): Promise<ResourceClient<KubeObject>> {
    const kind = await this.of(object.apiVersion, object.kind);
    return this.#client.for<KubeObject>(kind).in(kind.scope === "Cluster" ? "" : (object.metadata.namespace ?? "default"));
  }

  async #read(apiVersion: string): Promise<Map<string, KindRef>> {
    const { group, version } = parseApiVersion(apiVersion) ?? { group: "", version: "" };
    const path = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
    const answer = await this.#client.raw("GET", path).catch((error: unknown) => {
      if (isNotFound(error)) return {};
      throw error;
    });
    const resources = isObject(answer) && Array.isArray(answer["resources"]) ? answer["resources"] : [];
    const refs = new Map<string, KindRef>();
    for (const resource of resources) {
      if (!isObject(resource)) continue;
      const { name, kind, namespaced } = resource;
      // Subresources have a slash in their names.
      if (typeof name !== "string" || typeof kind !== "string" || name.includes("/")) continue;
      refs.set(kind, kindRef({ group, version, kind, plural: name, scope: namespaced === true ? "Namespaced" : "Cluster" }));
    }
    return refs;
  }
}
