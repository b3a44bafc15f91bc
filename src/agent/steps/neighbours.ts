/** Who is at the other ends of the cables: switches say it every half minute (LLDP). */
import type { Clock } from "#io/clock.ts";
import { sleep } from "#io/clock.ts";
import type { Log } from "#io/log.ts";
import type { Machine } from "#io/machine.ts";
import type { OpenPackets, PacketSocket } from "#io/packet.ts";
import { toLatin1 } from "#std/bytes.ts";
import { Fault } from "#std/fault.ts";
import { ETHER_TYPE, NEAREST_BRIDGE } from "#wire/lldp/constants.ts";
import { decode } from "#wire/lldp/decode.ts";
import type { Neighbours } from "./hardware/interfaces.ts";

/** Milliseconds between two looks. */
const LOOK = 1_000;

export interface NeighbourOptions {
  readonly machine: Machine;
  readonly clock: Clock;
  readonly log: Log;
  readonly open: OpenPackets;
  readonly signal?: AbortSignal;
}

interface Listener {
  readonly name: string;
  readonly socket: PacketSocket;
}

/** Listens on every interface with a device behind it, for ever; the map is filled as they speak. The promise never rejects. */
export function listenToNeighbours(options: NeighbourOptions): { readonly neighbours: Neighbours; readonly over: Promise<void> } {
  const neighbours = new Map<string, NonNullable<ReturnType<Neighbours["get"]>>>();
  const listen = async (): Promise<void> => {
    const listeners = await openAll(options);
    try {
      for (;;) {
        for (const listener of listeners) hear(listener, neighbours, options.log);
        await sleep(options.clock, LOOK, options.signal);
      }
    } catch (error) {
      if (options.signal?.aborted !== true) options.log.warn(`no longer listening to neighbours: ${Fault.from(error).message}`);
    } finally {
      for (const { socket } of listeners) socket.close();
    }
  };
  return { neighbours, over: listen() };
}

async function openAll({ machine, log, open }: NeighbourOptions): Promise<Listener[]> {
  const listeners: Listener[] = [];
  for (const name of await machine.list("/sys/class/net")) {
    const index = Number(toLatin1((await machine.read(`/sys/class/net/${name}/ifindex`)) ?? new Uint8Array()).trim());
    if ((await machine.resolve(`/sys/class/net/${name}/device`)) === undefined || !(index > 0)) continue;
    try {
      listeners.push({ name, socket: open({ index, etherType: ETHER_TYPE, group: NEAREST_BRIDGE }) });
    } catch (error) {
      log.warn(`cannot listen to the neighbour of ${name}: ${Fault.from(error).message}`);
    }
  }
  return listeners;
}

/** Frames that are no LLDP are passed over; time to live 0 takes the neighbour away. */
function hear({ name, socket }: Listener, neighbours: Map<string, NonNullable<ReturnType<Neighbours["get"]>>>, log: Log): void {
  for (const frame of socket.take()) {
    try {
      const {
        chassis,
        port,
        portDescription = "",
        systemName = "",
        vlan = 0,
        managementAddress = "",
        timeToLive,
      } = decode(frame);
      if (timeToLive === 0) neighbours.delete(name);
      else neighbours.set(name, { chassis, port, portDescription, systemName, vlan, managementAddress });
    } catch (error) {
      if (!Fault.is(error)) throw error;
      log.warn(`${name}: ${error.message}`);
    }
  }
}
