/** TalosConfig under Cluster API v1alpha2: the configuration given or generated, without patches, its result in the status. */
import { present } from "#schema/conversion.ts";
import { older } from "#schema/family.ts";
import { kind } from "#schema/kind.ts";
import type { Resource } from "#schema/kind.ts";
import { boolean, object, string } from "#schema/kit.ts";
import { talosConfig, talosConfigColumns } from "../v1beta1/talos-config.ts";
import type { TalosConfig as Hub } from "../v1beta1/talos-config.ts";
import { TalosConfigSpec as Newer, specUp } from "../v1alpha3/talos-config.ts";

const TalosConfigSpec = object({ generateType: Newer.fields.generateType, data: Newer.fields.data });

const TalosConfigStatus = object({
  ready: boolean().doc("The configuration is there."),
  bootstrapData: string().doc("The configuration in base64. Not set by Sidero: it holds secrets, which belong in a Secret."),
  talosConfig: string().doc("Access to the machine with talosctl. Not set by Sidero: it is in the Secret <cluster>-talosconfig."),
  errorReason: string().doc("What cannot be mended without help, as one word."),
  errorMessage: string().doc("What cannot be mended without help, as a sentence."),
});

export const TalosConfig = kind({
  ...talosConfig,
  version: "v1alpha2",
  columns: talosConfigColumns(".status.ready"),
  spec: TalosConfigSpec.doc("What is wanted."),
  status: TalosConfigStatus.doc("What is the case."),
});
export type TalosConfig = Resource<typeof TalosConfig>;

function statusUp({ ready, errorReason, errorMessage }: NonNullable<TalosConfig["status"]>): NonNullable<Hub["status"]> {
  const v1beta = present({ failureReason: errorReason, failureMessage: errorMessage });
  return present({
    initialization: ready === undefined ? undefined : { dataSecretCreated: ready },
    deprecated: Object.keys(v1beta).length === 0 ? undefined : { v1beta },
  });
}

function statusDown({ initialization, deprecated }: NonNullable<Hub["status"]>): NonNullable<TalosConfig["status"]> {
  return present({
    ready: initialization?.dataSecretCreated,
    errorReason: deprecated?.v1beta?.failureReason,
    errorMessage: deprecated?.v1beta?.failureMessage,
  });
}

export const conversion = older<typeof TalosConfig, typeof Hub>({
  kind: TalosConfig,
  up: ({ spec, status }) => present({ spec: spec && specUp(spec), status: status && statusUp(status) }),
  down: ({ spec, status }) =>
    present({
      spec: spec && present({ generateType: spec.generateType, data: spec.data }),
      status: status && statusDown(status),
    }),
});
