import assert from "node:assert/strict";
import { test } from "node:test";
import type { Resource } from "./kind.ts";
import type { ObjectMeta } from "./meta.ts";
import type { TypeOf } from "./kit.ts";
import { kind } from "./kind.ts";
import {
  array,
  boolean,
  dateTime,
  enumeration,
  int32,
  int64,
  integer,
  intOrString,
  json,
  map,
  number,
  object,
  string,
} from "./kit.ts";

/** Types are compared by the compiler: a wrong inference makes `tsc` fail, which `make check` runs. */
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
type Expect<T extends true> = T;

const Disk = object({ name: string().required().min(1), size: int32(), role: enumeration("system", "data") });
const Spec = object({
  accepted: boolean().required().doc("May be written to."),
  disks: array(Disk).listMap("name").doc("What it has."),
  labels: map(string()),
  since: dateTime().nullable(),
  port: intOrString().default(623),
  value: json(),
});
const Machine = kind({
  group: "example.dev",
  version: "v1",
  kind: "Machine",
  plural: "machines",
  scope: "Cluster",
  doc: "A machine.",
  spec: Spec.required(),
  status: object({ ready: boolean().required() }),
});

export type Inference = [
  Expect<Equal<TypeOf<typeof Disk>, { name: string; size?: number; role?: "system" | "data" }>>,
  Expect<Equal<TypeOf<typeof Spec>["since"], string | null | undefined>>,
  Expect<
    Equal<
      Resource<typeof Machine>,
      {
        apiVersion: "example.dev/v1";
        kind: "Machine";
        metadata: ObjectMeta;
        spec: TypeOf<typeof Spec>;
        status?: { ready: boolean };
      }
    >
  >,
];

test("a description yields the structural schema", () => {
  assert.deepEqual(Machine.schema, {
    type: "object",
    description: "A machine.",
    properties: {
      spec: {
        type: "object",
        properties: {
          accepted: { type: "boolean", description: "May be written to." },
          disks: {
            type: "array",
            description: "What it has.",
            items: {
              type: "object",
              properties: {
                name: { type: "string", minLength: 1 },
                size: { type: "integer", format: "int32" },
                role: { type: "string", enum: ["system", "data"] },
              },
              required: ["name"],
            },
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
          },
          labels: { type: "object", additionalProperties: { type: "string" } },
          since: { type: "string", format: "date-time", nullable: true },
          port: { "x-kubernetes-int-or-string": true, anyOf: [{ type: "integer" }, { type: "string" }], default: 623 },
          value: { "x-kubernetes-preserve-unknown-fields": true },
        },
        required: ["accepted"],
      },
      status: { type: "object", properties: { ready: { type: "boolean" } }, required: ["ready"] },
    },
    required: ["spec"],
  });
  assert.equal(Machine.apiVersion, "example.dev/v1");
  assert.equal(Machine.listKind, "MachineList");
  assert.equal(Machine.hasStatus, true);
});

test("each word of the notation stands for words of the schema", () => {
  const list = "x-kubernetes-list-type";
  const mapType = "x-kubernetes-map-type";
  assert.deepEqual(string().pattern("^a$").min(1).max(2).format("hostname").schema, {
    type: "string",
    pattern: "^a$",
    minLength: 1,
    maxLength: 2,
    format: "hostname",
  });
  assert.deepEqual(integer().min(1).max(2).schema, { type: "integer", minimum: 1, maximum: 2 });
  assert.deepEqual([int64().schema, number().schema], [{ type: "integer", format: "int64" }, { type: "number" }]);
  const items = { type: "array", items: { type: "string" } };
  assert.deepEqual(array(string()).set().min(1).max(2).schema, { ...items, [list]: "set", minItems: 1, maxItems: 2 });
  assert.deepEqual(array(string()).atomic().schema, { ...items, [list]: "atomic" });
  const entries = { type: "object", additionalProperties: { type: "string" } };
  assert.deepEqual(map(string()).min(1).max(2).schema, { ...entries, minProperties: 1, maxProperties: 2 });
  assert.deepEqual(map(string()).atomic().schema, { ...entries, [mapType]: "atomic" });
  assert.deepEqual(object({}).min(1).atomic().schema, { type: "object", minProperties: 1, [mapType]: "atomic" });
  const rule = {
    cel: "self > 1",
    message: "more than one",
    path: ".x",
    reason: "FieldValueForbidden",
    check: () => true,
  } as const;
  assert.deepEqual(integer().rule(rule).rule(rule).schema["x-kubernetes-validations"]?.[1], {
    rule: "self > 1",
    message: "more than one",
    fieldPath: ".x",
    reason: "FieldValueForbidden",
  });
});

test("descriptions are immutable", () => {
  const plain = string();
  const bounded = plain.max(3).doc("short");
  assert.deepEqual(plain.schema, { type: "string" });
  assert.deepEqual(bounded.schema, { type: "string", maxLength: 3, description: "short" });
  assert.equal(plain.required().isRequired, true);
  assert.equal(plain.isRequired, false);
});
