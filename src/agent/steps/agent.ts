/** The agent: whatever happens, it calls the server again. Only orders, or an upstream server, end it. */
import { Code, ConnectError } from "@connectrpc/connect";
import { sleep } from "#io/clock.ts";
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
      const { wipe, setupBmc } = await register(options, memory);
      if (wipe) log.warn("the server asks for the disks to be wiped; this agent does not, it has no order");
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
