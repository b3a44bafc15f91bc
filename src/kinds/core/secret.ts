/** core/v1 Secret and ConfigMap: they share their keys' rules and how they become immutable. */
import { encodeBase64 } from "#std/base64.ts";
import { equal } from "#std/json.ts";
import type { FieldError } from "#schema/field.ts";
import { FieldPath, forbidden, invalid } from "#schema/field.ts";
import type { KubeObject } from "#schema/meta.ts";
import { configKey } from "#schema/names.ts";
import { AGE, sizeOf } from "./column.ts";
import { define } from "./define.ts";
import { bool, bytes, field, map, text } from "./go.ts";

interface Secret extends KubeObject {
  type?: string;
  data?: Record<string, string | null>;
  stringData?: Record<string, string>;
}

const DATA = { name: "Data", type: "integer", description: "How many entries there are.", jsonPath: ".data" } as const;

/** Keys that cannot be file names, and changes of what was declared immutable. */
function validateData(object: KubeObject, old: KubeObject | undefined, parts: readonly string[]): FieldError[] {
  const errors: FieldError[] = [];
  for (const key of Object.keys(object["data"] ?? {})) {
    for (const problem of configKey(key)) errors.push(invalid(FieldPath.of("data").key(key), key, problem));
  }
  if (old?.["immutable"] !== true) return errors;
  const detail = "field is immutable when `immutable` is set";
  if (object["immutable"] !== true) errors.push(forbidden(FieldPath.of("immutable"), detail));
  if (parts.some((part) => !equal(object[part], old[part]))) errors.push(forbidden(FieldPath.of("data"), detail));
  return errors;
}

const immutable = field(bool(), "True: the data cannot be changed any more, only removed with the object.", { pointer: true });

export const secret = define({
  group: "",
  kind: "Secret",
  plural: "secrets",
  namespaced: true,
  doc: "Small confidential data: passwords, keys, machine configurations. At most 1 MiB.",
  fields: {
    immutable,
    data: field(map(bytes(), "map[string][]uint8"), "The entries, base64 encoded. Keys are letters, digits, '-', '_' and '.'."),
    stringData: field(
      map(text()),
      "Entries as plain text, for convenience when writing: they go to data and are never read back.",
    ),
    type: field(text("v1.SecretType"), "What the data is for; programs look for it. Cannot be changed."),
  },
  columns: [{ name: "Type", type: "string", description: "What the data is for.", jsonPath: ".type" }, DATA, AGE],
  strategy: {
    defaults(object) {
      const secretObject = object as Secret;
      secretObject.type ||= "Opaque";
      for (const [key, value] of Object.entries(secretObject.stringData ?? {})) {
        secretObject.data = { ...secretObject.data, [key]: encodeBase64(value) };
      }
      delete secretObject.stringData;
    },
    validate(object, old) {
      const errors = validateData(object, old, ["data"]);
      if (old !== undefined && object["type"] !== old["type"]) {
        const keys =
          Object.keys(object["data"] ?? {}).length === 0 ? 0 : errors.filter((error) => error.field.startsWith("data[")).length;
        errors.splice(keys, 0, invalid(FieldPath.of("type"), object["type"], "field is immutable"));
      }
      return errors;
    },
    fields: (object) => ({ type: (object as Secret).type ?? "" }),
    cells: { Data: (object) => sizeOf(object["data"]) },
  },
});

export const configMap = define({
  group: "",
  kind: "ConfigMap",
  plural: "configmaps",
  shortNames: ["cm"],
  namespaced: true,
  doc: "Small data for programs to read: settings, files. At most 1 MiB, not confidential.",
  fields: {
    immutable,
    data: field(map(text()), "The entries, as text. Keys are letters, digits, '-', '_' and '.'."),
    binaryData: field(map(bytes(), "map[string][]uint8"), "Entries that are not text, base64 encoded."),
  },
  columns: [DATA, AGE],
  strategy: {
    validate: (object, old) => validateData(object, old, ["data", "binaryData"]),
    cells: { Data: (object) => sizeOf(object["data"], object["binaryData"]) },
  },
});
