/** One file out of a tar.gz (POSIX.1-2017, pax §ustar), as Talos sends its kubeconfig. */
import { gunzipSync } from "node:zlib";
import { talosFault } from "./faults.ts";

const BLOCK = 512;
const LONGEST = 1024 * 1024;

/** Throws Fault `talos.not-ready` for what is no such archive, or is too large. */
export function fileOf(archive: Uint8Array, name: string): string {
  const bytes = unpack(archive);
  for (let at = 0; at + BLOCK <= bytes.length;) {
    const header = bytes.subarray(at, at + BLOCK);
    const size = Number.parseInt(text(header, 124, 12), 8);
    if (!Number.isInteger(size) || size < 0) break;
    const body = bytes.subarray(at + BLOCK, at + BLOCK + size);
    if (text(header, 0, 100) === name && body.length === size) return body.toString("utf8");
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  throw talosFault("talos.not-ready", `Kubeconfig: no ${name} in what was sent`);
}

function unpack(archive: Uint8Array): Buffer {
  try {
    return gunzipSync(archive, { maxOutputLength: LONGEST });
  } catch (cause) {
    throw talosFault("talos.not-ready", "Kubeconfig: what was sent is no archive", {}, cause);
  }
}

function text(header: Buffer, at: number, length: number): string {
  return header.toString("latin1", at, at + length).replace(/[\0 ].*$/s, "");
}
