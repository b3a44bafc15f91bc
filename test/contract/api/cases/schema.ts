import type { Case, Step } from "../case.ts";
import { GADGETS, WIDGETS, gadget, widget } from "./kinds.ts";

function post(spec: unknown): Step {
  return { call: `POST ${WIDGETS}`, body: { ...widget("w", spec), metadata: { generateName: "w-" } }, view: unordered };
}

/** The made-up name is part of every message. */
function withoutSuffix(body: unknown): unknown {
  return JSON.parse(JSON.stringify(body).replaceAll(/w-[a-z0-9]{5}\b/g, "w-<random>")) as unknown;
}

interface Faults {
  readonly message?: string;
  readonly details?: { readonly causes?: readonly { readonly field: string; readonly message: string }[] };
}

/** Several faults in the order of their fields: a genuine server finds them in the order of a Go map. */
function unordered(body: unknown): unknown {
  const status = withoutSuffix(body) as Faults;
  const causes = status.details?.causes ?? [];
  if (causes.length < 2) return status;
  const print = ({ field, message }: (typeof causes)[number]): string => `${field}: ${message}`;
  const sorted = causes.toSorted((a, b) => (print(a) < print(b) ? -1 : 1));
  const message = status.message?.replace(causes.map(print).join(", "), sorted.map(print).join(", "));
  return { ...status, message, details: { ...status.details, causes: sorted } };
}

/** Fields of a spec besides its colour: each is one verdict. */
const SPECS: readonly [string, ...Record<string, unknown>[]][] = [
  ["required", { color: null }, { color: undefined }],
  ["enum", { color: "black" }, { color: "" }, { color: 5 }],
  [
    "integers",
    { size: 1.5 },
    { size: "1" },
    { size: -1 },
    { size: 101 },
    { size: 1e2 },
    { size: true },
    { size: null },
    { size: 2 ** 53 },
    { size: 1e30 },
  ],
  ["int64 and int32", { big: 1e19 }, { small: 2147483648 }, { small: -2147483649 }, { small: 2147483647 }],
  ["numbers", { odd: 0 }, { odd: 0.25 }, { odd: 1.5 }, { odd: 3 }, { odd: "x" }, { odd: -1 }],
  [
    "strings",
    { title: "a" },
    { title: "abcdefghi" },
    { title: "ABC" },
    { title: "ok" },
    { title: 5 },
    { title: "äöü" },
    { title: { a: 1 } },
    { title: ["a"] },
  ],
  ["booleans", { on: "true" }, { on: 1 }, { on: false }],
  [
    "lists",
    { tags: "a" },
    { tags: ["a", "a"] },
    { tags: ["a", "b", "c", "d"] },
    { tags: [1] },
    { tags: [null] },
    { tags: { a: 1 } },
    { few: [] },
    { few: ["x", 1, null] },
  ],
  [
    "list maps",
    { ports: [{ port: 1 }, { port: 1 }] },
    { ports: [{ port: 1 }, { port: 1, protocol: "UDP" }] },
    { ports: [{}] },
    { ports: [{ port: 0 }, { port: 70_000 }] },
    { ports: [{ port: 1, protocol: "X" }] },
    { ports: [null] },
    { ports: [{ port: 1, nope: 1 }] },
  ],
  [
    "maps",
    { labels: { a: "1", b: "2", c: "3" } },
    { labels: { a: 1 } },
    { counts: { a: -1, "b.c": -2, "d/e": "x" } },
    { counts: [] },
    { labels: { a: null } },
  ],
  [
    "null",
    { maybe: null },
    { filled: null },
    { title: null },
    { nested: null },
    { replicas: null },
    { free: null },
    { any: null },
    { tags: null },
  ],
  [
    "pruning",
    { nope: 1 },
    { nested: { nope: 1, depth: 2 } },
    { free: { nope: 1, deep: { er: [1, { x: null }] } } },
    { any: { x: [1] } },
    { any: 5 },
    { any: "s" },
    { any: [1] },
  ],
  [
    "defaults",
    {},
    { nested: {} },
    { nested: { depth: 5 } },
    { free: {} },
    { ports: [{ port: 1 }] },
    { filled: "x" },
    { replicas: 0 },
  ],
  ["int or string", { amount: 5 }, { amount: "5%" }, { amount: 1.5 }, { amount: true }, { amount: {} }, { amount: null }],
  [
    "date-time",
    { when: "2020-01-02T03:04:05Z" },
    { when: "2020-01-02T03:04:05.678+02:00" },
    { when: "2020-01-02" },
    { when: "" },
    { when: "2020-13-02T03:04:05Z" },
    { when: "2020-02-30T00:00:00Z" },
    { when: 5 },
    { when: "2020-01-02t03:04:05z" },
    { when: "2020-01-02 03:04:05Z" },
  ],
  [
    "ipv4",
    { address: "10.0.0.1" },
    { address: "10.0.0" },
    { address: "::1" },
    { address: "256.1.1.1" },
    { address: "" },
    { address: "010.0.0.1" },
  ],
  [
    "uuid",
    { id: "11111111-2222-3333-4444-555555555555" },
    { id: "x" },
    { id: "11111111222233334444555555555555" },
    { id: "{11111111-2222-3333-4444-555555555555}" },
  ],
  ["byte", { raw: "YQ==" }, { raw: "!!" }, { raw: "" }, { raw: "YQ" }],
  ["email", { mail: "a@b.c" }, { mail: "nobody" }, { mail: "A <a@b.c>" }, { mail: "@" }],
  [
    "uri",
    { link: "https://a.b/c" },
    { link: "a b" },
    { link: "" },
    { link: "relative" },
    { link: "/path" },
    { link: "http://[::1" },
  ],
  ["duration", { span: "5s" }, { span: "1h30m" }, { span: "x" }, { span: "5" }, { span: "1 day" }, { span: "-5s" }],
  [
    "oneOf and anyOf",
    { either: { a: "1" } },
    { either: {} },
    { either: { a: "1", b: "2" } },
    { some: {} },
    { some: { a: "1", b: "2" } },
    { some: { a: 1 } },
  ],
  [
    "embedded resources",
    { inner: { apiVersion: "v1", kind: "X", metadata: { name: "a", nope: 1 }, x: 1 } },
    { inner: {} },
    { inner: { apiVersion: "v1", kind: "X", metadata: { labels: { a: 1 } } } },
    { inner: { apiVersion: "a/b/c", kind: "", metadata: { name: "Bad_" } } },
  ],
  [
    "many faults at once",
    { color: "black", size: -1, title: "A", tags: ["a", "a"], ports: [{}, { port: 0 }], nested: { depth: "x" } },
  ],
];

export const schemas: readonly Case[] = [
  ...SPECS.map(([name, ...specs]) => ({ name: `schema: ${name}`, steps: specs.map((spec) => post({ color: "red", ...spec })) })),
  { name: "schema: wrong shapes at the top", steps: ["text", 5, [], null, true].map((spec) => post(spec)) },
  {
    name: "schema: metadata of wrong types",
    steps: [
      5,
      "x",
      [],
      null,
      { name: 5 },
      { name: "a", labels: "x" },
      { name: "a", labels: { a: 1 } },
      { name: "a", annotations: ["x"] },
      { name: "a", finalizers: "x" },
      { name: "a", generation: "x" },
      { name: "a", creationTimestamp: "yesterday" },
      { name: "a", ownerReferences: {} },
      { name: "aaa", nope: 1 },
    ].map((metadata) => ({ call: `POST ${WIDGETS}`, body: { ...widget("x"), metadata } })),
  },
  {
    name: "schema: what was stored stays as it is until it is written",
    steps: [
      { call: `POST ${GADGETS}`, body: gadget("$ns", { any: { thing: [1, 2.5, "x", null, { deep: {} }] } }) },
      { call: `GET ${GADGETS}/$ns` },
    ],
  },
  {
    name: "schema: numbers keep what they were",
    steps: [
      {
        call: `POST ${GADGETS}`,
        body: `{"apiVersion":"lab.sidero.test/v1","kind":"Gadget","metadata":{"name":"$ns"},"spec":{"one":1.0,"big":12345678901234567890,"tiny":1e-7,"exp":1E3,"neg":-0,"half":0.5,"safe":9007199254740991}}`,
        view: (_, answer) => /"spec":\{([^}]*)\}/.exec(answer.body.toString("utf8"))?.[1]?.split(",").sort(),
      },
    ],
  },
  {
    name: "schema: an integer that a double would change",
    steps: [
      {
        call: `POST ${GADGETS}`,
        body: `{"apiVersion":"lab.sidero.test/v1","kind":"Gadget","metadata":{"name":"$ns"},"spec":{"max":9223372036854775807}}`,
        only: ["spec.max"],
      },
    ],
  },
  {
    name: "schema: __proto__ is a key like any other",
    steps: [
      {
        call: `POST ${GADGETS}`,
        body: `{"apiVersion":"lab.sidero.test/v1","kind":"Gadget","metadata":{"name":"$ns"},"spec":{"__proto__":{"x":1},"constructor":2,"toString":3}}`,
        view: (_, answer) =>
          answer.body.toString("utf8").includes('"__proto__":{"x":1}') &&
          answer.body.toString("utf8").includes('"constructor":2'),
      },
    ],
  },
  {
    name: "schema: keys twice",
    steps: [
      {
        call: `POST ${GADGETS}`,
        body: `{"apiVersion":"lab.sidero.test/v1","kind":"Gadget","metadata":{"name":"$ns","name":"$ns-b"},"spec":{"a":1,"a":2}}`,
      },
    ],
  },
];
