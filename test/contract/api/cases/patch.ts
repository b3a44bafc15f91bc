import type { Case, Step } from "../case.ts";
import { CONFIGMAPS, WIDGETS, configMap, widget } from "./kinds.ts";

const JSON_PATCH = "application/json-patch+json";
const MERGE = "application/merge-patch+json";
const STRATEGIC = "application/strategic-merge-patch+json";

const made: Step = {
  call: `POST ${WIDGETS}`,
  body: widget(
    "w",
    { color: "red", size: 1, tags: ["a", "b"], counts: { x: 1 }, labels: { "a/b": "1", "c~d": "2" } },
    { labels: { a: "1" } },
  ),
  save: { rv: "metadata.resourceVersion", uid: "metadata.uid" },
  quiet: true,
};
const madeMap: Step = {
  call: `POST ${CONFIGMAPS}`,
  body: configMap("c", { a: "1", b: "2" }, { finalizers: ["x/a", "x/b"] }),
  quiet: true,
};

function patch(type: string, body: unknown): Step {
  return { call: `PATCH ${WIDGETS}/w`, type, body };
}

const json = (...operations: unknown[]): Step => patch(JSON_PATCH, operations);
const merge = (body: unknown): Step => patch(MERGE, body);
const strategic = (body: unknown): Step => ({ call: `PATCH ${CONFIGMAPS}/c`, type: STRATEGIC, body });

const JSON_PATCHES: readonly [string, ...unknown[]][] = [
  ["add a field", { op: "add", path: "/spec/on", value: true }],
  ["add at the end", { op: "add", path: "/spec/tags/-", value: "c" }],
  ["add in front", { op: "add", path: "/spec/tags/0", value: "c" }],
  ["add past the end", { op: "add", path: "/spec/tags/7", value: "c" }],
  ["add under what is not there", { op: "add", path: "/spec/none/x", value: 1 }],
  ["add the whole document", { op: "replace", path: "", value: {} }],
  ["remove", { op: "remove", path: "/spec/tags/0" }],
  ["remove what is not there", { op: "remove", path: "/spec/none" }],
  ["remove past the end", { op: "remove", path: "/spec/tags/9" }],
  ["remove at -", { op: "remove", path: "/spec/tags/-" }],
  ["a negative index", { op: "remove", path: "/spec/tags/-1" }],
  ["an index with a leading zero", { op: "replace", path: "/spec/tags/01", value: "z" }],
  ["replace", { op: "replace", path: "/spec/size", value: 2 }],
  ["replace what is not there", { op: "replace", path: "/spec/small", value: 2 }],
  ["move", { op: "move", from: "/spec/tags/0", path: "/spec/tags/1" }],
  ["move from nowhere", { op: "move", from: "/spec/none", path: "/spec/on" }],
  ["copy", { op: "copy", from: "/spec/counts/x", path: "/spec/counts/y" }],
  ["copy from nowhere", { op: "copy", from: "/spec/none", path: "/spec/on" }],
  ["a test that holds", { op: "test", path: "/spec/size", value: 1 }, { op: "replace", path: "/spec/size", value: 3 }],
  ["a test that fails", { op: "test", path: "/spec/size", value: 9 }, { op: "replace", path: "/spec/size", value: 3 }],
  ["a test of what is not there", { op: "test", path: "/spec/none", value: 9 }],
  ["a test of null", { op: "test", path: "/spec/none", value: null }],
  ["a test of an object", { op: "test", path: "/spec/counts", value: { x: 1 } }],
  [
    "escapes",
    { op: "replace", path: "/spec/labels/a~1b", value: "one" },
    { op: "replace", path: "/spec/labels/c~0d", value: "two" },
  ],
  ["an operation that is none", { op: "nonsense", path: "/spec/size" }],
  ["no operation", { path: "/spec/size" }],
  ["no path", { op: "remove" }],
  ["a path without slash", { op: "remove", path: "spec" }],
  ["no value", { op: "add", path: "/spec/on" }],
  ["no from", { op: "move", path: "/spec/on" }],
  ["nothing"],
  ["the resourceVersion", { op: "replace", path: "/metadata/resourceVersion", value: "1" }],
  ["the name", { op: "replace", path: "/metadata/name", value: "x" }],
  ["the uid", { op: "replace", path: "/metadata/uid", value: "x" }],
  ["the kind", { op: "replace", path: "/kind", value: "Gadget" }],
  ["something invalid", { op: "replace", path: "/spec/color", value: "black" }],
  ["a wrong type", { op: "replace", path: "/spec", value: "text" }],
  ["through a string", { op: "add", path: "/spec/color/x", value: 1 }],
];

const MERGE_PATCHES: readonly [string, unknown][] = [
  ["a field", { spec: { size: 2 } }],
  ["null removes", { spec: { size: null, none: null } }],
  ["null of a defaulted field", { spec: { replicas: null } }],
  ["a list is replaced", { spec: { tags: ["z"] } }],
  ["a map is merged", { spec: { counts: { y: 2 } } }],
  ["an object in place of a scalar", { spec: { size: { a: 1 } } }],
  ["nothing", {}],
  ["null inside what is new", { spec: { free: { a: null, b: { c: null, d: 1 } } } }],
  ["labels", { metadata: { labels: { a: null, b: "2" } } }],
  ["a resourceVersion that is stale", { metadata: { resourceVersion: "1" }, spec: { size: 2 } }],
  ["the right resourceVersion", { metadata: { resourceVersion: "$rv" }, spec: { size: 2 } }],
  ["another name", { metadata: { name: "x" } }],
  ["another uid", { metadata: { uid: "11111111-2222-3333-4444-555555555555" } }],
  ["another kind", { kind: "Gadget" }],
  ["another apiVersion", { apiVersion: "v1" }],
  ["something invalid", { spec: { color: "black" } }],
  ["the whole spec away", { spec: null }],
  ["metadata away", { metadata: null }],
  ["status through the object", { status: { phase: "Done" } }],
  ["an array", [1]],
  ["a string", "text"],
  ["null", null],
];

const STRATEGIC_PATCHES: readonly [string, unknown][] = [
  ["a field", { data: { c: "3" } }],
  ["null removes", { data: { a: null } }],
  ["replace a map", { data: { $patch: "replace", z: "9" } }],
  ["delete a map", { data: { $patch: "delete" } }],
  ["finalizers merge", { metadata: { finalizers: ["x/c"] } }],
  ["delete from a primitive list", { metadata: { "$deleteFromPrimitiveList/finalizers": ["x/a"] } }],
  ["order", { metadata: { "$setElementOrder/finalizers": ["x/b", "x/a"] } }],
  ["owner references by uid", { metadata: { ownerReferences: [{ apiVersion: "v1", kind: "Namespace", name: "n", uid: "u1" }] } }],
  ["a bad directive", { data: { $patch: "nonsense" } }],
  ["an unknown field", { nonsense: 1 }],
  ["a wrong type", { data: "text" }],
  ["an array", [1]],
];

export const patches: readonly Case[] = [
  ...JSON_PATCHES.map(([name, ...operations]) => ({ name: `json patch: ${name}`, steps: [made, json(...operations)] })),
  ...MERGE_PATCHES.map(([name, body]) => ({
    name: `merge patch: ${name}`,
    steps: [made, merge(typeof body === "string" || body === null ? JSON.stringify(body) : body)],
  })),
  ...STRATEGIC_PATCHES.map(([name, body]) => ({ name: `strategic merge patch: ${name}`, steps: [madeMap, strategic(body)] })),
  {
    name: "strategic merge patch: lists by merge key",
    steps: [
      {
        call: "POST /api/v1/nodes",
        body: {
          apiVersion: "v1",
          kind: "Node",
          metadata: { name: "$ns" },
          spec: { taints: [{ key: "a", effect: "NoSchedule" }] },
        },
        quiet: true,
      },
      {
        call: "PATCH /api/v1/nodes/$ns/status",
        type: STRATEGIC,
        body: { status: { conditions: [{ type: "Ready", status: "True" }] } },
      },
      {
        call: "PATCH /api/v1/nodes/$ns/status",
        type: STRATEGIC,
        body: {
          status: {
            conditions: [
              { type: "Disk", status: "False" },
              { type: "Ready", reason: "ok" },
            ],
          },
        },
      },
      {
        call: "PATCH /api/v1/nodes/$ns/status",
        type: STRATEGIC,
        body: { status: { conditions: [{ type: "Ready", $patch: "delete" }] } },
      },
      { call: "PATCH /api/v1/nodes/$ns", type: STRATEGIC, body: { spec: { taints: [{ key: "b", effect: "NoExecute" }] } } },
      { call: "DELETE /api/v1/nodes/$ns", quiet: true },
    ],
  },
  { name: "patch: strategic on a custom resource", steps: [made, patch(STRATEGIC, { spec: { size: 2 } })] },
  {
    name: "patch: types that are none",
    steps: [
      made,
      patch("application/json", { spec: {} }),
      patch("text/plain", "x"),
      patch("application/merge-patch+json; charset=utf-8", { spec: { size: 3 } }),
      patch("", "{}"),
      patch("application/yaml", "a: b"),
    ],
  },
  {
    name: "patch: bodies that do not parse",
    steps: [
      made,
      patch(JSON_PATCH, "{"),
      patch(JSON_PATCH, "{}"),
      patch(JSON_PATCH, '"x"'),
      patch(JSON_PATCH, "[1]"),
      patch(MERGE, "{"),
      patch(MERGE, ""),
      patch(MERGE, "{} x"),
    ],
  },
  {
    name: "patch: bodies that do not parse, built-in kind",
    steps: [
      madeMap,
      ...[JSON_PATCH, MERGE, STRATEGIC].flatMap((type) =>
        ["{", "", "[1]", "7"].map((body) => ({ call: `PATCH ${CONFIGMAPS}/c`, type, body })),
      ),
    ],
  },
  {
    name: "patch: what is not there",
    steps: [
      { call: `PATCH ${WIDGETS}/none`, type: MERGE, body: {} },
      { call: `PATCH ${CONFIGMAPS}/none`, type: STRATEGIC, body: {} },
    ],
  },
  { name: "patch: a collection", steps: [{ call: `PATCH ${WIDGETS}`, type: MERGE, body: {} }] },
  {
    name: "patch: /status",
    steps: [
      made,
      {
        call: `PATCH ${WIDGETS}/w/status`,
        type: MERGE,
        body: { status: { phase: "Done" }, spec: { size: 9 }, metadata: { labels: { x: "y" } } },
      },
      { call: `PATCH ${WIDGETS}/w/status`, type: JSON_PATCH, body: [{ op: "add", path: "/status/ready", value: true }] },
      { call: `GET ${WIDGETS}/w` },
    ],
  },
  {
    name: "patch: nothing changes nothing",
    steps: [
      made,
      { call: `GET ${WIDGETS}/w` },
      merge({ spec: { size: 1 } }),
      merge({ spec: { size: 2 } }),
      merge({ spec: { size: 2 } }),
    ],
  },
  {
    name: "patch: too many operations",
    steps: [made, json(...Array.from({ length: 10_001 }, () => ({ op: "test", path: "/spec/size", value: 1 })))],
  },
  {
    name: "patch: a copy that grows without end",
    steps: [
      made,
      json(
        { op: "add", path: "/spec/free", value: { a: "x".repeat(1_000) } },
        ...Array.from({ length: 40 }, () => ({ op: "copy", from: "/spec/free", path: "/spec/free/b" })),
      ),
    ].map((step) => ({
      ...step,
      view: (body: unknown) => String((body as { message?: string }).message).replace(/is \d+/, "is <size>"),
    })),
  },
];
