/**
 * The ATA Security feature set: a disk erases itself only for someone who has set a password, and stays locked by it when it loses power on the way.
 * The password is therefore no secret: it is in the code and told before it is set, and any later agent takes it away again.
 */
import type { Block } from "#io/block.ts";
import type { Identity } from "#wire/ata/decode.ts";
import {
  securityDisablePassword,
  securityErasePrepare,
  securityEraseUnit,
  securitySetPassword,
  securityUnlock,
} from "#wire/ata/encode.ts";
import { identityOf } from "./identity.ts";
import { notErased } from "./ports.ts";
import type { ErasePorts } from "./ports.ts";

export const PASSWORD = "sidero-erase";
/** Where a disk does not say how long it takes. */
const LONGEST_MINUTES = 24 * 60;

/** Takes our own password away that an interrupted erasure left behind. What was done, in words; undefined when there was nothing to do, or it is not ours. */
export function recoverPassword(block: Block, { security }: Identity): string | undefined {
  if (!security.enabled || security.frozen || security.expired) return undefined;
  // One attempt: after five wrong ones a disk takes none any more.
  if (security.locked && !isGood(block, securityUnlock(PASSWORD))) return undefined;
  if (!isGood(block, securityDisablePassword(PASSWORD))) return undefined;
  return "an earlier erasure was interrupted; its password was taken away";
}

/** Throws Fault `agent.not-erased`; the password is taken away again where the disk still lets us. */
export function securityErase(enhanced: boolean, { block, tell }: ErasePorts): void {
  const identity = identityOf(block);
  if (identity === undefined) throw notErased("it no longer says what it is");
  const minutes = (enhanced ? identity.enhancedMinutes : identity.eraseMinutes) ?? LONGEST_MINUTES;
  const detail = `its ATA password is "${PASSWORD}" until it is erased, which takes up to ${minutes} minutes`;
  tell({ state: "wiping", percent: 1, method: `ata-security-erase${enhanced ? "-enhanced" : ""}`, detail });
  if (!isGood(block, securitySetPassword(PASSWORD))) throw notErased("it took no password");
  // Twice what it says, and some: some disks are optimists.
  const timeout = Math.min(2 ** 31, (2 * minutes + 60) * 60_000);
  const isErased = isGood(block, securityErasePrepare()) && isGood(block, securityEraseUnit(PASSWORD, { enhanced, timeout }));
  const after = identityOf(block)?.security;
  if (isErased && after?.enabled !== true) return;
  const isOpen = after?.enabled === false || isGood(block, securityDisablePassword(PASSWORD));
  throw notErased(`it refused to erase itself${isOpen ? "" : `, and its ATA password is now "${PASSWORD}"`}`);
}

function isGood(block: Block, command: Parameters<Block["scsi"]>[0]): boolean {
  return block.scsi(command).status === 0;
}
