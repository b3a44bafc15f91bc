/** YAML bodies, read as sigs.k8s.io/yaml does: YAML 1.1 scalars (`yes`, `0644`), one document, no dates; repeated keys are reported. */
import { LineCounter, isMap, isScalar, parseDocument, visit } from "yaml";
import type { Document, ScalarTag, Tags } from "yaml";
import { DEFAULT_LIMITS, parseJson } from "#schema/strict.ts";
import type { Json } from "#std/json.ts";
import { statusFault } from "#kube/status.ts";
import { DecodeProblem } from "./metadata.ts";

/** Nodes that aliases may add to a document; a real manifest has a handful, an alias bomb billions. */
const MAX_ALIASED = 1_000;
/** Reading YAML takes about a second per MiB, in which nothing else happens; JSON sent as YAML is not affected. */
const MAX_BYTES = 1024 * 1024;
/** YAML 1.1 types that Go's reader leaves as text. */
const PLAIN = new Set(["timestamp", "binary", "omap", "pairs", "set"].map((name) => `tag:yaml.org,2002:${name}`));

/** Throws DecodeProblem for a text that is not YAML, nests too deeply or expands too far, 413 for one that would take too long. */
export function parseYaml(bytes: Buffer): { value: Json; complaints: string[]; problems: string[] } {
  const json = parseAsJson(bytes);
  if (json !== undefined) return { value: json, complaints: [], problems: [] };
  if (bytes.length > MAX_BYTES)
    throw statusFault("RequestEntityTooLarge", `Request entity too large: limit is ${MAX_BYTES} for YAML`);
  const lines = new LineCounter();
  const document = parseDocument(bytes.toString("utf8"), {
    version: "1.1",
    uniqueKeys: false,
    lineCounter: lines,
    prettyErrors: false,
    logLevel: "silent",
    customTags: plainTags,
  });
  const error = document.errors[0];
  if (error !== undefined) throw new DecodeProblem(`yaml: line ${lines.linePos(error.pos[0]).line}: ${wordsOf(error)}`);
  checkDepth(document);
  try {
    const value = document.toJS({ maxAliasCount: MAX_ALIASED }) as Json;
    const complaints = repeatedKeys(document, lines);
    const problem = ["yaml: unmarshal errors:", ...complaints].join("\n  ");
    return { value, complaints, problems: complaints.length === 0 ? [] : [problem] };
  } catch (cause) {
    throw new DecodeProblem(`yaml: ${wordsOf(cause as Error)}`);
  }
}

/** The parser recurses, and reports its own exhaustion as an error of the document. */
function wordsOf({ message }: Error): string {
  return message.includes("call stack") ? "the document nests too deeply" : message;
}

/** Programs send JSON where YAML is asked for. Undefined for what is not plainly JSON. */
function parseAsJson(bytes: Buffer): Json | undefined {
  if (bytes[0] !== 0x7b) return undefined;
  try {
    const { value, duplicates } = parseJson(bytes);
    return duplicates.length === 0 ? (value as Json) : undefined;
  } catch {
    return undefined;
  }
}

/** `0o17`, which is YAML 1.2 and read by Go all the same. */
const OCTAL: ScalarTag = {
  tag: "tag:yaml.org,2002:int",
  default: true,
  test: /^[-+]?0o[0-7]+$/,
  resolve: (text) => (text.startsWith("-") ? -1 : 1) * Number(text.replace(/^[-+]/, "")),
};

function plainTags(tags: Tags): Tags {
  const kept = tags.filter((tag) => typeof tag === "string" || (!PLAIN.has(tag.tag) && (tag as ScalarTag).format !== "TIME"));
  return [OCTAL, ...kept];
}

function checkDepth(document: Document): void {
  visit(document, {
    Collection(_, __, path) {
      if (path.length / 2 > DEFAULT_LIMITS.maxDepth) throw new DecodeProblem("yaml: exceeded max depth");
    },
  });
}

/** In the words of Go's strict YAML reader. */
function repeatedKeys(document: Document, lines: LineCounter): string[] {
  const complaints: string[] = [];
  visit(document, {
    Map(_, map) {
      const seen = new Set<unknown>();
      for (const { key } of map.items) {
        if (!isScalar(key) || isMap(key)) continue;
        if (seen.has(key.value))
          complaints.push(`line ${lines.linePos(key.range?.[0] ?? 0).line}: key ${JSON.stringify(key.value)} already set in map`);
        seen.add(key.value);
      }
    },
  });
  return complaints;
}
