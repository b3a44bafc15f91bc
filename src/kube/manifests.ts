/** Objects of any kinds as people write them down, and how they get into a cluster that may be of any kind itself. */
import { parseAllDocuments } from "yaml";
import type { KubeObject } from "#schema/meta.ts";
import { parseApiVersion } from "#schema/meta.ts";
import { Fault } from "#std/fault.ts";
import { isObject, type Json } from "#std/json.ts";
import type { CallOptions, Client } from "./client.ts";
import { type KindRef, kindRef } from "./kind.ts";
import { isAlreadyExists, isNotFound } from "./status.ts";

/** Characters; what a Secret can hold is less. */
const LONGEST = 2 * 1024 * 1024;

/** The objects of a text with YAML or JSON documents, Lists taken apart. Fault `kube.manifest` tells what is wrong, and nothing of the text. */
export function parseManifests(text: string): KubeObject[] {
  if (text.length > LONGEST) throw malformed(`is longer than ${LONGEST / 1024 / 1024} MiB`);
  const documents = parseAllDocuments(text, { uniqueKeys: false, prettyErrors: false, logLevel: "error" });
  return [...documents].flatMap((document, i) => {
    if (document.errors.length > 0) throw malformed(`is not YAML (document ${i + 1})`);
    return objectsIn(valueOf(document, i), i);
  });
}

function valueOf(document: ReturnType<typeof parseAllDocuments>[number], i: number): unknown {
  try {
    // Aliases could make much of little.
    return document.toJS({ maxAliasCount: 100 });
  } catch {
    throw malformed(`has too many aliases (document ${i + 1})`);
  }
}

function objectsIn(value: unknown, i: number): KubeObject[] {
  if (value === null || value === undefined) return [];
  if (isObject(value) && typeof value["kind"] === "string" && value["kind"].endsWith("List") && Array.isArray(value["items"]))
    return value["items"].flatMap((item) => objectsIn(item, i));
  const isNamed = isObject(value) && isObject(value["metadata"]) && typeof value["metadata"]["name"] === "string";
  if (!isNamed || typeof value["apiVersion"] !== "string" || typeof value["kind"] !== "string")
    throw malformed(`has a document without apiVersion, kind or metadata.name (document ${i + 1})`);
  return [value as unknown as KubeObject];
}

/** What others need comes first. The order within one place stays. */
const ORDER = ["Namespace", "ResourceQuota", "LimitRange", "CustomResourceDefinition", "ServiceAccount", "Secret", "ConfigMap"];

export function inOrder(objects: readonly KubeObject[]): KubeObject[] {
  const place = ({ kind }: KubeObject): number => {
    const at = ORDER.indexOf(kind);
    return at < 0 ? ORDER.length : at;
  };
  return objects.toSorted((a, b) => place(a) - place(b));
}

/** Puts objects into one cluster, whose kinds it asks for once each. */
export class Applier {
  readonly #client: Client;
  readonly #versions = new Map<string, Promise<Json>>();

  constructor(client: Client) {
    this.#client = client;
  }

  /** Creates it; one that is there already is left as it is, unless it `mayChange`: then it is made to say what the manifest does. */
  async apply(object: KubeObject, mayChange: boolean, options?: CallOptions): Promise<void> {
    const kind = await this.#kindOf(object, options);
    const { name = "", namespace } = object.metadata;
    const resource = this.#client.for<KubeObject>(kind).in(kind.scope === "Cluster" ? "" : (namespace ?? "default"));
    try {
      await resource.create(object, options);
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      if (!mayChange) return;
      const { apiVersion: _version, kind: _kind, ...rest } = object;
      await resource.patch(name, rest as unknown as Json, options);
    }
  }

  async #kindOf({ apiVersion, kind }: KubeObject, options: CallOptions | undefined): Promise<KindRef<KubeObject>> {
    const { group, version } = parseApiVersion(apiVersion) ?? { group: "", version: apiVersion };
    const target = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
    const found = resourcesIn(await this.#resources(target, options)).find(
      (each) => each["kind"] === kind && isTop(each["name"]),
    );
    if (found === undefined) {
      // A definition among the manifests may have been taken a moment ago.
      this.#versions.delete(target);
      throw new Fault("kube.manifest", `the cluster knows no ${kind} in ${apiVersion}`, { fault: "world", retry: "later" });
    }
    const scope = found["namespaced"] === true ? "Namespaced" : "Cluster";
    return kindRef<KubeObject>({ group, version, kind, plural: found["name"] as string, scope });
  }

  async #resources(target: string, options: CallOptions | undefined): Promise<Json> {
    let asked = this.#versions.get(target);
    if (asked === undefined) {
      asked = this.#client.raw("GET", target, options).catch((error: unknown) => {
        this.#versions.delete(target);
        if (isNotFound(error)) return {};
        throw error;
      });
      this.#versions.set(target, asked);
    }
    return await asked;
  }
}

function resourcesIn(list: Json) {
  const resources = isObject(list) ? list["resources"] : undefined;
  return Array.isArray(resources) ? resources.filter(isObject) : [];
}

/** No subresource. */
function isTop(name: Json | undefined): boolean {
  return typeof name === "string" && !name.includes("/");
}

function malformed(problem: string): Fault {
  return new Fault("kube.manifest", `the manifest ${problem}`, { fault: "caller", retry: "later" });
}
