/** The Talos configuration of one Machine: generated, or given. Its result is a Secret that the machine is served from. */
import type { FieldError } from "#schema/field.ts";
import { FieldPath, forbidden } from "#schema/field.ts";
import { equal } from "#std/json.ts";
import { kind } from "#schema/kind.ts";
import type { Resource } from "#schema/kind.ts";
import type { TypeOf } from "#schema/kit.ts";
import { boolean, enumeration, int64, object, string } from "#schema/kit.ts";
import type { KubeObject } from "#schema/meta.ts";
import { Conditions } from "../../condition.ts";
import { ConfigPatches, StrategicPatches } from "../../metal/patch.ts";

const Hostname = object({
  source: enumeration("", "MachineName", "InfrastructureName").doc(
    "What the node is called: MachineName, like its Machine; InfrastructureName, like its infrastructure object. Empty: Talos decides.",
  ),
});

/** Fields that v1alpha3 has as well. */
export const talosConfigFields = {
  talosVersion: string().doc(
    "Version of Talos that the configuration is for, such as v1.13 or v1.13.2: machines of another version may refuse it. Empty: the newest one known.",
  ),
  data: string().doc("The whole configuration, when generateType is none."),
  configPatches: ConfigPatches,
  strategicPatches: StrategicPatches,
  hostname: Hostname.doc("What the node is called."),
};

export const TalosConfigSpec = object({
  generateType: enumeration("controlplane", "worker", "init", "none")
    .required()
    .doc(
      "What the machine becomes: controlplane, worker, or init, a control plane machine that brings up etcd by itself. none: what data says.",
    ),
  ...talosConfigFields,
});
export type TalosConfigSpec = TypeOf<typeof TalosConfigSpec>;

const Initialization = object({
  dataSecretCreated: boolean().doc(
    "The Secret with the configuration is there. Never taken back. Contract v1beta1 calls it ready.",
  ),
})
  .min(1)
  .doc("How far the first set-up has come (contract v1beta2).");

const V1Beta1 = object({
  conditions: Conditions.doc("The conditions with their severities, as contract v1beta1 has them."),
  failureReason: string().doc("What cannot be mended without help, as one word."),
  failureMessage: string().doc("What cannot be mended without help, as a sentence."),
});

const TalosConfigStatus = object({
  initialization: Initialization,
  dataSecretName: string().min(1).max(253).doc("Name of the Secret that has the configuration under the key value."),
  observedGeneration: int64().doc("The metadata.generation that was seen last."),
  conditions: Conditions.max(32).doc("Ready, and what it depends on: DataSecretAvailable, ClientConfigAvailable, Paused."),
  // Upstream's tag is `v1beta`, not `v1beta1`; who reads it, reads that.
  deprecated: object({ v1beta: V1Beta1.doc("Status of contract v1beta1.") }).doc("What goes when older contracts go."),
});

/** The configuration of a machine is fixed when it is made: another one is another machine, so changes would be for nothing. */
function immutable(config: KubeObject, old: KubeObject | undefined): FieldError[] {
  if (old === undefined || equal(config["spec"], old["spec"])) return [];
  return [forbidden(FieldPath.of("spec"), "TalosConfig.Spec is immutable")];
}

/** Columns that all versions have. */
export function talosConfigColumns(initialized: string) {
  return [
    {
      name: "Cluster",
      type: "string",
      description: "Cluster it belongs to",
      jsonPath: ".metadata.labels.cluster\\.x-k8s\\.io/cluster-name",
    },
    { name: "Initialized", type: "boolean", description: "The configuration is there", jsonPath: initialized },
    { name: "Bootstrap secret", type: "string", description: "Secret it is in", jsonPath: ".status.dataSecretName" },
    { name: "Age", type: "date", description: "Time since creation", jsonPath: ".metadata.creationTimestamp" },
  ] as const;
}

/** What all versions have in common. */
export const talosConfig = {
  group: "bootstrap.cluster.x-k8s.io",
  kind: "TalosConfig",
  plural: "talosconfigs",
  scope: "Namespaced",
  categories: ["cluster-api"],
  doc: "The Talos configuration of one Machine, for Cluster API. Its spec never changes.",
  validate: immutable,
} as const;

export const TalosConfig = kind({
  ...talosConfig,
  version: "v1beta1",
  columns: talosConfigColumns(".status.initialization.dataSecretCreated"),
  spec: TalosConfigSpec.doc("What is wanted."),
  status: TalosConfigStatus.doc("What is the case."),
});
export type TalosConfig = Resource<typeof TalosConfig>;
