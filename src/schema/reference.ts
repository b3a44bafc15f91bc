/** The reference page of all kinds, in Markdown, from their descriptions. */
import type { Family } from "./family.ts";
import type { Kind } from "./kind.ts";
import type { Schema } from "./structural.ts";
import { versionsOf } from "./family.ts";

/** One section for each family, its versions newest first. The same families give the same bytes. */
export function toReference(families: readonly Family[]): string {
  const contents = families.map(({ storage }) => `* [${storage.kind}](#${storage.singular}) — \`${storage.group}\``);
  return ["# Kinds", "", ...contents, "", ...families.flatMap(section)].join("\n");
}

function section(family: Family): string[] {
  const { storage } = family;
  const versions = versionsOf(family).map(({ version }) => `${version}${version === storage.version ? " (stored)" : ""}`);
  const commands = [storage.plural, storage.singular, ...storage.shortNames].map((name) => `\`${name}\``);
  return [
    `## ${storage.kind}`,
    "",
    storage.doc,
    "",
    `Group \`${storage.group}\`; versions ${versions.join(", ")}; ${storage.namespaced ? "namespaced" : "cluster-scoped"}; ` +
      `for kubectl ${commands.join(", ")}${storage.categories.map((name) => `, in \`${name}\``).join("")}.`,
    "",
    ...versionsOf(family).flatMap((kind) => [
      `### ${kind.kind} ${kind.version}`,
      "",
      ...columnLines(kind),
      ...fieldTable(kind.schema),
    ]),
  ];
}

function columnLines({ columns }: Kind): string[] {
  if (columns.length === 0) return [];
  const names = columns.map(({ name, priority = 0 }) => (priority > 0 ? `${name} (with \`-o wide\`)` : name));
  return [`Columns: Name, ${names.join(", ")}.`, ""];
}

function fieldTable(schema: Schema): string[] {
  return ["| Field | Type | Description |", "|---|---|---|", ...rows(schema, ""), ""];
}

/** Depth first, in the order of the description. */
function rows(schema: Schema, path: string): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const at = path === "" ? name : `${path}.${name}`;
    const type = schema.required?.includes(name) ? `${typeName(field)}, required` : typeName(field);
    const sentences = [field.description ?? "", ...remarks(field), ...remarks(field.items ?? {})].filter((text) => text !== "");
    return [`| \`${at}\` | ${type} | ${sentences.join(" ").replaceAll("|", "\\|")} |`, ...inside(field, at)];
  });
}

function inside(field: Schema, path: string): string[] {
  if (field.items !== undefined) return rows(field.items, `${path}[]`);
  if (typeof field.additionalProperties === "object") return rows(field.additionalProperties, `${path}.*`);
  return rows(field, path);
}

function typeName(field: Schema): string {
  if (field["x-kubernetes-int-or-string"] === true) return "integer or string";
  if (field.items !== undefined) return `list of ${typeName(field.items)}`;
  if (typeof field.additionalProperties === "object") return `map to ${typeName(field.additionalProperties)}`;
  return field.format ?? field.type ?? "any";
}

/** What a value must be beyond its type. */
function remarks(field: Schema): string[] {
  const bounds: [string, number | undefined][] = [
    ["At least", field.minimum],
    ["At most", field.maximum],
    ["At least this many characters:", field.minLength],
    ["At most this many characters:", field.maxLength],
    ["At least this many entries:", field.minItems ?? field.minProperties],
    ["At most this many entries:", field.maxItems ?? field.maxProperties],
  ];
  const rules = field["x-kubernetes-validations"] ?? [];
  return [
    ...(field.enum === undefined ? [] : [`One of ${field.enum.map((value) => `\`${JSON.stringify(value)}\``).join(", ")}.`]),
    ...(field.default === undefined ? [] : [`Default \`${JSON.stringify(field.default)}\`.`]),
    ...(field.pattern === undefined ? [] : [`Matches \`${field.pattern}\`.`]),
    ...bounds.flatMap(([text, bound]) => (bound === undefined ? [] : [`${text} ${bound}.`])),
    ...rules.map(({ message, rule }) => `Rule: ${message ?? rule}.`),
  ];
}
