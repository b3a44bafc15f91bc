/**
 * Kinds of providers that Cluster API's core only knows by reference (a group and a kind): which version of them keeps the contract, and
 * how they are called in URLs, is said by their CustomResourceDefinition (facts §1.1).
 */
import type { KubeObject } from "#schema/meta.ts";
import { parseApiVersion } from "#schema/meta.ts";
import { compareVersions } from "#schema/version-order.ts";
import { Fault } from "#std/fault.ts";
import type { CallOptions, Client } from "./client.ts";
import { type KindRef, kindRef } from "./kind.ts";
import { ifThere, isNotFound } from "./status.ts";

/** A kind whose version is to be looked up. */
export interface GroupKind {
  readonly apiGroup: string;
  readonly kind: string;
}

/** An object in the namespace of who refers to it (`ContractVersionedObjectReference`). */
export interface ContractReference extends GroupKind {
  readonly name: string;
}

/** Contracts that are kept here, the best first; each is a label of a CustomResourceDefinition. */
const CONTRACTS = ["cluster.x-k8s.io/v1beta2", "cluster.x-k8s.io/v1beta1"];

interface Crd extends KubeObject {
  readonly spec?: {
    readonly scope?: "Cluster" | "Namespaced";
    readonly names?: { readonly plural?: string };
    readonly versions?: readonly { readonly name: string; readonly served: boolean }[];
  };
}

const Crd = kindRef<Crd>({
  group: "apiextensions.k8s.io",
  version: "v1",
  kind: "CustomResourceDefinition",
  plural: "customresourcedefinitions",
  scope: "Cluster",
});

/** Looks kinds up, and remembers them. One for each runtime, which is made anew whenever this process leads again. */
export class ContractKinds {
  readonly #client: Client;
  readonly #kinds = new Map<string, Promise<KindRef>>();

  constructor(client: Client) {
    this.#client = client;
  }

  /**
   * The kind in the version that keeps the best contract. Faults: `contract.unknown-kind` while there is no such kind (tried again
   * later), `contract.no-version` when none of its versions keeps a contract.
   */
  async of({ apiGroup, kind }: GroupKind, options?: CallOptions): Promise<KindRef> {
    const id = `${kind}.${apiGroup}`;
    const known = this.#kinds.get(id);
    if (known !== undefined) return await known;
    const found = this.#find(apiGroup, kind, options);
    this.#kinds.set(id, found);
    try {
      return await found;
    } catch (error) {
      this.#kinds.delete(id);
      throw error;
    }
  }

  /** The kind in the version that an object says it is of. */
  async ofObject({ apiVersion, kind }: KubeObject, options?: CallOptions): Promise<KindRef> {
    const { group: apiGroup, version } = parseApiVersion(apiVersion) ?? { group: "", version: "" };
    return { ...(await this.of({ apiGroup, kind }, options)), version };
  }

  /** The object referred to, in the version of the contract; undefined when it is not there. */
  async get(reference: ContractReference, namespace: string, options?: CallOptions): Promise<KubeObject | undefined> {
    const kind = await this.of(reference, options);
    return ifThere(this.#client.for(kind).in(namespace).get(reference.name, options));
  }

  async #find(group: string, kind: string, options: CallOptions | undefined): Promise<KindRef> {
    const name = `${pluralOf(kind)}.${group}`;
    try {
      const crd = await this.#client.for(Crd).get(name, options);
      const { names, scope = "Namespaced" } = crd.spec ?? {};
      return { group, version: versionOf(crd), kind, plural: names?.plural ?? pluralOf(kind), scope };
    } catch (error) {
      if (!isNotFound(error)) throw error;
      const facts = { crd: name };
      throw new Fault("contract.unknown-kind", `there is no kind ${kind} in ${group}`, { fault: "world", retry: "later", facts });
    }
  }
}

/** The newest served version that the label of the best contract names. */
function versionOf({ metadata, spec }: Crd): string {
  const served = (spec?.versions ?? []).filter((version) => version.served).map((version) => version.name);
  for (const contract of CONTRACTS) {
    const named = (metadata.labels?.[contract] ?? "").split("_").filter((version) => served.includes(version));
    if (named.length > 0) return named.toSorted(compareVersions)[0]!;
  }
  const message = `${metadata.name} cannot be used: no version of it keeps a contract (labels ${CONTRACTS.join(", ")})`;
  throw new Fault("contract.no-version", message, { fault: "world", retry: "later" });
}

/** Lower case and plural, as the name of a CustomResourceDefinition must begin. */
export function pluralOf(kind: string): string {
  const word = kind.toLowerCase();
  if (/(?:s|x|z|ch|sh)$/.test(word)) return `${word}es`;
  return /[^aeiou]y$/.test(word) ? `${word.slice(0, -1)}ies` : `${word}s`;
}
