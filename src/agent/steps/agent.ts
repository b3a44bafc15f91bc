/** The agent: whatever happens, it calls the server again. Only orders, or an upstream server, end it. */
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { sleep } from "#io/clock.ts";
import { Agent } from "#proto/api_pb.js";
import type { AgentOptions } from "./session.ts";
import { converse, createMemory, register } from "./session.ts";

/** Milliseconds between two attempts: doubled each time, up to. */
const BACKOFF = { first: 500, last: 30_000 } as const;
/** A conversation that lasted as long was a good one. */
const GOOD = 10_000;
/**
 * A token that is refused for so long will not be taken any more (it expired while the server was away): only another boot brings a new one.
 * Once in ten minutes is no rebooting in circles.
 */
const REFUSED = 600_000;
/** Seconds that upstream's agent counts down before it reboots. */
const COUNTDOWN = 10;
/** Lines of the kernel's log that go with a failure. */
const KERNEL_LINES = 20;

/** Runs until the machine reboots or is switched off. */
export async function runAgent(options: AgentOptions): Promise<void> {
  const { clock, log, machine } = options;
  const memory = createMemory(options);
  let refusedSince: number | undefined;
  for (let failures = 0; ; failures++) {
    const started = clock.monotonic();
    try {
      await converse(options, memory);
    } catch (reason) {
      const error = ConnectError.from(reason);
      if (error.code === Code.Unimplemented) return await behaveAsUpstream(options);
      if (clock.monotonic() - started > GOOD) failures = 0;
      const isRefused = error.code === Code.Unauthenticated;
      refusedSince = isRefused ? (refusedSince ?? clock.monotonic()) : undefined;
      if (refusedSince !== undefined && clock.monotonic() - refusedSince > REFUSED) {
        log.error("the server has refused this boot's token for ten minutes; rebooting to get another one");
        return await machine.reboot();
      }
      const pause = Math.min(BACKOFF.last, BACKOFF.first * 2 ** Math.min(failures, 10)) * (0.5 + options.chance() / 2);
      log.warn(`${error.message}; trying again in ${(pause / 1000).toFixed(1)} s`);
      if (failures === 0) await tellKernelLog(options);
      await sleep(clock, pause);
    }
  }
}

/** What the kernel said last often explains what went wrong: a link that went down, a driver that gave up. */
async function tellKernelLog({ machine, log }: AgentOptions): Promise<void> {
  const { status, output } = await machine.run("dmesg", []);
  if (status !== 0) return;
  for (const line of output.trimEnd().split("\n").slice(-KERNEL_LINES)) log.info(`kernel: ${line}`);
}

/** Reports hardware and addresses, as upstream's agent, and reboots: nobody can tell it anything else. */
async function behaveAsUpstream(options: AgentOptions): Promise<void> {
  const { clock, log, machine } = options;
  log.info("the server speaks upstream's API only");
  for (let failures = 0; failures < COUNTDOWN; failures++) {
    try {
      const memory = createMemory(options);
      const { server, wipe, insecureWipe, rebootTimeout, setupBmc } = await register(options, memory);
      if (wipe) await wipeForUpstream(options, server || options.identity.uuid, insecureWipe, rebootTimeout);
      if (setupBmc) await memory.bmc.obeyUpstream(memory.caller.uuid);
      break;
    } catch {
      // The step said it.
      await sleep(clock, Math.min(BACKOFF.last, BACKOFF.first * 2 ** failures));
    }
  }
  for (let left = COUNTDOWN; left > 0; left--) {
    log.info(`rebooting in ${left} s`);
    await sleep(clock, 1000);
  }
  await machine.reboot();
}

/** Upstream's servers have no orders: what they say at registration counts, and they want to hear of it all the time. */
async function wipeForUpstream(options: AgentOptions, uuid: string, isFast: boolean, rebootTimeout: number): Promise<void> {
  const { wiper, log, clock, road } = options;
  if (wiper === undefined) return log.warn("the server asks for the disks to be wiped; this agent cannot");
  const client = createClient(Agent, options.transport);
  const over = new AbortController();
  const beat = async (): Promise<void> => {
    // As upstream's: at once, then three times in the time that the server waits.
    while (!over.signal.aborted) {
      await client.heartbeat({ uuid }, { timeoutMs: BACKOFF.last }).catch(() => undefined);
      await sleep(clock, Math.max(5_000, (rebootTimeout * 1000) / 3), over.signal).catch(() => undefined);
    }
  };
  const beating = beat();
  const step = road.begin("wipe");
  try {
    const failures = await wiper.wipeAll(isFast ? "fast" : "full");
    // A disk that may still have something on it must not count as wiped: the server asks again after the reboot.
    if (failures.length > 0) return void step.failed(failures.join("; "));
    await client.markServerAsWiped({ uuid }, { timeoutMs: BACKOFF.last });
    step.done("all disks are wiped");
  } catch (error) {
    step.failed(ConnectError.from(error).message);
  } finally {
    over.abort();
    await beating;
  }
}
