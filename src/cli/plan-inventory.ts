/** What `sidero plan` reads of a machine, once, and the boot script that it would be answered with. */
import type { BootArchitecture, Inventory } from "#decide/boot/asker.ts";
import { type BootDecision, decideBoot, DEFAULT_ENVIRONMENT, type DiskMethod } from "#decide/boot/decision.ts";
import type { Into } from "#decide/lifecycle/plan.ts";
import type { Digest } from "#decide/identity/machine.ts";
import { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import { BootRecord, MACHINE_LABEL } from "#kinds/metal/v1alpha2/boot-record.ts";
import { Environment } from "#kinds/metal/v1alpha2/environment.ts";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import { ServerClass } from "#kinds/metal/v1alpha2/server-class.ts";
import type { Client } from "#kube/client.ts";
import type { KindRef } from "#kube/kind.ts";
import { isNotFound } from "#kube/status.ts";
import type { KubeObject } from "#schema/meta.ts";

/** Everything about one machine that decides what is done to it. */
export interface Surroundings {
  readonly server: Server;
  readonly binding: ServerBinding | undefined;
  readonly serverClass: ServerClass | undefined;
  readonly environment: Environment | undefined;
  /** Its newest boot. */
  readonly record: BootRecord | undefined;
}

export async function surroundingsOf(client: Client, server: Server): Promise<Surroundings> {
  const find = <T extends KubeObject>(kind: KindRef<T>, name: string | undefined): Promise<T | undefined> =>
    name === undefined ? Promise.resolve(undefined) : client.for(kind).get(name).catch(undefinedIfGone);
  const name = server.metadata.name!;
  const binding = await find(ServerBinding, name);
  const serverClass = await find(ServerClass, binding?.spec?.serverClassRef?.name);
  const own = server.spec?.environmentRef?.name ?? serverClass?.spec?.environmentRef?.name;
  const environment = await find(Environment, own ?? DEFAULT_ENVIRONMENT);
  const records = await client.for(BootRecord).listAll({ labelSelector: `${MACHINE_LABEL}=${name}` });
  const started = ({ status }: BootRecord): number => Date.parse(status?.startedAt ?? "") || 0;
  const record = records.items.toSorted((a, b) => started(a) - started(b)).at(-1);
  return { server, binding, serverClass, environment, record };
}

/** Its agent said hello in its newest boot, and has not gone. */
export function isInAgent({ record }: Surroundings): boolean {
  const { phase, endedAt, sightings = [] } = record?.status ?? {};
  if ((phase !== "agent" && phase !== "registered") || endedAt !== undefined) return false;
  return sightings.findLast(({ what }) => what === "agent.hello" || what === "agent.gone")?.what === "agent.hello";
}

export interface ScriptDefaults {
  readonly diskMethod: DiskMethod;
  readonly digest: Digest;
}

/** What its boot script would say where it is sent `into`; the Server is taken to be as far as that. */
export function scriptFor(into: Into, surroundings: Surroundings, defaults: ScriptDefaults): BootDecision {
  const { server, binding, serverClass, environment } = surroundings;
  const { conditions = [], ...status } = server.status ?? {};
  const others = conditions.filter(({ type }) => type !== "PXEBooted");
  const isHeld = into === "environment" || (into === "disk" && binding !== undefined);
  const supposed: Server = {
    ...server,
    spec: { ...server.spec, accepted: true },
    status: {
      ...status,
      phase: isHeld ? "Allocated" : into === "agent" ? "Discovered" : "Held",
      conditions: into === "disk" ? conditions : others,
    },
  };
  const { system, network, architecture } = server.spec?.hardware ?? {};
  const mac = network?.interfaces?.find((each) => each.mac !== undefined)?.mac;
  const inventory: Inventory = {
    isComplete: true,
    server: (name) => (name === server.metadata.name ? supposed : undefined),
    serversByMac: (asked) => (asked === mac ? [supposed] : []),
    binding: () => (isHeld ? binding : undefined),
    serverClass: () => serverClass,
    environment: () => environment,
  };
  const asker = {
    uuid: system?.uuid?.toLowerCase() ?? server.metadata.name!,
    ...(mac !== undefined && { mac }),
    ...(system?.serialNumber !== undefined && { serial: system.serialNumber }),
    architecture: architecture ?? ("amd64" satisfies BootArchitecture),
    address: "",
  };
  return decideBoot(asker, inventory, defaults);
}

function undefinedIfGone(error: unknown): undefined {
  if (!isNotFound(error)) throw error;
}
