/**
 * Which number the account gets. Makers differ in what a free one looks like: a name of zeros (Supermicro, Dell), "(Empty User)" (HPE iLO 5,
 * siderolabs/sidero#1078), a refusal to say (0xcc of AMI's), names of 0xff (fresh flash).
 */
import type { UserSlot } from "./found.ts";

/**
 * The account, and the other one that it alternates with when its password is changed: the old one stays good until the new one is proven. Letters and
 * digits only, letters first: Inspur's BMCs and others take nothing else.
 */
export const ACCOUNTS = ["sidero", "sidero2"] as const;
export type AccountName = (typeof ACCOUNTS)[number];

export function isAccount(name: string | undefined): name is AccountName {
  return (ACCOUNTS as readonly (string | undefined)[]).includes(name);
}

/** Whose turn it is when `current` gets a new password. */
export function otherAccount(current: string | undefined): AccountName {
  return current === ACCOUNTS[0] ? ACCOUNTS[1] : ACCOUNTS[0];
}

/** The anonymous user, which must not get a password of ours. */
const ANONYMOUS = 1;
const EMPTY = new Set(["", "(empty user)", "<empty>", "null", "(null)", "disabled"]);

export function isEmpty({ name }: UserSlot): boolean {
  return (
    name === undefined ||
    EMPTY.has(
      name
        .replaceAll(/[\s\xff]+/g, " ")
        .trim()
        .toLowerCase(),
    )
  );
}

/**
 * Numbers for the account `name`, in the order in which to try them: the one that has the name; then free ones, those for certain before those that would
 * not say, and those that are switched off first. A BMC may refuse to name one all the same: then it is the next one's turn.
 */
export function slotsFor(name: string, slots: readonly UserSlot[]): UserSlot[] {
  const named = slots.filter((slot) => slot.name === name && slot.id !== ANONYMOUS);
  if (named.length > 0) return named.slice(0, 1);
  const free = slots.filter((slot) => slot.id !== ANONYMOUS && !slot.isFixed && isEmpty(slot));
  const rank = ({ name: has, isEnabled }: UserSlot): number => (has === undefined ? 2 : 0) + (isEnabled === true ? 1 : 0);
  return free.toSorted((a, b) => rank(a) - rank(b) || a.id - b.id);
}

/** Accounts of ours that are not `current`: what is left of an earlier password. */
export function leftovers(current: string, slots: readonly UserSlot[]): UserSlot[] {
  return slots.filter(({ id, name }) => id !== ANONYMOUS && name !== current && isAccount(name));
}
