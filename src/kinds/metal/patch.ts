/** Patches of a machine's Talos configuration, as Server and ServerClass carry them. */
import type { ParsedNode, Scalar } from "yaml";
import { isCollection, isMap, isPair, isScalar, parseAllDocuments } from "yaml";
import type { FieldError, FieldPath } from "#schema/field.ts";
import type { TypeOf } from "#schema/kit.ts";
import { invalidUnshown, tooLong } from "#schema/field.ts";
import { array, enumeration, json, object, string } from "#schema/kit.ts";

/** RFC 6901 §3: empty, or segments that start with a slash, in which a tilde stands only as ~0 or ~1. */
const POINTER = "^(/([^~]|~[01])*)?$";

export const ConfigPatch = object({
  op: enumeration("add", "copy", "move", "remove", "replace", "test").required().doc("What to do, as RFC 6902 defines it."),
  path: string()
    .required()
    .pattern(POINTER)
    .doc("Where: a JSON pointer (RFC 6901) into the configuration, such as /machine/install/disk."),
  from: string().pattern(POINTER).doc("For copy and move: a JSON pointer to the value's present place."),
  value: json().doc("For add, replace and test: the value, any JSON."),
}).rule({
  cel: "!(self.op in ['copy', 'move']) || has(self.from)",
  message: "from is required when op is copy or move",
  path: ".from",
  reason: "FieldValueRequired",
  check: ({ op, from }) => (op !== "copy" && op !== "move") || from !== undefined,
});
export type ConfigPatch = TypeOf<typeof ConfigPatch>;

export const ConfigPatches = array(ConfigPatch)
  .atomic()
  .doc("JSON patch (RFC 6902) of the machine's Talos configuration: operations in order, on the v1alpha1 document.");

export const StrategicPatches = array(string())
  .atomic()
  .check(checkStrategicPatches)
  .doc(
    "Strategic merge patches of the machine's Talos configuration, each a YAML text with one or more documents. " +
      "Applied in order, after configPatches; a document of another kind is added to the configuration.",
  );

/** Characters in all patches of a list; bounds the time to parse them. Ten times a whole Talos configuration. */
const LONGEST = 256 * 1024;

/** Patches may hold secrets, so errors do not show them. */
function checkStrategicPatches(patches: string[], path: FieldPath): FieldError[] {
  const length = patches.reduce((sum, patch) => sum + patch.length, 0);
  if (length > LONGEST) return [tooLong(path, LONGEST)];
  return patches.flatMap((patch, i) => {
    const problem = problemOf(patch);
    return problem === undefined ? [] : [invalidUnshown(path.index(i), problem)];
  });
}

/**
 * Why a text is no strategic merge patch: each YAML document must be a mapping (or empty). Aliases are not expanded.
 * Duplicate keys are looked for here because the parser's own way takes quadratic time, as do its pretty errors.
 */
function problemOf(text: string): string | undefined {
  const lineOf = (offset: number) => text.slice(0, offset).split("\n").length;
  for (const document of parseAllDocuments(text, { uniqueKeys: false, prettyErrors: false })) {
    const error = document.errors[0];
    if (error !== undefined) return `must be YAML: line ${lineOf(error.pos[0])}: ${error.message}`;
    const { contents } = document;
    if (contents === null || (isScalar(contents) && contents.value === null)) continue;
    if (!isMap(contents)) return `must be YAML mappings: line ${lineOf(contents.range[0])} starts something else`;
    const repeated = findRepeatedKey(contents);
    if (repeated !== undefined) return `must be YAML: line ${lineOf(repeated.range?.[0] ?? 0)}: a key is repeated`;
  }
  return undefined;
}

function findRepeatedKey(root: ParsedNode): Scalar | undefined {
  const pending: unknown[] = [root];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (!isCollection(node)) continue;
    const keys = new Set<unknown>();
    for (const item of node.items) {
      if (!isPair(item)) pending.push(item);
      else {
        if (isScalar(item.key) && keys.size === keys.add(item.key.value).size) return item.key;
        pending.push(item.key, item.value);
      }
    }
  }
  return undefined;
}
