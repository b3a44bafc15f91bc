/** ServerClass with separate lists for processor and system, of which a machine had to satisfy both. */
import type { Json } from "#std/json.ts";
import { canonical, present } from "#schema/conversion.ts";
import { older } from "#schema/family.ts";
import { kind } from "#schema/kind.ts";
import type { Resource } from "#schema/kind.ts";
import type { TypeOf } from "#schema/kit.ts";
import { array, object } from "#schema/kit.ts";
import { LabelSelectors, serverClass, serverClassFields } from "../v1alpha2/server-class.ts";
import type { Qualifiers as HubQualifiers, ServerClass as Hub, ServerClassSpec as HubSpec } from "../v1alpha2/server-class.ts";
import { CpuInformation, SystemInformation, cpuOf, hardwareOf, systemOf } from "./hardware.ts";

/** Far more than anyone writes by hand, and few enough to multiply. */
const MOST_PAIRINGS = 4096;

const Qualifiers = object({
  cpu: array(CpuInformation).doc("A machine's processor must fit one of the entries."),
  systemInformation: array(SystemInformation).doc("A machine's system must fit one of the entries."),
  labelSelectors: LabelSelectors,
}).rule({
  cel: `!has(self.cpu) || !has(self.systemInformation) || size(self.cpu) * size(self.systemInformation) <= ${MOST_PAIRINGS}`,
  message: `cpu and systemInformation cannot have more than ${MOST_PAIRINGS} pairings`,
  check: ({ cpu = [], systemInformation = [] }) => cpu.length * systemInformation.length <= MOST_PAIRINGS,
});

const ServerClassSpec = object({
  ...serverClassFields,
  qualifiers: Qualifiers.doc("What the machines of the class must be. Empty: anything."),
});

export const ServerClass = kind({
  ...serverClass,
  version: "v1alpha1",
  spec: ServerClassSpec.doc("Which Servers are in the class, and how they are set up."),
});
export type ServerClass = Resource<typeof ServerClass>;

/**
 * Both lists had to be satisfied, while of v1alpha2's one list any entry will do: so every pairing becomes an entry. Lists with
 * too many pairings are never accepted in this version; they come here only to see what a v1alpha2 object would lose.
 */
function qualifiersUp({
  cpu = [],
  systemInformation = [],
  labelSelectors,
}: TypeOf<typeof Qualifiers>): TypeOf<typeof HubQualifiers> {
  const [cpus, systems] = [distinct(cpu), distinct(systemInformation)];
  const areApart = cpus.length === 0 || systems.length === 0 || cpus.length * systems.length > MOST_PAIRINGS;
  const hardware = areApart
    ? [...systems.map((system) => hardwareOf(system, undefined)), ...cpus.map((processor) => hardwareOf(undefined, processor))]
    : systems.flatMap((system) => cpus.map((processor) => hardwareOf(system, processor)));
  return present({ hardware: unlessEmpty(hardware), labelSelectors });
}

function qualifiersDown({ hardware = [], labelSelectors }: TypeOf<typeof HubQualifiers>): TypeOf<typeof Qualifiers> {
  const cpu = distinct(hardware.map(cpuOf).filter((entry) => entry !== undefined));
  const systemInformation = distinct(hardware.map(systemOf).filter((entry) => entry !== undefined));
  return present({ cpu: unlessEmpty(cpu), systemInformation: unlessEmpty(systemInformation), labelSelectors });
}

function distinct<T extends Json>(items: T[]): T[] {
  return [...new Map(items.map((item) => [canonical(item), item])).values()];
}

function unlessEmpty<T>(items: T[]): T[] | undefined {
  return items.length === 0 ? undefined : items;
}

function up({ qualifiers, ...spec }: TypeOf<typeof ServerClassSpec>): TypeOf<typeof HubSpec> {
  return present({ ...spec, qualifiers: qualifiers && qualifiersUp(qualifiers) });
}

function down({
  qualifiers,
  strategicPatches: _lost,
  where: _where,
  ...spec
}: TypeOf<typeof HubSpec>): TypeOf<typeof ServerClassSpec> {
  return present({ ...spec, qualifiers: qualifiers && qualifiersDown(qualifiers) });
}

export const conversion = older<typeof ServerClass, typeof Hub>({
  kind: ServerClass,
  up: ({ spec, status }) => present({ spec: spec && up(spec), status }),
  down: ({ spec, status }) => present({ spec: spec && down(spec), status }),
});
