/** One YAML document as Go's reader for Talos understands it: YAML 1.2's scalars and 1.1's octals, merge keys, no repeated keys. */
import type { Document, ParsedNode, ScalarTag, Tags } from "yaml";
import { isAlias, isCollection, isMap, isPair, isScalar, parseDocument } from "yaml";
import type { Json } from "#std/json.ts";
import type { TalosCode } from "../fault.ts";
import { refusal } from "../fault.ts";

/** Nodes that aliases may add. */
const MAX_ALIASED = 1_000;
/** Deeper than any configuration, and safe for every walk over it that recurses. */
const MAX_DEPTH = 100;

/** `0644`, which YAML 1.2 takes for decimal and Go for octal. */
const OCTAL: ScalarTag = {
  tag: "tag:yaml.org,2002:int",
  default: true,
  test: /^[-+]?0[0-7]+$/,
  resolve: (text) => (text.startsWith("-") ? -1 : 1) * Number.parseInt(text.replace(/^[-+]/, ""), 8),
  stringify: ({ source, value }) => source ?? String(value),
};

function likeGo(tags: Tags): Tags {
  return [OCTAL, ...tags.map((tag) => (typeof tag === "object" && isNumber(tag) ? asWritten(tag as ScalarTag) : tag))];
}

function isNumber({ tag }: { tag: string }): boolean {
  return tag === "tag:yaml.org,2002:int" || tag === "tag:yaml.org,2002:float";
}

/** Numbers stay as they were written: 0x1F, 1e3, and those beyond the precision of a double. */
function asWritten(tag: ScalarTag): ScalarTag {
  return {
    ...tag,
    stringify: (item, context, onComment, onChompKeep) =>
      item.source ?? tag.stringify?.(item, context, onComment, onChompKeep) ?? String(item.value),
  };
}

export interface Reading {
  readonly document: Document.Parsed;
  readonly value: Json;
  readonly hasAliases: boolean;
}

/** `firstLine` is where the text starts, for messages. Throws a fault of `code` for what is not one YAML document of sensible size. */
export function readYaml(text: string, code: TalosCode, firstLine = 1): Reading {
  const lineOf = (offset: number): number => firstLine + text.slice(0, offset).split("\n").length - 1;
  const document = parseDocument(text, {
    uniqueKeys: false,
    prettyErrors: false,
    merge: true,
    logLevel: "silent",
    customTags: likeGo,
  });
  const error = document.errors[0];
  // The reader's message may quote the text; its code does not.
  if (error !== undefined) throw refusal(code, `line ${lineOf(error.pos[0])}: not YAML (${error.code})`);
  const hasAliases = check(document.contents, code, lineOf);
  const value = expand(document);
  if (value === undefined || (hasAliases && isDeeper(value, MAX_DEPTH)))
    throw refusal(code, `line ${firstLine}: aliases that lead nowhere, or to too much`);
  return { document, value, hasAliases };
}

function expand(document: Document.Parsed): Json | undefined {
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASED }) as Json;
  } catch {
    return undefined;
  }
}

/** An alias to what it stands in makes a ring, which has no end. */
function isDeeper(value: Json, limit: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return limit === 0 || Object.values(value).some((child) => isDeeper(child, limit - 1));
}

/** Whether there are aliases. Throws for repeated keys, keys that are no scalars, and for nesting too deep. */
function check(root: ParsedNode | null, code: TalosCode, lineOf: (offset: number) => number): boolean {
  let hasAliases = false;
  const pending: { node: unknown; depth: number }[] = [{ node: root, depth: 0 }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { node, depth } = next;
    if (isAlias(node)) hasAliases = true;
    if (!isCollection(node)) continue;
    if (depth > MAX_DEPTH) throw refusal(code, `line ${lineOf(node.range?.[0] ?? 0)}: nests too deeply`);
    if (!isMap(node)) {
      for (const item of node.items) pending.push({ node: isPair(item) ? item.value : item, depth: depth + 1 });
      continue;
    }
    const keys = new Set<string>();
    for (const { key, value } of node.items) {
      if (!isScalar(key)) throw refusal(code, `line ${lineOf(node.range?.[0] ?? 0)}: a key that is no text`);
      const name = String(key.value);
      if (keys.has(name)) throw refusal(code, `line ${lineOf(key.range?.[0] ?? 0)}: a key is repeated`);
      keys.add(name);
      pending.push({ node: value, depth: depth + 1 });
    }
  }
  return hasAliases;
}
