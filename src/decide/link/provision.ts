/**
 * Whether a machine that calls Provision gets a tunnel, and which. Upstream lets whoever knows a UUID take over that machine's tunnel
 * (Q31). Here a key is pinned to the boot that proved itself: by the boot token in the `siderolink.api` kernel argument, which was handed
 * out for this boot only, and by the node-unique token, which a machine keeps on its disk across boots that bring no new boot token.
 */
import { canonicalBase64 } from "#std/base64.ts";
import { formatUuid, parseUuid } from "#std/uuid.ts";
import type { LinkNetwork } from "./address.ts";
import { readAddress, withLength } from "./address.ts";

export interface ProvisionCall {
  readonly uuid: string;
  readonly publicKey: string;
  readonly uniqueToken?: string;
}

/** What the join token has shown; who reads it has checked its seal. Its end is not looked at: a machine boots from disk with it for years. */
export type Proof =
  | { readonly is: "none" }
  /** A token that is malformed, of another purpose, or not ours. */
  | { readonly is: "refused"; readonly problem: string }
  /** The installation's token for machines that no boot of ours has started (`--siderolink-guests`). */
  | { readonly is: "guest" }
  /** UUID of the machine and of the boot it was made for, and when that was (milliseconds since 1970). */
  | { readonly is: "boot"; readonly uuid: string; readonly boot: string; readonly issued: number };

/** What is kept of the last Provision that was granted to this machine. It goes when the Server is released or wiped. */
export interface Pin {
  readonly publicKey: string;
  readonly uniqueToken?: string;
  readonly boot?: string;
  /** Of the boot token, milliseconds since 1970. */
  readonly issued?: number;
}

export interface ProvisionFacts {
  readonly network: LinkNetwork;
  readonly proof: Proof;
  /** Calls without a token are let in: as upstream has it, for sites that trust their network. */
  readonly isOpen: boolean;
  /** There is a Server of this UUID, and it was accepted. */
  readonly server: "unknown" | "discovered" | "accepted";
  /** Its ServerBinding holds it: not deleted, nor about to be. */
  readonly binding?: { readonly address?: string } | undefined;
  readonly pin?: Pin;
  /** Milliseconds since the last handshake of the pinned key; none when there was none, or nobody knows. */
  readonly silentFor?: number;
  /** Machine that has this key now, when it is another one. */
  readonly keyOf?: string;
  /** The stable address of `addressOf`. */
  readonly address: string;
}

/** Machines of a cluster, and all others: their events touch no binding, and they see nothing but the sink and the log receiver. */
export type Role = "machine" | "guest";
export type RefusalCode = "invalid_argument" | "not_found" | "permission_denied" | "unavailable";

export type Provision =
  | {
      readonly is: "granted";
      readonly role: Role;
      /** With prefix length, for the answer and for `spec.siderolink.address`. */
      readonly address: string;
      readonly pin: Pin;
      /** What is on record is something else and has to be written before the answer goes out. */
      readonly isNew: boolean;
    }
  | { readonly is: "refused"; readonly code: RefusalCode; readonly reason: string; readonly message: string };

/** WireGuard gives up a session that long after its last handshake (REJECT_AFTER_TIME); a live peer never is silent for longer. */
export const SILENT = 180_000;
const LONGEST_TOKEN = 512;

export function decideProvision(call: ProvisionCall, facts: ProvisionFacts): Provision {
  const uuid = parseUuid(call.uuid);
  if (uuid === undefined) return refused("invalid_argument", "BadUUID", "node_uuid is no UUID");
  if (!isPublicKey(call.publicKey)) return refused("invalid_argument", "BadKey", "node_public_key is no WireGuard key");
  if ((call.uniqueToken?.length ?? 0) > LONGEST_TOKEN)
    return refused("invalid_argument", "BadUniqueToken", `node_unique_token is longer than ${LONGEST_TOKEN} characters`);
  // Before anything is told of what exists: a caller without a token learns nothing of which machines there are.
  const unproven = proofProblem(formatUuid(uuid), facts);
  if (unproven !== undefined) return unproven;
  if (facts.proof.is === "guest" && facts.binding !== undefined && facts.server === "accepted")
    return refused("permission_denied", "NoGuest", "this machine belongs to a cluster, and joins with the token of its boot");
  if (facts.server === "unknown" && facts.proof.is !== "guest")
    return refused("not_found", "NoServer", `there is no Server ${formatUuid(uuid)}`);
  if (facts.keyOf !== undefined) return refused("permission_denied", "KeyInUse", "another machine has this public key");
  const stolen = facts.pin === undefined ? undefined : takeoverProblem(call, facts, facts.pin);
  return stolen ?? granted(call, facts);
}

function proofProblem(uuid: string, { proof, isOpen }: ProvisionFacts): Provision | undefined {
  if (proof.is === "refused") return refused("permission_denied", "BadToken", proof.problem);
  if (proof.is === "none")
    return isOpen ? undefined : refused("permission_denied", "NoToken", "the call has no join token, and SideroLink is not open");
  return proof.is === "guest" || proof.uuid === uuid
    ? undefined
    : refused("permission_denied", "TokenOfAnother", "the join token was given to another machine");
}

/** Why this caller is not the machine whose key is pinned, nor a newer boot of it. */
function takeoverProblem(call: ProvisionCall, { proof, silentFor }: ProvisionFacts, pin: Pin): Provision | undefined {
  if (proof.is === "boot" && pin.boot !== undefined && proof.boot !== pin.boot) {
    // A newer boot has proved itself and has everything of its own: a machine that runs from memory has a new unique token as well.
    if (proof.issued > (pin.issued ?? 0)) return undefined;
    return refused("permission_denied", "OldBoot", "the join token is of an earlier boot than the one that has the tunnel");
  }
  if (proof.is !== "boot" && pin.boot !== undefined)
    return refused("permission_denied", "NoToken", "this machine has shown the token of a boot before, and this call has none");
  // The first token that is shown by a machine that came in without one.
  if (proof.is === "boot" && pin.boot === undefined) return undefined;
  if (pin.uniqueToken !== undefined && pin.uniqueToken !== call.uniqueToken)
    return refused("permission_denied", "UniqueToken", "the node-unique token is not the one this machine has shown before");
  if (pin.publicKey === call.publicKey || pin.uniqueToken !== undefined) return undefined;
  // Talos that has no unique token boots from disk with the same arguments and a new key: that is believed once the old key has gone.
  if (silentFor === undefined || silentFor >= SILENT) return undefined;
  return refused(
    "unavailable",
    "KeyIsLive",
    "another key of this machine is in use; it can be replaced once its tunnel is silent",
  );
}

function granted(call: ProvisionCall, { network, proof, binding, pin, address, server }: ProvisionFacts): Provision {
  const next: Pin = {
    publicKey: call.publicKey,
    ...(call.uniqueToken ? { uniqueToken: call.uniqueToken } : {}),
    ...(proof.is === "boot" ? { boot: proof.boot, issued: proof.issued } : {}),
  };
  const onRecord = binding?.address;
  const kept = onRecord === undefined ? undefined : readAddress(network, onRecord);
  const isBound = binding !== undefined && server === "accepted";
  const cidr = withLength(kept ?? address);
  const isNew = !samePin(pin, next) || (isBound && onRecord !== cidr);
  return { is: "granted", role: isBound ? "machine" : "guest", address: cidr, pin: next, isNew };
}

function samePin(a: Pin | undefined, b: Pin): boolean {
  return a?.publicKey === b.publicKey && a.uniqueToken === b.uniqueToken && a.boot === b.boot && a.issued === b.issued;
}

/** 32 bytes in canonical base64, and not the point that every key agrees with. */
export function isPublicKey(text: string): boolean {
  if (text.length !== 44 || /^A{43}=$/.test(text)) return false;
  const canonical = canonicalBase64(text);
  return "base64" in canonical && canonical.base64 === text && text.endsWith("=") && !text.endsWith("==");
}

function refused(code: RefusalCode, reason: string, message: string): Provision {
  return { is: "refused", code, reason, message };
}
