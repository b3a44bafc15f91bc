/** Writing a changed document with everything that has not changed as it was: comments, order of keys, the look of numbers. */
import { isMap, isScalar, isSeq, Scalar, visit } from "yaml";
import type { Document, Pair, YAMLMap, YAMLSeq } from "yaml";
import { equal, isObject, own } from "#std/json.ts";
import type { Json, JsonObject } from "#std/json.ts";
import { emitYaml, isLiteral, wantsQuotes } from "./emit.ts";
import { readYaml } from "./read.ts";

/** `body` says `before`; the result says `after`. */
export function rewrite(body: string, before: JsonObject, after: JsonObject): string {
  const revision = revise(body, before, after);
  // The library's printer does not get every document right that its reader takes; such a one is written anew.
  return revision !== undefined && says(revision, after) ? revision : emitYaml(after);
}

function says(text: string, value: JsonObject): boolean {
  try {
    return equal(readYaml(text, "talos.config").value, value);
  } catch {
    return false;
  }
}

/** Undefined for a document that cannot be revised. */
function revise(body: string, before: JsonObject, after: JsonObject): string | undefined {
  const { document, hasAliases } = readYaml(body, "talos.config");
  // An alias may stand for something that is no longer the same.
  if (hasAliases || !isMap(document.contents)) return undefined;
  reviseMap(document, document.contents, before, after);
  visit(document, { Scalar: (_, scalar) => unblock(scalar) });
  try {
    return document.toString({
      indent: 4,
      indentSeq: true,
      lineWidth: 0,
      doubleQuotedMinMultiLineLength: Number.MAX_SAFE_INTEGER,
      directives: false,
    });
  } catch {
    return undefined;
  }
}

/** The library's printer counts the indentation of blocks wrongly for texts that start with a space. */
function unblock(scalar: Scalar): void {
  const isBlock = scalar.type === Scalar.BLOCK_LITERAL || scalar.type === Scalar.BLOCK_FOLDED;
  if (isBlock && !isLiteral(String(scalar.value))) scalar.type = Scalar.QUOTE_DOUBLE;
}

function reviseMap(document: Document, map: YAMLMap, before: JsonObject, after: JsonObject): void {
  map.items = map.items.filter((pair) => Object.hasOwn(after, keyOf(pair)));
  const pairs = new Map(map.items.map((pair) => [keyOf(pair), pair]));
  for (const [key, value] of Object.entries(after)) {
    const pair = pairs.get(key);
    if (pair === undefined) map.items.push(document.createPair(quoted(key), fresh(document, value)) as Pair);
    else pair.value = revised(document, pair.value, own(before, key), value);
  }
  // `{}` that was written on one line is no place for what is to be read.
  if (before !== after && Object.keys(before).length === 0) map.flow = map.items.length === 0;
}

function revised(document: Document, node: unknown, before: Json | undefined, after: Json): unknown {
  if (before !== undefined && equal(before, after)) return node;
  if (isMap(node) && isObject(before) && isObject(after)) {
    reviseMap(document, node, before, after);
    return node;
  }
  if (isSeq(node) && Array.isArray(before) && Array.isArray(after)) {
    reviseSeq(document, node, before, after);
    return node;
  }
  const made = fresh(document, after);
  if (isScalar(node) && isScalar(made) && typeof node.comment === "string") made.comment = node.comment;
  return made;
}

function reviseSeq(document: Document, seq: YAMLSeq, before: Json[], after: Json[]): void {
  const old = [...seq.items];
  // Items move when one before them is removed: each takes the first equal one that is left, or else the one at its place.
  let from = 0;
  seq.items = after.map((item, i) => {
    const found = before.findIndex((candidate, at) => at >= from && equal(candidate, item));
    if (found >= 0) {
      from = found + 1;
      return old[found];
    }
    const isInPlace = i === from && i < before.length && before.length <= after.length;
    if (!isInPlace) return fresh(document, item);
    from = i + 1;
    return revised(document, old[i], before[i], item);
  });
  if (before.length === 0) seq.flow = seq.items.length === 0;
}

function keyOf({ key }: Pair): string {
  return String(isScalar(key) ? key.value : key);
}

function fresh(document: Document, value: Json): unknown {
  if (typeof value === "string") return quoted(value);
  if (Array.isArray(value)) {
    const seq = document.createNode([]) as YAMLSeq;
    seq.items = value.map((item) => fresh(document, item));
    seq.flow = value.length === 0;
    return seq;
  }
  if (!isObject(value)) return document.createNode(value);
  const map = document.createNode({}) as YAMLMap;
  map.items = Object.entries(value).map(([key, item]) => document.createPair(quoted(key), fresh(document, item)) as Pair);
  map.flow = map.items.length === 0;
  return map;
}

function quoted(text: string): Scalar<string> {
  const scalar = new Scalar(text);
  if (isLiteral(text)) scalar.type = Scalar.BLOCK_LITERAL;
  else if (wantsQuotes(text) || text.includes("\n")) scalar.type = Scalar.QUOTE_DOUBLE;
  return scalar;
}
