/**
 * A machine configuration is several YAML documents; each has an identity by which patches find it. What nobody changes stays as it
 * was written, byte for byte: newer Talos has fields and documents that we know nothing of.
 */
import { equal, isObject, own } from "#std/json.ts";
import type { Json, JsonObject } from "#std/json.ts";
import { emitYaml } from "../yaml/emit.ts";
import { rewrite } from "../yaml/rewrite.ts";

/** The identity of a document: `apiVersion/kind[/name]`. The v1alpha1 document has neither kind nor name, but `version: v1alpha1`. */
export interface Identity {
  readonly apiVersion: string;
  /** Empty for the v1alpha1 document. */
  readonly kind: string;
  readonly name: string;
}

/** As it was written. */
export interface Source {
  /** What stands before the document: comments, `---`. */
  readonly prefix: string;
  readonly body: string;
  /** What the body says. */
  readonly value: JsonObject;
}

export interface ConfigDocument {
  readonly identity: Identity;
  /** Treat as frozen: documents are shared between configurations. */
  readonly value: JsonObject;
  /** Undefined for a document that was made here. */
  readonly source?: Source;
}

export interface MachineConfig {
  readonly documents: readonly ConfigDocument[];
  /** What stands after the last document. */
  readonly tail: string;
}

export function identityOf(value: JsonObject): Identity {
  const kind = textOf(own(value, "kind"));
  // Partial ones, such as patches, need not say their version.
  if (kind === "") return { apiVersion: textOf(own(value, "version") ?? own(value, "apiVersion")) || "v1alpha1", kind, name: "" };
  return { apiVersion: textOf(own(value, "apiVersion")), kind, name: textOf(own(value, "name")) };
}

function textOf(value: Json | undefined): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

export function sameIdentity(a: Identity, b: Identity): boolean {
  return a.apiVersion === b.apiVersion && a.kind === b.kind && a.name === b.name;
}

/** `v1alpha1`, `v1alpha1/HostnameConfig`, `v1alpha1/VolumeConfig/EPHEMERAL`. */
export function identityText({ apiVersion, kind, name }: Identity): string {
  return [apiVersion, kind, name].filter((part) => part !== "").join("/");
}

/** The document that holds `machine` and `cluster`: the one of no kind. */
export function isV1alpha1({ identity }: ConfigDocument): boolean {
  return identity.kind === "" && identity.apiVersion === "v1alpha1";
}

/** The v1alpha1 document; undefined when the configuration has none (a partial one). */
export function v1alpha1Of(config: MachineConfig): ConfigDocument | undefined {
  return config.documents.find(isV1alpha1);
}

export function documentOf(value: JsonObject): ConfigDocument {
  return { identity: identityOf(value), value };
}

/** A configuration of documents made here. */
export function configOf(values: readonly JsonObject[]): MachineConfig {
  return { documents: values.map(documentOf), tail: "" };
}

/** The document with another value; it remembers how it was written, so that what is unchanged in it stays. */
export function withValue(document: ConfigDocument, value: JsonObject): ConfigDocument {
  return { ...document, identity: identityOf(value), value };
}

export function withDocuments(config: MachineConfig, documents: readonly ConfigDocument[]): MachineConfig {
  return { ...config, documents };
}

/** YAML. A document that is as it was written is the text it was written as; in a changed one, what is unchanged keeps its comments. */
export function printConfig(config: MachineConfig): string {
  let text = "";
  for (const document of config.documents) {
    const { prefix, body } = pieceOf(document);
    text = joined(text, prefix, !STARTS_WITH_MARKER.test(prefix)) + body;
  }
  return joined(text, config.tail, !STARTS_WITH_MARKER.test(config.tail) && !isBlank(config.tail));
}

/** After blank lines and comments. */
const STARTS_WITH_MARKER = /^(?:[ \t]*(?:#[^\n]*)?\r?\n)*(?:---|\.\.\.)(?=\s|$)/;

function isBlank(text: string): boolean {
  return text.split("\n").every((line) => /^\s*(#.*)?$/.test(line));
}

/** Only a marker parts documents; what was the first has none. */
function joined(text: string, next: string, needsMarker: boolean): string {
  if (text === "" || (next === "" && !needsMarker)) return text + next;
  return `${text}${text.endsWith("\n") ? "" : "\n"}${needsMarker ? "---\n" : ""}${next}`;
}

function pieceOf({ value, source }: ConfigDocument): { prefix: string; body: string } {
  if (source === undefined) return { prefix: "", body: emitYaml(value) };
  if (value === source.value || equal(value, source.value)) return source;
  const broken = source.prefix === "" || source.prefix.endsWith("\n") ? source.prefix : `${source.prefix}\n`;
  return { prefix: broken, body: rewrite(source.body, source.value, value) };
}

/** The value at a path of keys; undefined when something on the way is absent or no mapping. */
export function at(value: JsonObject, ...path: readonly string[]): Json | undefined {
  let here: Json | undefined = value;
  for (const key of path) here = isObject(here) ? own(here, key) : undefined;
  return here;
}
