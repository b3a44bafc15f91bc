/**
 * The set-up of the machine's BMC: an account that the server has logged in with over the network before it counts as done. Whatever happens on the way, the
 * server has every password on record that the BMC may have, and one that works stays until another one is proven.
 */
import type { UserSlot, Way } from "#decide/bmc-setup/found.ts";
import { makerOf, passwordOf } from "#decide/bmc-setup/password.ts";
import { ACCOUNTS, isAccount, leftovers, otherAccount, slotsFor } from "#decide/bmc-setup/slots.ts";
import { noWay, waysOf } from "#decide/bmc-setup/ways.ts";
import type { Clock } from "#io/clock.ts";
import { sleep } from "#io/clock.ts";
import type { IpmiDevice, OpenIpmiDevice } from "#io/ipmi-device.ts";
import type { Log } from "#io/log.ts";
import { Fault } from "#std/fault.ts";
import { admit, claimSlot, retire, setPassword } from "./account.ts";
import { createAsking } from "./asking.ts";
import type { Asking } from "./asking.ts";
import { describe, lookAtBmc } from "./look.ts";
import type { FoundBmc } from "./look.ts";
import { openNetwork } from "./network.ts";
import type { BmcServer, Proof, Standing } from "./server.ts";

export interface BmcSetupOptions {
  readonly open: OpenIpmiDevice;
  readonly server: BmcServer;
  readonly clock: Clock;
  readonly log: Log;
  /** Random bytes. */
  readonly bytes: (length: number) => Uint8Array;
  /** A new password also when the one on record works. */
  readonly rotate: boolean;
  readonly signal: AbortSignal;
}

/** Milliseconds between looks for a BMC. */
const OPEN_WAITS = [1_000, 2_000, 4_000, 8_000] as const;
/** Milliseconds between looks at a BMC that has no address yet. */
const ADDRESS_WAITS = [5_000, 10_000, 15_000, 30_000] as const;
/** Milliseconds before each round of logging in: BMCs answer "done" and go on writing. */
const PROOF_WAITS = [0, 2_000, 8_000, 20_000] as const;

/**
 * Resolves to what came of it, for people. Rejects with Fault `agent.bmc` (world), whose `retry` says whether trying again can help, with `ipmi.*` and
 * `io.*` of the BMC, or with the ConnectError of the server.
 */
export async function setUpBmc(options: BmcSetupOptions): Promise<string> {
  const device = await openSoon(options);
  if (device === undefined) return "this machine has no BMC that its firmware tells of";
  try {
    const asking = createAsking(device, options.clock, options.signal);
    const found = await lookUntilAddressed(asking, options);
    const standing = await options.server.offer(waysOf(found.channels), describe(found));
    if (standing.state === "unreachable") throw failed(`the server does not reach the BMC: ${standing.detail}`, "later");
    if (standing.state === "works" && !options.rotate) {
      await retireOthers(asking, found, standing.user, options.log);
      return `the account ${standing.user} works`;
    }
    const { user, way } = await makeAccount({ ...options, asking, found, standing });
    await retireOthers(asking, await lookAtBmc(asking), user, options.log);
    return `the account ${user} was made, and the server has logged in with it at ${way.address}`;
  } finally {
    await device.close();
  }
}

/** The driver has been loaded a moment ago, and asks the BMC a few things before it makes the device. */
async function openSoon({ open, clock, signal }: BmcSetupOptions): Promise<IpmiDevice | undefined> {
  for (const wait of OPEN_WAITS) {
    const device = await open();
    if (device !== undefined) return device;
    await sleep(clock, wait, signal);
  }
  return await open();
}

/** DHCP of a BMC that has just got power takes a while. */
async function lookUntilAddressed(asking: Asking, { clock, log, signal }: BmcSetupOptions): Promise<FoundBmc> {
  for (let look = 0; ; look++) {
    const found = await lookAtBmc(asking);
    const problem = noWay(found.channels);
    if (problem === undefined) {
      log.info(`BMC: ${describe(found)}`);
      return found;
    }
    const wait = ADDRESS_WAITS[look];
    if (!problem.mayCome) throw failed(problem.text, "never");
    if (wait === undefined) throw failed(problem.text, "later");
    log.info(`${problem.text}; looking again in ${wait / 1000} s`);
    await sleep(clock, wait, signal);
  }
}

interface Making extends BmcSetupOptions {
  readonly asking: Asking;
  readonly found: FoundBmc;
  readonly standing: Standing;
}

async function makeAccount(making: Making): Promise<{ readonly user: string; readonly way: Way }> {
  const { asking, found, server, bytes, log } = making;
  const { user, slot } = await claim(making);
  let problem = "the BMC takes no password that we know how to make";
  for (const form of makerOf(found.manufacturer).forms) {
    const password = passwordOf(form, bytes);
    await server.prepare(user, password);
    if (!(await setPassword(asking, slot, { user, password, form }))) {
      log.warn(`the BMC refuses a password of ${form.length} characters with ${form.classes.join(", ")}`);
      continue;
    }
    for (const { number } of await admit(asking, slot, found.channels)) log.warn(`channel ${number} does not take the account`);
    for (const remark of await openNetwork(asking, found.channels)) log.warn(remark);
    const { way, proof } = await prove(making, user, password);
    if (way !== undefined) return { user, way };
    problem = `the server cannot log in: ${proof?.detail ?? "nobody was asked"}`;
    if (proof?.state !== "denied") throw failed(problem, "later");
    log.warn(`${problem}; trying another password`);
  }
  throw failed(problem, "later");
}

/** Which account it becomes. One that works stays as it is, if the BMC has room for two. */
async function claim({ asking, found: { slots }, standing, log }: Making): Promise<{ user: string; slot: number }> {
  const { state, user: known } = standing;
  const first = isAccount(known) ? known : ACCOUNTS[0];
  // Where nothing works the first will do, and what is left of the other as well.
  const names = state === "works" ? [otherAccount(known)] : [first, otherAccount(first)];
  for (const user of names) {
    const slot = await claimSlot(asking, slotsFor(user, slots), user);
    if (slot !== undefined) return { user, slot };
  }
  const own = state === "works" ? slots.find(({ name }) => name === known) : undefined;
  if (own === undefined) throw failed(`the BMC has no room for another user (${taken(slots)})`, "later");
  log.info("the BMC has room for one account of ours only: its password is changed in place");
  return { user: known, slot: own.id };
}

function taken(slots: readonly UserSlot[]): string {
  const fixed = slots.filter(({ isFixed }) => isFixed).length;
  return `${slots.length} besides the anonymous one${fixed === 0 ? "" : `, ${fixed} of them fixed`}`;
}

/** Has the server try all ways, and again: `way` is the one that leads there. */
async function prove(making: Making, user: string, password: string): Promise<{ way?: Way; proof?: Proof }> {
  const { found, server, clock, log, signal } = making;
  let denied = 0;
  let last: Proof | undefined;
  for (const wait of PROOF_WAITS) {
    if (wait > 0) await sleep(clock, wait, signal);
    let refusal: Proof | undefined;
    for (const way of waysOf(found.channels)) {
      const proof = await server.prove(way, user, password);
      if (proof.state === "proven") return { way };
      log.warn(`no login at ${way.address}: ${proof.detail}`);
      if (proof.state === "denied") refusal = proof;
      last = proof;
    }
    // Twice, not more: many lock an account that is knocked at too often.
    if (refusal !== undefined && ++denied === 2) return { proof: refusal };
  }
  return last === undefined ? {} : { proof: last };
}

async function retireOthers(asking: Asking, { slots, channels }: FoundBmc, current: string, log: Log): Promise<void> {
  for (const { id, name } of leftovers(current, slots)) {
    if (await retire(asking, id, channels)) log.info(`the account ${name} is closed`);
    else log.warn(`the account ${name} cannot be closed`);
  }
}

function failed(message: string, retry: Fault["retry"]): Fault {
  return new Fault("agent.bmc", message, { fault: "world", retry });
}
