/**
 * What a machine's configuration says of the node it becomes, so that it can be told which machine it is: upstream's label with the UUID (sidero.md §6), and the
 * provider id by which Cluster API knows it.
 */
import { isObject, own } from "#std/json.ts";
import type { Json, JsonObject } from "#std/json.ts";
import type { ConfigDocument, MachineConfig } from "../document/document.ts";
import { v1alpha1Of, withDocuments, withValue } from "../document/document.ts";
import { refusal } from "../fault.ts";

export const UUID_LABEL = "metal.sidero.dev/uuid";
const LABELS = "node-labels";
const PROVIDER = "provider-id";

export interface NodeIdentity {
  readonly uuid: string;
  /** `sidero://<Server>` */
  readonly providerId: string;
}

/**
 * With both; a provider id that is there already stays. From Talos 1.14 on the kubelet and the node may have documents of their own, beside which the v1alpha1
 * document must not speak of the same. Throws Fault `talos.config` for what has no v1alpha1 document, or none of the expected shape.
 */
export function withNode(config: MachineConfig, { uuid, providerId }: NodeIdentity): MachineConfig {
  if (v1alpha1Of(config) === undefined)
    throw refusal("talos.config", "there is no v1alpha1 document: it is no configuration of Talos");
  const hasNode = config.documents.some(isNode);
  const args = (given: JsonObject): JsonObject => ({
    ...given,
    ...(hasNode ? {} : { [LABELS]: labelled(own(given, LABELS), `${UUID_LABEL}=${uuid}`) }),
    ...(own(given, PROVIDER) === undefined ? { [PROVIDER]: providerId } : {}),
  });
  const hasKubelet = config.documents.some(isKubelet);
  return withDocuments(
    config,
    config.documents.map((document) => {
      if (isNode(document)) return edited(document, ["labels"], (labels) => ({ ...labels, [UUID_LABEL]: uuid }));
      if (isKubelet(document)) return edited(document, ["extraArgs"], args);
      const isLegacy = document.identity.kind === "" && !hasKubelet;
      return isLegacy ? edited(document, ["machine", "kubelet", "extraArgs"], args) : document;
    }),
  );
}

function isNode({ identity }: ConfigDocument): boolean {
  return identity.kind === "KubeNodeConfig";
}

function isKubelet({ identity }: ConfigDocument): boolean {
  return identity.kind === "KubeletConfig";
}

/** From Talos 1.11 on an argument may have several values. */
function labelled(before: Json | undefined, label: string): Json {
  if (Array.isArray(before)) return before.includes(label) ? before : [...before, label];
  if (typeof before !== "string" || before === "") return label;
  return before.split(",").includes(label) ? before : `${before},${label}`;
}

/** The document with the mapping at the path changed; mappings on the way that are missing are made. */
function edited(document: ConfigDocument, path: readonly string[], change: (value: JsonObject) => JsonObject): ConfigDocument {
  const edit = (value: Json | undefined, depth: number): JsonObject => {
    if (value !== undefined && value !== null && !isObject(value))
      throw refusal("talos.config", `${path.slice(0, depth).join(".")} is no mapping`);
    const mapping = value ?? {};
    const key = path[depth];
    return key === undefined ? change(mapping) : { ...mapping, [key]: edit(own(mapping, key), depth + 1) };
  };
  return withValue(document, edit(document.value, 0));
}
