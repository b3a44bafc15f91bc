/** Patches of machine configurations: what kinds there are, how they are read, and applying them (facts §5.7). */
import { isObject } from "#std/json.ts";
import type { JsonObject } from "#std/json.ts";
import { parseConfig, readPieces } from "../document/parse.ts";
import type { ConfigDocument, MachineConfig } from "../document/document.ts";
import {
  identityOf,
  identityText,
  isV1alpha1,
  printConfig,
  sameIdentity,
  withDocuments,
  withValue,
} from "../document/document.ts";
import { refusal } from "../fault.ts";
import { applyDeletions, partDeletions } from "./deletion.ts";
import type { Operation } from "./json-patch.ts";
import { applyOperations, readOperations } from "./json-patch.ts";
import { mergeDocument } from "./merge.ts";

export type Patch =
  /** RFC 6902, of the v1alpha1 document whatever other documents there are. */
  | { readonly kind: "json"; readonly operations: readonly Operation[] }
  /** Documents that are merged into those of the same identity, or added. */
  | { readonly kind: "strategic"; readonly documents: readonly ConfigDocument[] };

/**
 * Reads a patch as talosctl does: documents are a strategic merge; a list, in JSON or YAML, is operations. Throws Fault `talos.patch`
 * for what is neither. Documents of one identity are merged one after another.
 */
export function loadPatch(text: string): Patch {
  const { pieces } = readPieces(text, "talos.patch");
  if (pieces.length === 1 && Array.isArray(pieces[0]!.value))
    return { kind: "json", operations: readOperations(pieces[0]!.value) };
  const odd = pieces.find(({ value }) => !isObject(value));
  if (odd !== undefined) throw refusal("talos.patch", `line ${odd.line}: neither a document nor a list of operations`);
  return {
    kind: "strategic",
    documents: pieces.map(({ prefix, body, value }) => {
      const mapping = value as JsonObject;
      return { identity: identityOf(mapping), value: mapping, source: { prefix, body, value: mapping } };
    }),
  };
}

/** The configuration with the patch applied; `config` itself is left alone. Throws Fault `talos.patch`. */
export function applyPatch(config: MachineConfig, patch: Patch): MachineConfig {
  return patch.kind === "json" ? applyJson(config, patch.operations) : patch.documents.reduce(applyDocument, config);
}

/** The text of a configuration with patches applied in order. */
export function patchConfig(text: string, patches: readonly Patch[]): string {
  return patches.length === 0 ? text : printConfig(patches.reduce(applyPatch, parseConfig(text)));
}

function applyJson(config: MachineConfig, operations: readonly Operation[]): MachineConfig {
  if (operations.length === 0) return config;
  const target = config.documents.find(isV1alpha1) ?? (config.documents.length === 1 ? config.documents[0] : undefined);
  if (target === undefined) throw refusal("talos.patch", "there is no v1alpha1 document that a JSON patch could be applied to");
  const patched = withValue(target, applyOperations(target.value, operations));
  if (!sameIdentity(patched.identity, target.identity)) {
    const taken = config.documents.find((other) => other !== target && sameIdentity(other.identity, patched.identity));
    if (taken !== undefined) throw refusal("talos.patch", `the patch makes a second document ${identityText(patched.identity)}`);
  }
  return withDocuments(
    config,
    config.documents.map((document) => (document === target ? patched : document)),
  );
}

/** What only says which document it is. */
const NAMES: ReadonlySet<string> = new Set(["apiVersion", "version", "kind", "name"]);

function applyDocument(config: MachineConfig, patch: ConfigDocument): MachineConfig {
  const { rest, deletions, isWhole } = partDeletions(patch.value);
  const target = config.documents.find(({ identity }) => sameIdentity(identity, patch.identity));
  if (isWhole)
    return withDocuments(
      config,
      config.documents.filter((document) => document !== target),
    );
  if (target === undefined) {
    if (deletions.length > 0 && Object.keys(rest!).every((key) => NAMES.has(key))) return config;
    const added = deletions.length === 0 ? patch : withValue(patch, rest!);
    return withDocuments(config, [...config.documents, added]);
  }
  const merged = mergeDocument(target.identity, applyDeletions(target.value, deletions), rest!);
  return withDocuments(
    config,
    config.documents.map((document) => (document === target ? withValue(document, merged) : document)),
  );
}
