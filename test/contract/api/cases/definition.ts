import { at } from "../case.ts";
import type { Case, Step } from "../case.ts";

const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
type Fields = Record<string, unknown>;

/** A definition in a group of the case's own. */
function definition(change: Fields = {}, version: Fields = {}, schema: Fields = { type: "object" }): Fields {
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "things.$ns.test" },
    spec: {
      group: "$ns.test",
      scope: "Namespaced",
      names: { plural: "things", kind: "Thing" },
      versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: schema }, ...version }],
      ...change,
    },
  };
}

const post = (body: unknown): Step => ({ call: `POST ${CRDS}`, body });
const quietly = (body: unknown): Step => ({ ...post(body), quiet: true });
const THINGS = "/apis/$ns.test/v1/namespaces/$ns/things";
const thing = (fields: Fields = {}): Fields => ({ apiVersion: "$ns.test/v1", kind: "Thing", metadata: { name: "t" }, ...fields });
const served: Step = { call: `GET ${THINGS}`, until: (status) => status === 200, only: ["items"] };
const props = (properties: Fields): Fields => ({ type: "object", properties });
const patch = (body: unknown): Step => ({
  call: `PATCH ${CRDS}/things.$ns.test`,
  type: "application/merge-patch+json",
  body,
  only: ["metadata.generation"],
});

const established = (_: number, body: unknown): boolean =>
  ((at(body, "status.conditions") ?? []) as { type: string; status: string }[]).some(
    ({ type, status }) => type === "Established" && status === "True",
  );

const SCHEMAS: readonly [string, Fields][] = [
  ["no type", {}],
  ["not an object", { type: "string" }],
  ["a property without type", props({ a: {} })],
  ["a type that is none", props({ a: { type: "thing" } })],
  ["a list without items", props({ a: { type: "array" } })],
  [
    "properties and additionalProperties",
    { type: "object", properties: { a: { type: "string" } }, additionalProperties: { type: "string" } },
  ],
  ["additionalProperties at the top", { type: "object", additionalProperties: { type: "string" } }],
  ["uniqueItems", props({ a: { type: "array", items: { type: "string" }, uniqueItems: true } })],
  ["a pattern that does not compile", props({ a: { type: "string", pattern: "(" } })],
  ["a default of the wrong type", props({ a: { type: "string", default: 5 } })],
  ["a default that is not pruned", props({ a: { type: "object", default: { b: 1 } } })],
  ["a type inside anyOf", props({ a: { type: "string", anyOf: [{ type: "string" }] } })],
  ["a list map without keys", props({ a: { type: "array", items: { type: "object" }, "x-kubernetes-list-type": "map" } })],
  ["a set of objects", props({ a: { type: "array", items: { type: "object" }, "x-kubernetes-list-type": "set" } })],
  ["a list type that is none", props({ a: { type: "array", items: { type: "string" }, "x-kubernetes-list-type": "bag" } })],
  ["metadata restricted", props({ metadata: { type: "object", properties: { labels: { type: "object" } } } })],
  ["metadata's name restricted", props({ metadata: { type: "object", properties: { name: { type: "string", maxLength: 5 } } } })],
  ["int or string with a type", props({ a: { type: "string", "x-kubernetes-int-or-string": true } })],
  ["preserve unknown false", props({ a: { type: "object", "x-kubernetes-preserve-unknown-fields": false } })],
  ["$ref", props({ a: { $ref: "#/x" } })],
];

export const definitions: readonly Case[] = [
  {
    name: "definition: its life",
    steps: [
      post(definition()),
      {
        call: `GET ${CRDS}/things.$ns.test`,
        until: established,
        view: (body) => [
          at(body, "spec"),
          at(body, "status.acceptedNames"),
          at(body, "status.storedVersions"),
          ((at(body, "status.conditions") ?? []) as Fields[]).map(({ type, status, reason, message }) => ({
            type,
            status,
            reason,
            message,
          })),
        ],
      },
      served,
      { call: `POST ${THINGS}`, body: thing() },
      { call: `DELETE ${CRDS}/things.$ns.test`, only: ["metadata.finalizers"] },
      { call: `GET ${CRDS}/things.$ns.test`, until: (status) => status === 404 },
      { call: `GET ${THINGS}`, until: (status) => status === 404 },
    ],
  },
  {
    name: "definition: its instances go first",
    steps: [
      quietly(definition()),
      served,
      { call: `POST ${THINGS}`, body: thing({ metadata: { name: "t", finalizers: ["x.test/hold"] } }), quiet: true },
      { call: `DELETE ${CRDS}/things.$ns.test`, quiet: true },
      {
        call: `GET ${THINGS}/t`,
        until: (_, body) => JSON.stringify(body).includes("deletionTimestamp"),
        only: ["metadata.name"],
      },
      { call: `POST ${THINGS}`, body: thing({ metadata: { name: "u" } }), until: (status) => status !== 201 },
      { call: `PATCH ${THINGS}/t`, type: "application/merge-patch+json", body: { metadata: { finalizers: null } }, quiet: true },
      { call: `GET ${CRDS}/things.$ns.test`, until: (status) => status === 404 },
    ],
  },
  { name: "definition: the name is plural.group", steps: [post({ ...definition(), metadata: { name: "other.$ns.test" } })] },
  {
    name: "definition: names",
    steps: [
      { plural: "Things" },
      { plural: "things", kind: "" },
      { plural: "things", kind: "thing thing" },
      { plural: "things", kind: "Thing", singular: "UP" },
      { plural: "things", kind: "Thing", shortNames: ["UP"] },
      { plural: "things", kind: "Thing", listKind: "Thing" },
      {},
    ].map((names) => post(definition({ names }))),
  },
  {
    name: "definition: groups and scopes",
    steps: [
      post(definition({ group: "" })),
      post(definition({ group: "UP" })),
      post(definition({ scope: "Other" })),
      post(definition({ scope: "" })),
    ],
  },
  {
    name: "definition: versions",
    steps: [
      [],
      [{ name: "v1", served: true, storage: false, schema: { openAPIV3Schema: { type: "object" } } }],
      ["v1", "v2"].map((name) => ({ name, served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } })),
      ["v1", "v1"].map((name, i) => ({ name, served: true, storage: i === 0, schema: { openAPIV3Schema: { type: "object" } } })),
      [{ name: "V1!", served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } }],
      [{ name: "v1", served: true, storage: true }],
    ].map((versions) => post(definition({ versions }))),
  },
  {
    name: "definition: conversion",
    steps: [
      post(definition({ conversion: { strategy: "Nonsense" } })),
      post(definition({ conversion: { strategy: "Webhook" } })),
      post(definition({ conversion: { strategy: "None", webhook: {} } })),
    ],
  },
  { name: "definition: preserveUnknownFields", steps: [post(definition({ preserveUnknownFields: true }))] },
  {
    name: "definition: columns",
    steps: [
      post(
        definition(
          {},
          {
            additionalPrinterColumns: [
              { name: "", type: "string", jsonPath: ".a" },
              { name: "A", type: "thing", jsonPath: ".a" },
              { name: "B", type: "string", jsonPath: "a" },
              { name: "C", type: "string", jsonPath: "" },
              { name: "D", type: "integer", format: "x", jsonPath: ".d" },
            ],
          },
        ),
      ),
    ],
  },
  {
    name: "definition: scale and selectable fields",
    steps: [
      post(definition({}, { subresources: { scale: { specReplicasPath: ".spec.x[0]", statusReplicasPath: ".spec.y" } } })),
      post(definition({}, { subresources: { scale: { specReplicasPath: "", statusReplicasPath: "" } } })),
      post(definition({}, { selectableFields: [{ jsonPath: ".spec.none" }, { jsonPath: "x" }, { jsonPath: ".metadata.name" }] })),
    ],
  },
  ...SCHEMAS.map(([name, schema]) => ({ name: `definition: a schema with ${name}`, steps: [post(definition({}, {}, schema))] })),
  {
    name: "definition: a schema that changes",
    steps: [
      quietly(definition({}, {}, props({ a: { type: "string" } }))),
      served,
      { call: `POST ${THINGS}`, body: thing({ a: "x", b: "y" }), only: ["a", "b"] },
      patch({
        spec: {
          versions: [
            {
              name: "v1",
              served: true,
              storage: true,
              schema: { openAPIV3Schema: props({ a: { type: "string" }, b: { type: "string", default: "new" } }) },
            },
          ],
        },
      }),
      { call: `GET ${THINGS}/t`, until: (_, body) => at(body, "b") === "new", only: ["a", "b"] },
    ],
  },
  {
    name: "definition: what cannot change",
    steps: [
      quietly(definition()),
      // What is not yet established may still change.
      served,
      patch({ spec: { group: "other.test" } }),
      patch({ spec: { scope: "Cluster" } }),
      patch({ spec: { names: { kind: "Other" } } }),
      patch({ spec: { versions: [] } }),
      patch({ status: { storedVersions: [] } }),
    ],
  },
  {
    name: "definition: a version comes, another goes",
    steps: [
      quietly(definition()),
      served,
      { call: `POST ${THINGS}`, body: thing(), quiet: true },
      patch({
        spec: {
          versions: [
            { name: "v1", served: true, storage: false, schema: { openAPIV3Schema: { type: "object" } } },
            { name: "v2", served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } },
          ],
        },
      }),
      { call: "GET /apis/$ns.test/v2/namespaces/$ns/things/t", until: (status) => status === 200, only: ["apiVersion"] },
      {
        call: "GET /apis/$ns.test",
        view: (body) => at(body, "versions"),
        until: (_, body) => JSON.stringify(body).includes("v2"),
      },
      {
        call: `GET ${CRDS}/things.$ns.test`,
        view: (body) => at(body, "status.storedVersions"),
        until: (_, body) => JSON.stringify(at(body, "status.storedVersions")).includes("v2"),
      },
      patch({
        spec: { versions: [{ name: "v2", served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } }] },
      }),
    ],
  },
  {
    name: "definition: a name that is taken",
    steps: [
      quietly(definition()),
      { ...served },
      { ...quietly({ ...definition({ names: { plural: "others", kind: "Thing" } }), metadata: { name: "others.$ns.test" } }) },
      {
        call: `GET ${CRDS}/others.$ns.test`,
        until: (_, body) => JSON.stringify(at(body, "status.conditions") ?? []).includes("NamesAccepted"),
        view: (body) =>
          ((at(body, "status.conditions") ?? []) as Fields[])
            .map(({ type, status, reason, message }) => ({ type, status, reason, message }))
            .filter(({ type }) => type === "NamesAccepted"),
      },
    ],
  },
];
