/** Reading machine configurations. */
import { isObject } from "#std/json.ts";
import type { Json } from "#std/json.ts";
import type { TalosCode } from "../fault.ts";
import { refusal } from "../fault.ts";
import { readYaml } from "../yaml/read.ts";
import type { ConfigDocument, MachineConfig } from "./document.ts";
import { identityOf, identityText } from "./document.ts";

/** Characters. A configuration with inline manifests may be large; its certificates alone are about 10,000. */
export const LONGEST = 1024 * 1024;
const MOST_DOCUMENTS = 256;
/** YAML 1.2 §9.1.2: three of them at the start of a line part documents wherever they stand, also inside of a block. */
const MARKER = /^(?:---|\.\.\.)(?=[ \t\r\n]|$)/gm;

/**
 * Throws Fault `talos.config` for a text that is no YAML, no mappings, has two documents of the same identity, or is longer than
 * {@link LONGEST}. Empty documents are skipped. Says nothing about whether Talos would take it.
 */
export function parseConfig(text: string): MachineConfig {
  const { pieces, tail } = readPieces(text, "talos.config");
  const documents: ConfigDocument[] = [];
  const seen = new Set<string>();
  for (const { prefix, body, value, line } of pieces) {
    if (!isObject(value)) throw refusal("talos.config", `line ${line}: a document that is no mapping`);
    const identity = identityOf(value);
    const key = JSON.stringify([identity.apiVersion, identity.kind, identity.name]);
    if (seen.has(key)) throw refusal("talos.config", `line ${line}: a second document ${identityText(identity)}`);
    seen.add(key);
    documents.push({ identity, value, source: { prefix, body, value } });
  }
  return { documents, tail };
}

export interface Piece {
  readonly prefix: string;
  readonly body: string;
  readonly value: Json;
  /** Where the body starts, from 1. */
  readonly line: number;
}

/** The documents that say something, each with what stands before it. */
export function readPieces(text: string, code: TalosCode): { pieces: Piece[]; tail: string } {
  if (text.length > LONGEST) throw refusal(code, `longer than ${LONGEST} characters`);
  const starts = [0, ...Array.from(text.matchAll(MARKER), ({ index }) => index)];
  if (starts.length > MOST_DOCUMENTS + 1) throw refusal(code, `more than ${MOST_DOCUMENTS} documents`);
  const pieces: Piece[] = [];
  let waiting = "";
  let line = 1;
  for (const [i, start] of starts.entries()) {
    const part = text.slice(start, starts[i + 1] ?? text.length);
    const marker = i === 0 ? "" : part.slice(0, 3);
    // The line break belongs to the marker: a body starts on a line of its own.
    const lead = marker + (marker === "" ? "" : (/^[ \t]*(?:\r\n|\n)/.exec(part.slice(3))?.[0] ?? ""));
    const body = part.slice(lead.length);
    const bodyLine = line + (lead.includes("\n") ? 1 : 0);
    const { value } = readYaml(body, code, bodyLine);
    waiting += lead;
    if (value === null) waiting += body;
    else {
      pieces.push({ prefix: waiting, body, value, line: bodyLine });
      waiting = "";
    }
    line += part.split("\n").length - 1;
  }
  return { pieces, tail: waiting };
}
