/** Puts boards on a network, each with the protocol of its model, in front of which its faults stand. */
import type { Clock } from "#io/clock.ts";
import { sleep } from "#io/clock.ts";
import type { Entropy } from "#io/entropy.ts";
import type { MemoryNetwork } from "#io/memory/network.ts";
import type { Handler, Incoming, Listen, Outgoing } from "#io/serve.ts";
import type { OpenUdp } from "#io/udp.ts";
import type { Web } from "../web.ts";
import type { Board } from "./board.ts";
import { createHttpPowerHandler } from "./http-power/handler.ts";
import { bootOf, ipmiOptions } from "./ipmi-board.ts";
import { serveIpmi } from "./ipmi/serve.ts";
import { createRedfishHandler } from "./redfish/handler.ts";

export interface BmcPorts {
  readonly ipmi: number;
  readonly redfish: number;
  readonly power: number;
}

export interface AttachOptions {
  readonly board: Board;
  readonly openUdp: OpenUdp;
  readonly listen: Listen;
  readonly ports: BmcPorts;
  readonly clock: Clock;
  readonly entropy: Entropy;
}

/** The switch of the BMCs. */
export const MANAGEMENT = "management";
/** Those that everybody has; of the power API, that of Talos' launcher of virtual machines. */
export const USUAL_PORTS: BmcPorts = { ipmi: 623, redfish: 80, power: 34791 };
const LIMITS = { headers: 10_000, idle: 60_000, buffered: 1024 * 1024, stalled: 30_000 };

/** On the simulated switch. */
export async function plugIn(
  board: Board,
  { network, web, clock, entropy }: { network: MemoryNetwork; web: Web; clock: Clock; entropy: Entropy },
): Promise<void> {
  const host = network.host();
  host.connect(MANAGEMENT, "bmc", [`${board.address}/16`]);
  await attach({ board, openUdp: host.openUdp, listen: web.listenAt(board.address), ports: USUAL_PORTS, clock, entropy });
}

/** Resolves to what ends it. */
export async function attach(options: AttachOptions): Promise<() => Promise<void>> {
  const { board, ports, clock, entropy, openUdp } = options;
  const { bmc } = board.machine.identity.model;
  if (bmc === "ipmi") {
    const served = await serveIpmi({ ...ipmiOptions(board, clock, entropy), openUdp, host: board.address, port: ports.ipmi });
    board.machine.systemInterface = served.bmc.channel;
    board.machine.askBoard = () => {
      const flags = served.bmc.takeBoot();
      return flags === undefined || board.faults.forgetsBootOnce ? undefined : bootOf(flags);
    };
    return () => served.close();
  }
  if (bmc === "http") return await serve(options, ports.power, createHttpPowerHandler(board));
  return await serve(options, ports.redfish, createRedfishHandler({ machine: board, token: () => entropy.uuid() }));
}

async function serve({ board, listen, clock }: AttachOptions, port: number, handler: Handler): Promise<() => Promise<void>> {
  const listener = await listen({ host: board.address, port, limits: LIMITS }, async (incoming) => {
    return (await misbehave(board, clock, incoming)) ?? (await handler(incoming));
  });
  return () => listener.close();
}

/** An answer of its own, or none; it may take its time, or for ever. */
async function misbehave({ faults }: Board, clock: Clock, { method, target }: Incoming): Promise<Outgoing | undefined> {
  if (faults.hangs) return await new Promise(() => {});
  if (faults.late > 0) await sleep(clock, faults.late);
  const isLogin = method === "POST" && target.endsWith("/Sessions");
  return faults.isFull && isLogin ? { status: 503, headers: {}, body: [] } : undefined;
}
