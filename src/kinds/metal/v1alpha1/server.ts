/** Server before the agent reported all hardware: system and processor only, and no strategic patches. */
import { present } from "#schema/conversion.ts";
import { older } from "#schema/family.ts";
import { kind } from "#schema/kind.ts";
import type { Resource } from "#schema/kind.ts";
import type { TypeOf } from "#schema/kit.ts";
import { object } from "#schema/kit.ts";
import { server, serverFields } from "../v1alpha2/server.ts";
import type { Server as Hub, ServerSpec as HubSpec } from "../v1alpha2/server.ts";
import { CpuInformation, SystemInformation, cpuOf, hardwareOf, systemOf } from "./hardware.ts";

export const ServerSpec = object({
  ...serverFields,
  system: SystemInformation.doc("The machine as a whole."),
  cpu: CpuInformation.doc("The first processor."),
});

export const Server = kind({
  ...server,
  version: "v1alpha1",
  spec: ServerSpec.doc("What is wanted, and what was found at registration."),
});
export type Server = Resource<typeof Server>;

function up({ system, cpu, ...spec }: TypeOf<typeof ServerSpec>): TypeOf<typeof HubSpec> {
  const isKnown = system !== undefined || cpu !== undefined;
  return present({ ...spec, hardware: isKnown ? hardwareOf(system, cpu) : undefined });
}

function down({ hardware = {}, strategicPatches: _lost, ...spec }: TypeOf<typeof HubSpec>): TypeOf<typeof ServerSpec> {
  return present({ ...spec, system: systemOf(hardware), cpu: cpuOf(hardware) });
}

export const conversion = older<typeof Server, typeof Hub>({
  kind: Server,
  up: ({ spec, status }) => present({ spec: spec && up(spec), status }),
  down: ({ spec, status }) => present({ spec: spec && down(spec), status }),
});
