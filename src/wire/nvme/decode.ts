/** What a controller says of itself, of its namespaces and of a sanitize operation. Short data is a `peer` fault; all else is taken as it stands. */
import { Fault } from "#std/fault.ts";
import { IDENTIFY_LENGTH } from "./constants.ts";

/** Identify Controller (Base figure 275), the part that matters to erasing. */
export interface Controller {
  /** OACS bit 1. */
  readonly formats: boolean;
  /** FNA bit 1: a secure erase concerns all namespaces. */
  readonly erasesAll: boolean;
  /** FNA bit 0: a format concerns all namespaces. */
  readonly formatsAll: boolean;
  /** FNA bit 2. */
  readonly formatsByCrypto: boolean;
  /** SANICAP bits 0 to 2. */
  readonly sanitizes: { readonly crypto: boolean; readonly block: boolean; readonly overwrite: boolean };
}

export function decodeController(bytes: Uint8Array): Controller {
  const view = viewOf(bytes, IDENTIFY_LENGTH, "Identify Controller");
  const [oacs, fna, sanicap] = [view.getUint16(256, true), view.getUint8(524), view.getUint32(328, true)];
  return {
    formats: (oacs & 2) !== 0,
    formatsAll: (fna & 1) !== 0,
    erasesAll: (fna & 2) !== 0,
    formatsByCrypto: (fna & 4) !== 0,
    sanitizes: { crypto: (sanicap & 1) !== 0, block: (sanicap & 2) !== 0, overwrite: (sanicap & 4) !== 0 },
  };
}

/** Identify Namespace (NVM figure 97): how it is formatted now. */
export interface Namespace {
  readonly flbas: number;
  readonly dps: number;
}

export function decodeNamespace(bytes: Uint8Array): Namespace {
  const view = viewOf(bytes, IDENTIFY_LENGTH, "Identify Namespace");
  return { flbas: view.getUint8(26), dps: view.getUint8(29) };
}

export interface SanitizeStatus {
  /** SSTAT bits 2:0: 0, 1 and 2; `done` also when blocks were deallocated in a way that was not asked for (4). */
  readonly state: "never" | "done" | "running" | "failed";
  /** From 0 to 1. */
  readonly progress: number;
}

/** Sanitize Status log (Base figure 242). */
export function decodeSanitizeStatus(bytes: Uint8Array): SanitizeStatus {
  const view = viewOf(bytes, 32, "Sanitize Status");
  const state = STATES[view.getUint16(2, true) & 7] ?? "failed";
  return { state, progress: state === "running" ? view.getUint16(0, true) / 65_536 : state === "done" ? 1 : 0 };
}

const STATES: Readonly<Record<number, SanitizeStatus["state"]>> = { 0: "never", 1: "done", 2: "running", 3: "failed", 4: "done" };

function viewOf(bytes: Uint8Array, length: number, what: string): DataView {
  if (bytes.length < length) {
    const message = `${what}: ${bytes.length} bytes instead of ${length}`;
    throw new Fault("wire.nvme", message, { fault: "peer", retry: "never" });
  }
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
