/**
 * Whom to take for a machine's BMC: one whose certificate is the expected one; else one whose certificate verifies; else the one that was seen
 * first, which is said loudly. A different certificate later is refused, before a password is told to it.
 */
import type { Judge, ShownCertificate } from "#io/http.ts";
import type { Log } from "#io/log.ts";
import { bmcFault } from "../fault.ts";

export interface PinOptions {
  /** How people call it, for messages. */
  readonly name: string;
  /** What it has to be (`spec.bmc.fingerprint`): goes before everything. SHA-256, lower-case hexadecimal. */
  readonly expected?: string | undefined;
  /** What was seen first (`status.bmc.fingerprint`). */
  readonly known?: string | undefined;
  readonly log: Log;
  /** Called when a certificate is taken for the first time because nothing speaks against it; to be kept. */
  readonly onPin?: ((fingerprint: string) => void) | undefined;
}

export function createPin({ name, expected, known, log, onPin }: PinOptions): Judge {
  let pinned = known;
  return ({ fingerprint, isVerified, problem }: ShownCertificate) => {
    if (expected !== undefined) {
      if (fingerprint !== expected) throw changed(name, expected, fingerprint, "spec.bmc.fingerprint wants");
      return;
    }
    if (isVerified) return;
    if (pinned === undefined) {
      pinned = fingerprint;
      log.warn("the BMC's certificate cannot be verified and is trusted from now on, as it is the first one seen", {
        bmc: name,
        fingerprint,
        problem,
      });
      onPin?.(fingerprint);
      return;
    }
    if (fingerprint !== pinned) throw changed(name, pinned, fingerprint, "the one known is");
  };
}

function changed(name: string, known: string, shown: string, which: string): Error {
  return bmcFault(
    "untrusted",
    `${name} shows another certificate: ${which} ${known}, it shows ${shown}; ` +
      "if it was renewed, put the new one into spec.bmc.fingerprint",
    { facts: { known, shown } },
  );
}
