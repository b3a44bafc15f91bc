/** Questions that a disk may not understand. */
import type { Block } from "#io/block.ts";
import { Fault } from "#std/fault.ts";
import { decodeIdentity } from "#wire/ata/decode.ts";
import type { Identity } from "#wire/ata/decode.ts";
import { identifyDevice } from "#wire/ata/encode.ts";

/** Undefined for what is no ATA disk. */
export function identityOf(block: Block): Identity | undefined {
  return asked(() => {
    const { status, data } = block.scsi(identifyDevice());
    return status === 0 ? decodeIdentity(data) : undefined;
  });
}

/** Undefined where the disk, or its driver, does not know. */
export function asked<T>(ask: () => T): T | undefined {
  try {
    return ask();
  } catch (error) {
    if (Fault.is(error)) return undefined;
    throw error;
  }
}
