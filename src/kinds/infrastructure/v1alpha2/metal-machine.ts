/** MetalMachine under Cluster API v1alpha2: Servers are named, or the BMC stands in the spec as with the provider before Sidero. */
import { present } from "#schema/conversion.ts";
import { older } from "#schema/family.ts";
import { kind } from "#schema/kind.ts";
import type { Resource } from "#schema/kind.ts";
import type { TypeOf } from "#schema/kit.ts";
import { boolean, object, string } from "#schema/kit.ts";
import { metalMachine, metalMachineFields } from "../v1alpha3/metal-machine.ts";
import type { MetalMachine as Hub, MetalMachineSpec as HubSpec } from "../v1alpha3/metal-machine.ts";

export const MetalMachineSpec = object(metalMachineFields);

const Status = object({
  ready: boolean().required().doc("The machine is there."),
  errorReason: string().doc("What cannot be mended without help, as one word."),
  errorMessage: string().doc("What cannot be mended without help, as a sentence."),
});

export const MetalMachine = kind({
  ...metalMachine,
  version: "v1alpha2",
  spec: MetalMachineSpec.doc("What is wanted."),
  status: Status.doc("What is the case."),
});
export type MetalMachine = Resource<typeof MetalMachine>;

export function specUp(spec: TypeOf<typeof MetalMachineSpec>): TypeOf<typeof HubSpec> {
  return spec;
}

export function specDown({ providerID, serverRef, bmc }: TypeOf<typeof HubSpec>): TypeOf<typeof MetalMachineSpec> {
  return present({ providerID, serverRef, bmc });
}

export const conversion = older<typeof MetalMachine, typeof Hub>({
  kind: MetalMachine,
  up: ({ spec, status }) =>
    present({
      spec: spec && specUp(spec),
      status: status && present({ ready: status.ready, failureReason: status.errorReason, failureMessage: status.errorMessage }),
    }),
  down: ({ spec, status }) =>
    present({
      spec: spec && specDown(spec),
      status:
        status &&
        present({ ready: status.ready ?? false, errorReason: status.failureReason, errorMessage: status.failureMessage }),
    }),
});
