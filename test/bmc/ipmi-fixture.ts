/** A simulated BMC and our client, on memory doors and a clock that goes when it is told. */
import { SensorCatalog } from "#bmc/ipmi/health.ts";
import { IpmiBmc } from "#bmc/ipmi/ipmi.ts";
import type { IpmiDoors, IpmiOptions } from "#bmc/ipmi/ipmi.ts";
import { IpmiSockets } from "#bmc/ipmi/sockets.ts";
import { VirtualClock } from "#io/memory/clock.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import { MemoryNetwork } from "#io/memory/network.ts";
import type { NetworkFaults } from "#io/memory/network.ts";
import { systemCrypto } from "#io/node/crypto.ts";
import type { OpenUdp } from "#io/udp.ts";
import { parseUuid, swapUuid } from "#std/uuid.ts";
import type { Chassis, ChassisAction, SerialLine } from "../../sim/bmc/ipmi/options.ts";
import { serveIpmi } from "../../sim/bmc/ipmi/serve.ts";
import type { ServedIpmi, ServeOptions } from "../../sim/bmc/ipmi/serve.ts";

export const USER = { user: "admin", password: "a good password!" } as const;
/** Of the machine; the BMC sends it as SMBIOS has it. */
export const UUID = "4c4c4544-0035-4a10-8058-b7c04f343733";
const ADDRESS = "10.0.0.9";

/** A machine that does what it is told at once. */
export class TestChassis implements Chassis {
  on = false;
  readonly done: ChassisAction[] = [];
  readonly typed: Uint8Array[] = [];
  breaks = 0;
  #listeners = new Set<(bytes: Uint8Array) => void>();
  readings = new Map<number, number | null>();

  isOn(): boolean {
    return this.on;
  }

  control(action: ChassisAction): void {
    this.done.push(action);
    if (action === "on" || action === "cycle") this.on = true;
    if (action === "off" || action === "soft-off") this.on = false;
  }

  reading(sensor: number): number | null | undefined {
    return this.readings.get(sensor);
  }

  readonly serial: SerialLine = {
    write: (bytes) => void this.typed.push(bytes),
    break: () => void this.breaks++,
    listen: (receive) => {
      this.#listeners.add(receive);
      return () => void this.#listeners.delete(receive);
    },
  };

  print(text: string): void {
    for (const receive of this.#listeners) receive(new TextEncoder().encode(text));
  }

  get text(): string {
    return Buffer.concat(this.typed).toString("latin1");
  }
}

export interface World {
  readonly clock: VirtualClock;
  readonly chassis: TestChassis;
  readonly served: ServedIpmi;
  readonly doors: IpmiDoors;
  /** A client of it; over another door, when one is given. */
  client(options?: Partial<IpmiOptions>, openUdp?: OpenUdp): IpmiBmc;
  /** The door of the client's host. */
  readonly openUdp: OpenUdp;
  /** Lets time pass until `work` has come to an end. Throws when a virtual hour is not enough. */
  finish<T>(work: Promise<T>): Promise<T>;
  /** How many datagrams went to the BMC so far. */
  readonly sent: () => number;
}

export async function makeWorld(
  options: Partial<ServeOptions> = {},
  faults?: Omit<NetworkFaults, "delay"> & { readonly delay?: number },
): Promise<World> {
  const clock = new VirtualClock();
  const network = new MemoryNetwork();
  if (faults !== undefined) {
    const { delay, ...others } = faults;
    network.faults = delay === undefined ? others : { ...others, delay: { clock, milliseconds: delay } };
  }
  const [ours, theirs] = [network.host(), network.host()];
  ours.connect("management", "eth0", ["10.0.0.1/24"]);
  theirs.connect("management", "eth0", [`${ADDRESS}/24`]);
  const chassis = new TestChassis();
  const served = await serveIpmi({
    openUdp: theirs.openUdp,
    host: ADDRESS,
    clock,
    crypto: systemCrypto,
    entropy: new SeededEntropy(1),
    chassis,
    guid: swapUuid(parseUuid(UUID)!),
    users: [
      { name: USER.user, password: USER.password },
      { name: "guest", password: "guest", privilege: 2 },
    ],
    product: { manufacturer: "Maker", name: "Server 9", serial: "SN-9" },
    ...options,
  });
  let sent = 0;
  const doors: IpmiDoors = {
    sockets: new IpmiSockets(async (asked, receive) => {
      const socket = await ours.openUdp(asked, receive);
      return {
        ...socket,
        send: (bytes, to) => {
          sent++;
          return socket.send(bytes, to);
        },
      };
    }),
    catalog: new SensorCatalog(),
    clock,
    crypto: systemCrypto,
    entropy: new SeededEntropy(2),
    resolve: async (host) => host,
  };
  return {
    clock,
    chassis,
    served,
    doors,
    client: (given = {}, openUdp) => {
      const used = openUdp === undefined ? doors : { ...doors, sockets: new IpmiSockets(openUdp) };
      return new IpmiBmc(used, { host: ADDRESS, credentials: USER, ...given });
    },
    openUdp: ours.openUdp,
    sent: () => sent,
    finish: async (work) => {
      let isOver = false;
      const watch = work.finally(() => (isOver = true));
      watch.catch(() => {});
      for (let passed = 0; !isOver; passed += 20) {
        if (passed > 3_600_000) throw new Error("an hour has passed");
        await clock.advance(20);
      }
      return watch;
    },
  };
}

export const NEVER: AbortSignal = new AbortController().signal;
