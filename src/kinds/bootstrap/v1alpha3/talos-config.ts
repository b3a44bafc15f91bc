/** TalosConfig of the contracts up to v1beta1: workers may be of type join, and the status says ready. */
import { present } from "#schema/conversion.ts";
import { older } from "#schema/family.ts";
import { kind } from "#schema/kind.ts";
import type { Resource } from "#schema/kind.ts";
import type { TypeOf } from "#schema/kit.ts";
import { boolean, enumeration, int64, object, string } from "#schema/kit.ts";
import { Conditions } from "../../condition.ts";
import { talosConfig, talosConfigColumns, talosConfigFields } from "../v1beta1/talos-config.ts";
import type { TalosConfig as Hub, TalosConfigSpec as HubSpec } from "../v1beta1/talos-config.ts";

/** Talos' own parser takes these, and takes join and nothing at all for worker. */
export const TalosConfigSpec = object({
  generateType: enumeration("controlplane", "worker", "init", "none", "join", "")
    .required()
    .doc(
      "What the machine becomes: controlplane, worker (or join), or init, a control plane machine that brings up etcd by itself. none: what data says.",
    ),
  ...talosConfigFields,
});
export type TalosConfigSpec = TypeOf<typeof TalosConfigSpec>;

const TalosConfigStatus = object({
  ready: boolean().doc("The Secret with the configuration is there."),
  dataSecretName: string().doc("Name of the Secret that has the configuration under the key value."),
  talosConfig: string().doc("Access to the machine with talosctl. Not set by Sidero: it is in the Secret <cluster>-talosconfig."),
  failureReason: string().doc("What cannot be mended without help, as one word."),
  failureMessage: string().doc("What cannot be mended without help, as a sentence."),
  observedGeneration: int64().doc("The metadata.generation that was seen last."),
  conditions: Conditions.doc("Ready, and what it depends on: DataSecretAvailable, ClientConfigAvailable."),
  v1beta2Status: object({ conditions: Conditions.max(32).doc("The conditions as contract v1beta2 has them.") }).doc(
    "Status of contract v1beta2.",
  ),
});

export const TalosConfig = kind({
  ...talosConfig,
  version: "v1alpha3",
  columns: talosConfigColumns(".status.ready"),
  spec: TalosConfigSpec.doc("What is wanted."),
  status: TalosConfigStatus.doc("What is the case."),
});
export type TalosConfig = Resource<typeof TalosConfig>;

/** The spec as v1beta1 has it: two of its types are other names of worker. */
export function specUp({ generateType, ...spec }: TalosConfigSpec): HubSpec {
  return { generateType: generateType === "join" || generateType === "" ? "worker" : generateType, ...spec };
}

export function specDown(spec: HubSpec): TalosConfigSpec {
  return spec;
}

function statusUp(status: NonNullable<TalosConfig["status"]>): NonNullable<Hub["status"]> {
  const { ready, dataSecretName, observedGeneration, conditions, v1beta2Status, failureReason, failureMessage } = status;
  const v1beta = present({ conditions, failureReason, failureMessage });
  return present({
    initialization: ready === undefined ? undefined : { dataSecretCreated: ready },
    dataSecretName: dataSecretName === "" ? undefined : dataSecretName,
    observedGeneration,
    conditions: v1beta2Status?.conditions,
    deprecated: Object.keys(v1beta).length === 0 ? undefined : { v1beta },
  });
}

function statusDown(status: NonNullable<Hub["status"]>): NonNullable<TalosConfig["status"]> {
  const { initialization, dataSecretName, observedGeneration, conditions, deprecated } = status;
  return present({
    ready: initialization?.dataSecretCreated,
    dataSecretName,
    failureReason: deprecated?.v1beta?.failureReason,
    failureMessage: deprecated?.v1beta?.failureMessage,
    observedGeneration,
    conditions: deprecated?.v1beta?.conditions,
    v1beta2Status: conditions && { conditions },
  });
}

export const conversion = older<typeof TalosConfig, typeof Hub>({
  kind: TalosConfig,
  up: ({ spec, status }) => present({ spec: spec && specUp(spec), status: status && statusUp(status) }),
  down: ({ spec, status }) => present({ spec: spec && specDown(spec), status: status && statusDown(status) }),
});
