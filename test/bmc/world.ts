/** A fleet of fake BMCs under a virtual clock. */
import { createFleet } from "#bmc/fleet.ts";
import type { BmcTarget, Fleet, FleetOptions } from "#bmc/fleet.ts";
import { noCredentials } from "#bmc/credentials.ts";
import type { FleetMetrics } from "#bmc/metrics.ts";
import type { PowerOperation, PowerStep } from "#decide/power.ts";
import type { Sighting } from "#decide/sighting.ts";
import { VirtualClock } from "#io/memory/clock.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import type { MemoryHost } from "#io/memory/network.ts";
import { MemoryNetwork } from "#io/memory/network.ts";
import type { Log } from "#io/log.ts";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import { FakeMachine } from "./fake-bmc.ts";

export const PXE: PowerStep = { do: "boot-once", boot: { device: "pxe", firmware: "uefi" } };
export const power = (action: Extract<PowerStep, { do: "power" }>["action"]): PowerStep => ({ do: "power", action });

export interface World {
  readonly clock: VirtualClock;
  readonly fleet: Fleet;
  readonly network: MemoryNetwork;
  /** Sidero's own. */
  readonly host: MemoryHost;
  /** By address. */
  readonly machines: Map<string, FakeMachine>;
  /** Values of Secrets by `namespace/name/key`. */
  readonly secrets: Map<string, string>;
  /** What drivers were made for. */
  readonly made: BmcTarget[];
  readonly sightings: Sighting[];
  /** `warn many BMCs …` */
  readonly lines: string[];
  /** Every name that the fleet has told, in order. */
  readonly told: string[];
  readonly counted: Map<string, number>;
  /** A machine `m1` with a BMC at 10.0.0.1, which is followed. */
  machine(name: string, address: string): FakeMachine;
  begin(name: string, id: string, steps: readonly PowerStep[], urgency?: PowerOperation["urgency"]): void;
  seconds(count: number): Promise<void>;
}

export function serverOf(name: string, endpoint: string, rest: NonNullable<Server["spec"]>["bmc"] | object = {}): Server {
  return {
    apiVersion: "metal.sidero.dev/v1alpha2",
    kind: "Server",
    metadata: { name },
    spec: { accepted: true, bmc: { endpoint, user: "admin", pass: "right", ...rest } },
  };
}

export function startWorld(settings: FleetOptions["settings"] = {}): World {
  const clock = new VirtualClock();
  const machines = new Map<string, FakeMachine>();
  const secrets = new Map<string, string>();
  const made: BmcTarget[] = [];
  const sightings: Sighting[] = [];
  const lines: string[] = [];
  const told: string[] = [];
  const counted = new Map<string, number>();
  const network = new MemoryNetwork();
  const host = network.host();
  const { openUdp, interfaces } = host;
  const say = (level: string) => (message: string, facts?: object) =>
    void lines.push(`${level} ${message} ${JSON.stringify(facts)}`);
  const log: Log = { error: say("error"), warn: say("warn"), info: say("info"), debug: say("debug"), with: () => log };
  const keep = (name: string) => ({
    add: (labels: object, amount = 1) => {
      const key = `${name} ${Object.values(labels).join(" ")}`;
      counted.set(key, (counted.get(key) ?? 0) + amount);
    },
    set: (labels: object, value: number) => counted.set(`${name} ${Object.values(labels).join(" ")}`, value),
    observe: () => {},
  });
  const metrics: FleetMetrics = { counter: keep, gauge: keep, histogram: keep };
  const fleet = createFleet({
    makeBmc: (target) => {
      made.push(target);
      const host = target.address.protocol === "ipmi" ? target.address.host : "";
      return machines.get(host)!.bmc(target);
    },
    readSecret: async (reference) => {
      const value = secrets.get(`${reference.namespace}/${reference.name}/${reference.key}`);
      if (value === undefined) throw noCredentials(reference, "does not exist");
      return value;
    },
    openUdp,
    interfaces,
    clock,
    entropy: new SeededEntropy(1),
    log,
    metrics,
    witness: (sighting) => void sightings.push(sighting),
    settings,
  });
  fleet.onChange((machine) => void told.push(machine));
  return {
    clock,
    fleet,
    network,
    host,
    machines,
    secrets,
    made,
    sightings,
    lines,
    told,
    counted,
    machine(name, address) {
      const machine = new FakeMachine(clock);
      machines.set(address, machine);
      fleet.follow(serverOf(name, address), "");
      return machine;
    },
    begin: (name, id, steps, urgency = "lifecycle") => fleet.begin(name, { id, steps, urgency, because: "to be tested" }),
    seconds: (count) => clock.advance(count * 1000),
  };
}
