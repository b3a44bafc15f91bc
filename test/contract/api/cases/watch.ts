import type { Case, Step, WatchStep } from "../case.ts";
import { CONFIGMAPS, GADGETS, GROUP, WIDGETS, configMap, gadget, widget } from "./kinds.ts";

const MERGE = "application/merge-patch+json";

const made = (name: string, color = "red", labels: Record<string, string> = {}): Step => ({
  call: `POST ${WIDGETS}`,
  body: widget(name, { color }, { labels }),
  save: { [name]: "metadata.resourceVersion" },
  quiet: true,
});
const set = (name: string, body: unknown): Step => ({
  call: `PATCH ${WIDGETS}/${name}`,
  type: MERGE,
  body,
  save: { [name]: "metadata.resourceVersion" },
  quiet: true,
});
const color = (name: string, value: string): Step => set(name, { spec: { color: value } });
const label = (name: string, value: string | null): Step => set(name, { metadata: { labels: { a: value } } });
const remove = (name: string): Step => ({ call: `DELETE ${WIDGETS}/${name}`, quiet: true });

function watch(query: string, count: number, ...during: Step[]): WatchStep {
  return { watch: `${WIDGETS}?watch=1&${query}`, count, during };
}

export const watches: readonly Case[] = [
  {
    name: "watch: from a revision, everything that happened since",
    steps: [made("a"), made("b"), color("b", "blue"), remove("b"), watch("resourceVersion=$a", 3)],
  },
  {
    name: "watch: live",
    steps: [made("a"), watch("resourceVersion=$a", 4, made("b"), color("b", "blue"), remove("b"), made("c"))],
  },
  { name: "watch: without a revision, what is there comes first", steps: [made("a"), made("b"), watch("", 3, made("c"))] },
  { name: "watch: from revision 0", steps: [made("a"), watch("resourceVersion=0", 2, made("b"))] },
  {
    name: "watch: one object",
    steps: [
      made("a"),
      made("b"),
      watch("resourceVersion=$a&fieldSelector=metadata.name%3Da", 2, color("b", "blue"), color("a", "blue"), remove("a")),
    ],
  },
  {
    name: "watch: at an object's own path",
    steps: [made("a"), { watch: `${WIDGETS}/a?watch=1&resourceVersion=$a`, count: 1, during: [color("a", "blue")] }],
  },
  {
    name: "watch: the old path",
    steps: [
      made("a"),
      { watch: `/apis/${GROUP}/v1/watch/namespaces/$ns/widgets?resourceVersion=$a`, count: 1, during: [color("a", "blue")] },
    ],
  },
  {
    name: "watch: a label selector's transitions",
    steps: [
      made("a"),
      watch("resourceVersion=$a&labelSelector=a%3D1", 4, label("a", "1"), label("a", "2"), label("a", "1"), color("a", "blue")),
    ],
  },
  {
    name: "watch: leaving a selector by deletion",
    steps: [
      made("a", "red", { a: "1" }),
      watch("resourceVersion=$a&labelSelector=a%3D1", 2, label("a", null), label("a", "1"), remove("a")),
    ],
  },
  {
    name: "watch: a field selector's transitions",
    steps: [
      made("a"),
      watch(
        "resourceVersion=$a&fieldSelector=spec.color%3Dblue",
        3,
        color("a", "blue"),
        color("a", "red"),
        color("a", "green"),
        color("a", "blue"),
      ),
    ],
  },
  {
    name: "watch: a write that changes nothing is no event",
    steps: [made("a"), watch("resourceVersion=$a", 1, color("a", "red"), color("a", "blue"))],
  },
  {
    name: "watch: deletion with a finalizer",
    steps: [
      made("a"),
      watch(
        "resourceVersion=$a",
        3,
        set("a", { metadata: { finalizers: ["x.test/hold"] } }),
        remove("a"),
        set("a", { metadata: { finalizers: null } }),
      ),
    ],
  },
  {
    name: "watch: status is an event too",
    steps: [
      made("a"),
      watch("resourceVersion=$a", 1, {
        call: `PATCH ${WIDGETS}/a/status`,
        type: MERGE,
        body: { status: { phase: "x" } },
        quiet: true,
      }),
    ],
  },
  {
    name: "watch: another version",
    steps: [
      made("a"),
      {
        watch: `/apis/${GROUP}/v1beta1/namespaces/$ns/widgets?watch=1&resourceVersion=$a`,
        count: 1,
        during: [color("a", "blue")],
      },
    ],
  },
  {
    name: "watch: across namespaces",
    steps: [
      made("a"),
      {
        watch: `/apis/${GROUP}/v1/widgets?watch=1&resourceVersion=$a&fieldSelector=metadata.namespace%3D$ns`,
        count: 1,
        during: [color("a", "blue")],
      },
    ],
  },
  {
    name: "watch: built-in kinds",
    steps: [
      { call: `POST ${CONFIGMAPS}`, body: configMap("a"), save: { a: "metadata.resourceVersion" }, quiet: true },
      {
        watch: `${CONFIGMAPS}?watch=1&resourceVersion=$a`,
        count: 2,
        during: [
          { call: `PUT ${CONFIGMAPS}/a`, body: configMap("a", { z: "1" }), quiet: true },
          { call: `DELETE ${CONFIGMAPS}/a`, quiet: true },
        ],
      },
    ],
  },
  {
    name: "watch: cluster-scoped",
    steps: [
      { call: `POST ${GADGETS}`, body: gadget("$ns"), save: { a: "metadata.resourceVersion" }, quiet: true },
      {
        watch: `${GADGETS}?watch=1&resourceVersion=$a&fieldSelector=metadata.name%3D$ns`,
        count: 1,
        during: [{ call: `DELETE ${GADGETS}/$ns`, quiet: true }],
      },
    ],
  },
  {
    name: "watch: as a table",
    steps: [
      made("a"),
      {
        ...watch("resourceVersion=$a&includeObject=None", 2, color("a", "blue"), color("a", "green")),
        accept: "application/json;as=Table;v=v1;g=meta.k8s.io",
      },
    ],
  },
  {
    name: "watch: metadata only",
    steps: [
      made("a"),
      {
        ...watch("resourceVersion=$a", 1, color("a", "blue")),
        accept: "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
      },
    ],
  },
  { name: "watch: ends after timeoutSeconds", steps: [made("a"), watch("resourceVersion=$a&timeoutSeconds=1", 9)] },
  {
    name: "watch: initial events, then a bookmark",
    steps: [
      made("a"),
      made("b"),
      {
        ...watch("sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan&timeoutSeconds=5", 3),
        bookmarks: true,
      },
    ],
  },
  {
    name: "watch: what is refused",
    steps: [
      watch("resourceVersion=x", 1),
      watch("resourceVersion=-1", 1),
      watch("labelSelector=%21", 1),
      watch("fieldSelector=nonsense%3D1", 1),
      watch("sendInitialEvents=true", 1),
      watch("sendInitialEvents=true&resourceVersionMatch=Exact", 1),
      watch("resourceVersionMatch=NotOlderThan", 1),
      watch("timeoutSeconds=x", 1),
      { watch: `/apis/${GROUP}/v1/namespaces/$ns/nothings?watch=1`, count: 1 },
      { watch: `${WIDGETS}?watch=1`, count: 1, accept: "text/html" },
    ],
  },
  { name: "watch: a list's continue is no place to start", steps: [watch("continue=abc&timeoutSeconds=1", 1)] },
];
