/** The erase record of a machine: what of a wipe that is done is signed, and in which bytes. */
import type { Server, WipeOrder } from "#kinds/metal/v1alpha2/server.ts";
import type { Json } from "#std/json.ts";
import { isObject } from "#std/json.ts";

/**
 * What a signature is over. Everything of the order that says what was done; not how often it was tried, nor what the controller may still
 * note. The machine is as it was when it was wiped: a board that is changed afterwards does not make the record false.
 */
export function eraseRecord(name: string, wipe: WipeOrder): Json {
  const { uid, uuid, serialNumber, manufacturer, productName } = wipe.machine ?? {};
  const { id, reason, by, orderedAt, startedAt, finishedAt, state, mode, disks = [] } = wipe;
  return plain({
    kind: "SideroEraseRecord",
    version: 1,
    server: { name, uid, uuid, serialNumber, manufacturer, productName },
    wipe: { id, reason, by, orderedAt, startedAt, finishedAt, state, mode },
    disks: disks.map(({ name, model, serial, wwid, bytes, method, state: came, verified, detail, finishedAt: at }) => ({
      name,
      model,
      serial,
      wwid,
      bytes,
      method,
      state: came,
      verified,
      detail,
      finishedAt: at,
    })),
  });
}

/** What goes on record of a machine whose wipe is done. */
export function wipedMachine({ metadata, spec }: Server): NonNullable<WipeOrder["machine"]> {
  const { uuid, serialNumber, manufacturer, productName } = spec?.hardware?.system ?? {};
  const facts = { uid: metadata.uid, uuid, serialNumber, manufacturer, productName };
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined));
}

/** Without what is undefined. */
function plain(value: unknown): Json {
  if (Array.isArray(value)) return value.map(plain);
  if (!isObject(value)) return value as Json;
  const present = Object.entries(value).filter(([, each]) => (each as unknown) !== undefined);
  return Object.fromEntries(present.map(([key, each]) => [key, plain(each)]));
}

/** What is signed, in UTF-8: one line, its end included, as `jq -cS .record` writes it. */
export function signedText(record: Json): string {
  return `${canonicalJson(record)}\n`;
}

/** JSON without spaces, keys in order (RFC 8785; our numbers are whole and our keys ASCII). */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const keys = Object.keys(value).toSorted();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key]!)}`).join(",")}}`;
}

/** `status.wipe.signature`: which key, and the signature in base 64. */
export interface SignatureText {
  readonly keyId: string;
  readonly signature: string;
}

const FORM = /^ed25519:([0-9a-f]{16}):([A-Za-z0-9+/]{86}==)$/;

export function formatSignature({ keyId, signature }: SignatureText): string {
  return `ed25519:${keyId}:${signature}`;
}

/** Undefined for anything that {@link formatSignature} does not write. */
export function parseSignature(text: string): SignatureText | undefined {
  const [, keyId, signature] = FORM.exec(text) ?? [];
  return keyId === undefined || signature === undefined ? undefined : { keyId, signature };
}
