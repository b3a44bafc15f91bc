/** An account on the BMC that can log in by network as administrator: made, changed, taken away. Each step may be done again. */
import type { LanChannel, UserSlot } from "#decide/bmc-setup/found.ts";
import type { PasswordForm } from "#decide/bmc-setup/password.ts";
import { Fault } from "#std/fault.ts";
import { setUserName, setUserPassword, setUserPayloadAccess, setUserAccess } from "#wire/ipmi/app/user.ts";
import { NO_ACCESS, PRIVILEGE } from "#wire/ipmi/constants.ts";
import type { Asking } from "./asking.ts";
import { isRefusal } from "./asking.ts";

export interface Account {
  readonly user: string;
  readonly password: string;
  readonly form: PasswordForm;
}

/**
 * Gives the first of `slots` the name that lets it. Resolves to it; undefined when the BMC lets none. Some have numbers that are locked without saying so
 * (xcat2/xcat-core#6380).
 */
export async function claimSlot(asking: Asking, slots: readonly UserSlot[], user: string): Promise<number | undefined> {
  for (const { id, name } of slots) {
    // Not again: some take that for a second user of the same name.
    if (name === user) return id;
    if (await isTaken(asking.ask(setUserName, { user: id, name: user }))) return id;
  }
  return undefined;
}

/**
 * Sets the password. Resolves to whether the BMC took it: its rules may say otherwise, and some say yes and store something else, which it tells when asked
 * (IPMI 2.0 §22.30, "test password"). Whether it is good by network only the network can tell.
 */
export async function setPassword(asking: Asking, slot: number, { password, form }: Account): Promise<boolean> {
  const question = { user: slot, password, length: form.field };
  if (!(await isTaken(asking.ask(setUserPassword, { ...question, operation: "set" })))) return false;
  try {
    await asking.ask(setUserPassword, { ...question, operation: "test" });
  } catch (error) {
    // Its own codes: another password, another length. Others: it cannot test.
    if (Fault.is(error, "ipmi.refused") && [0x80, 0x81].includes(Number(error.facts["completion"]))) return false;
    if (!isRefusal(error)) throw error;
  }
  return true;
}

/** Lets the account in by the channels. Resolves to the channels that refused. Rejects with `ipmi.*` when all of them did. */
export async function admit(asking: Asking, slot: number, channels: readonly LanChannel[]): Promise<LanChannel[]> {
  const refused: LanChannel[] = [];
  let last: unknown;
  for (const channel of channels) {
    // Not only when called back: Dell's would not let it in otherwise (siderolabs/sidero#535).
    const access = { onlyCallback: false, linkAuthentication: false, messaging: true, privilege: PRIVILEGE.administrator };
    try {
      await asking.ask(setUserAccess, { channel: channel.number, user: slot, ...access });
    } catch (error) {
      if (!isRefusal(error)) throw error;
      last = error;
      refused.push(channel);
    }
  }
  if (refused.length === channels.length) throw last;
  await asking.ask(setUserPassword, { user: slot, operation: "enable" });
  for (const { number } of channels) {
    // The serial console; what cannot do that can still be switched.
    await asking.tryTo(setUserPayloadAccess, { channel: number, user: slot, access: { sol: true } });
  }
  return refused;
}

/** Takes an account of ours away, as far as the BMC lets us. Resolves to whether it can no longer log in. */
export async function retire(asking: Asking, slot: number, channels: readonly LanChannel[]): Promise<boolean> {
  const isDisabled = await isTaken(asking.ask(setUserPassword, { user: slot, operation: "disable" }));
  const access = { onlyCallback: false, linkAuthentication: false, messaging: false, privilege: NO_ACCESS };
  let isLockedOut = true;
  for (const { number } of channels) {
    if (!(await isTaken(asking.ask(setUserAccess, { channel: number, user: slot, ...access })))) isLockedOut = false;
  }
  // A name of zeros makes the number free (§22.28); where that is refused, it is found by its name the next time.
  await asking.tryTo(setUserName, { user: slot, name: "" });
  return isDisabled || isLockedOut;
}

async function isTaken(asked: Promise<void>): Promise<boolean> {
  try {
    await asked;
    return true;
  } catch (error) {
    if (isRefusal(error)) return false;
    throw error;
  }
}
