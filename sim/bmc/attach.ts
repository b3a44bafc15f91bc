/** Puts boards on the management network, each with the protocol of its model, in front of which its faults stand. */
import type { Clock } from "#io/clock.ts";
import { sleep } from "#io/clock.ts";
import type { Entropy } from "#io/entropy.ts";
import type { Handler, Incoming, Outgoing } from "#io/serve.ts";
import type { Web } from "../web.ts";
import type { Board } from "./board.ts";
import { createHttpPowerHandler } from "./http-power/handler.ts";
import { createRedfishHandler } from "./redfish/handler.ts";

export interface AttachOptions {
  readonly board: Board;
  readonly web: Web;
  readonly clock: Clock;
  readonly entropy: Entropy;
}

const NO_LIMITS = { headers: 0, idle: 0, buffered: 1024 * 1024, stalled: 0 };

export async function attach(options: AttachOptions): Promise<void> {
  const { bmc } = options.board.machine.identity.model;
  await (bmc === "http" ? attachHttpPower(options) : attachRedfish(options));
}

async function attachRedfish({ board, web, clock, entropy }: AttachOptions): Promise<void> {
  const handler = createRedfishHandler({
    machine: board,
    token: () => entropy.uuid(),
    before: (incoming) => misbehave(board, clock, incoming),
  });
  await listen(board, web, 80, handler);
}

/** On the port that Talos' launcher of virtual machines takes. */
export const HTTP_POWER_PORT = 34791;

async function attachHttpPower({ board, web, clock }: AttachOptions): Promise<void> {
  const handler = createHttpPowerHandler(board);
  await listen(
    board,
    web,
    HTTP_POWER_PORT,
    async (incoming) => (await misbehave(board, clock, incoming)) ?? (await handler(incoming)),
  );
}

async function listen({ address }: Board, web: Web, port: number, handler: Handler): Promise<void> {
  await web.listenAt(address)({ host: address, port, limits: NO_LIMITS }, handler);
}

/** An answer of its own, or none; it may take its time, or for ever. */
async function misbehave({ faults }: Board, clock: Clock, { method, target }: Incoming): Promise<Outgoing | undefined> {
  if (faults.hangs) return await new Promise(() => {});
  if (faults.late > 0) await sleep(clock, faults.late);
  const isLogin = method === "POST" && target.endsWith("/Sessions");
  return faults.isFull && isLogin ? { status: 503, headers: {}, body: [] } : undefined;
}
