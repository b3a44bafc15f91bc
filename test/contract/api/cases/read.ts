import type { Case, Step } from "../case.ts";
import { CONFIGMAPS, GADGETS, GROUP, WIDGETS, configMap, gadget, widget } from "./kinds.ts";

const COLORS = ["red", "green", "blue", "red", "green"];

/** Five widgets, w0 to w4, of different colours and labels. */
const five: readonly Step[] = COLORS.map((color, i) => {
  const labels = { n: String(i), color, ...(i % 2 === 0 ? { even: "" } : {}) };
  return { call: `POST ${WIDGETS}`, body: widget(`w${i}`, { color, size: i }, { labels }), quiet: true };
});

const NAMES_ONLY = [
  "kind",
  "apiVersion",
  "metadata",
  "items.0.metadata.name",
  "items.1.metadata.name",
  "items.2.metadata.name",
  "items.3.metadata.name",
  "items.4.metadata.name",
];

function list(query: string): Step {
  return { call: `GET ${WIDGETS}?${query}`, only: NAMES_ONLY };
}

const LABEL_SELECTORS = [
  "color=red",
  "color==red",
  "color!=red",
  "color in (red,blue)",
  "color notin (red, blue)",
  "even",
  "!even",
  "n>1",
  "n<2",
  "color=red,even",
  "color=,even",
  "absent!=x",
  "absent notin (x)",
  "",
  " color = red ",
  "color in ()",
  "color in (,red)",
];

const BAD_LABEL_SELECTORS = [
  "color=red=blue",
  "color in red",
  "color in (red",
  "=red",
  "!",
  ",",
  "color,,even",
  "bad key=x",
  "-x=y",
  "a=b!",
  "n>abc",
  "n>",
  "(a)",
  "a b",
  "color=(red)",
  "x in (a b)",
  "é=1",
  `${"k".repeat(64)}=x`,
  `a=${"v".repeat(64)}`,
  "a/b/c=x",
  "!!a",
  "!a=b",
  "a=b,",
];

const FIELD_SELECTORS = [
  "metadata.name=w1",
  "metadata.name!=w1",
  "metadata.name=w1,metadata.namespace=$ns",
  "metadata.namespace=other",
  "spec.color=red",
  "spec.color!=red",
  "spec.color==green,metadata.name=w1",
  "metadata.name=",
  "",
];

const BAD_FIELD_SELECTORS = [
  "spec.size=1",
  "status.phase=x",
  "metadata.labels=x",
  "metadata.name",
  "=w1",
  "metadata.name=w1=w2",
  "metadata.name>w1",
  "nonsense",
  ",",
  "metadata.name=a\\b",
];

export const read: readonly Case[] = [
  {
    name: "get: what is not there",
    steps: [
      { call: `GET ${WIDGETS}/none` },
      { call: `GET ${CONFIGMAPS}/none` },
      { call: `GET ${GADGETS}/none` },
      { call: "GET /api/v1/namespaces/none" },
      { call: `GET /api/v1/namespaces/nowhere/configmaps/x` },
    ],
  },
  {
    name: "get: resourceVersion",
    steps: [
      { call: `POST ${CONFIGMAPS}`, body: configMap("a"), quiet: true },
      { call: `GET ${CONFIGMAPS}/a?resourceVersion=0` },
      { call: `GET ${CONFIGMAPS}/a?resourceVersion=1` },
      { call: `GET ${CONFIGMAPS}/a?resourceVersion=x` },
      { call: `GET ${CONFIGMAPS}/a?resourceVersion=-1` },
    ],
  },
  {
    name: "list: nothing",
    steps: [{ call: `GET ${WIDGETS}` }, { call: `GET ${CONFIGMAPS}` }, { call: "GET /api/v1/namespaces/nowhere/configmaps" }],
  },
  { name: "list: everything, in order of names", steps: [...five, { call: `GET ${WIDGETS}` }] },
  {
    name: "list: built-in kinds carry no kind in their items",
    steps: [
      { call: `POST ${CONFIGMAPS}`, body: configMap("b"), quiet: true },
      { call: `POST ${CONFIGMAPS}`, body: configMap("a"), quiet: true },
      { call: `GET ${CONFIGMAPS}` },
    ],
  },
  {
    name: "list: order across namespaces",
    steps: [
      ...["$ns-b", "$ns-a"].map((name) => ({
        call: "POST /api/v1/namespaces",
        body: { apiVersion: "v1", kind: "Namespace", metadata: { name } },
        quiet: true,
      })),
      ...["$ns-b", "$ns", "$ns-a"].flatMap((ns) =>
        ["y", "x"].map((name) => ({
          call: `POST /apis/${GROUP}/v1/namespaces/${ns}/widgets`,
          body: widget(name, { color: "red" }, { labels: { case: "$ns" } }),
          quiet: true,
        })),
      ),
      { call: `GET /apis/${GROUP}/v1/widgets?labelSelector=case%3D$ns` },
    ],
  },
  {
    name: "list: in pages",
    steps: [
      ...five,
      { call: `GET ${WIDGETS}?limit=2`, save: { next: "metadata.continue" } },
      { call: `GET ${WIDGETS}?limit=2&continue=$next`, save: { next: "metadata.continue" } },
      { call: `GET ${WIDGETS}?limit=2&continue=$next` },
    ],
  },
  {
    name: "list: a page is a snapshot",
    steps: [
      ...five,
      { call: `GET ${WIDGETS}?limit=2`, save: { next: "metadata.continue" } },
      { call: `DELETE ${WIDGETS}/w3`, quiet: true },
      { call: `POST ${WIDGETS}`, body: widget("w22"), quiet: true },
      { call: `GET ${WIDGETS}?limit=2&continue=$next`, save: { next: "metadata.continue" } },
      { call: `GET ${WIDGETS}?continue=$next` },
    ],
  },
  {
    name: "list: pages with a selector",
    steps: [
      ...five,
      { call: `GET ${WIDGETS}?limit=1&labelSelector=color%3Dred`, save: { next: "metadata.continue" } },
      { call: `GET ${WIDGETS}?limit=1&labelSelector=color%3Dred&continue=$next` },
      { call: `GET ${WIDGETS}?limit=1&fieldSelector=metadata.name%3Dw1` },
    ],
  },
  {
    name: "list: limits at the edge",
    steps: [
      ...five,
      list("limit=5"),
      list("limit=4"),
      list("limit=0"),
      list("limit=500"),
      list("limit=-1"),
      list("limit=x"),
      list("limit=99999999999999999999"),
    ],
  },
  {
    name: "list: bad continue tokens",
    steps: [
      ...five.slice(0, 1),
      list("continue=nonsense"),
      list("limit=1&continue=e30"),
      list("continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiJ4XHUwMDAwIn0"),
      list("continue=%FF"),
      { call: `GET ${WIDGETS}?limit=1&continue=abc&resourceVersion=5` },
    ],
  },
  {
    name: "list: resourceVersion semantics",
    steps: [
      ...five,
      list("resourceVersion=0"),
      list("resourceVersion=0&limit=1"),
      list("resourceVersion=1"),
      list("resourceVersion=x"),
      list("resourceVersion=0&resourceVersionMatch=NotOlderThan"),
      list("resourceVersion=0&resourceVersionMatch=Exact"),
      list("resourceVersionMatch=Exact"),
      list("resourceVersion=1&resourceVersionMatch=Nonsense"),
      list("resourceVersion=1&resourceVersionMatch=NotOlderThan"),
    ],
  },
  {
    name: "list: at an exact past revision",
    steps: [
      ...five.slice(0, 2),
      { call: `GET ${WIDGETS}/w1`, save: { rv: "metadata.resourceVersion" }, quiet: true },
      ...five.slice(2),
      list("resourceVersion=$rv&resourceVersionMatch=Exact"),
      list("resourceVersion=$rv&resourceVersionMatch=NotOlderThan"),
      list("resourceVersion=$rv&resourceVersionMatch=Exact&limit=1"),
    ],
  },
  {
    name: "list: a resource version of the future",
    steps: [list("resourceVersion=99999999")].map((step) => ({ ...step, view: withoutRevisions })),
  },
  ...LABEL_SELECTORS.map((selector) => ({
    name: `list: label selector "${selector}"`,
    steps: [...five, list(`labelSelector=${encodeURIComponent(selector)}`)],
  })),
  {
    name: "list: label selectors that do not parse",
    steps: BAD_LABEL_SELECTORS.map((selector) => list(`labelSelector=${encodeURIComponent(selector)}`)),
  },
  ...FIELD_SELECTORS.map((selector) => ({
    name: `list: field selector "${selector}"`,
    steps: [...five, list(`fieldSelector=${encodeURIComponent(selector).replace("%24ns", "$ns")}`)],
  })),
  {
    name: "list: field selectors that are not supported",
    steps: BAD_FIELD_SELECTORS.map((selector) => list(`fieldSelector=${encodeURIComponent(selector)}`)),
  },
  {
    name: "list: field selectors of built-in kinds",
    steps: [
      {
        call: "POST /api/v1/namespaces/$ns/secrets",
        body: { apiVersion: "v1", kind: "Secret", metadata: { name: "s" } },
        quiet: true,
      },
      {
        call: "POST /api/v1/namespaces/$ns/secrets",
        body: { apiVersion: "v1", kind: "Secret", metadata: { name: "t" }, type: "a/b" },
        quiet: true,
      },
      { call: "GET /api/v1/namespaces/$ns/secrets?fieldSelector=type%3Da/b", only: ["items.0.metadata.name", "items.1"] },
      { call: "GET /api/v1/namespaces/$ns/secrets?fieldSelector=type%3DOpaque", only: ["items.0.metadata.name", "items.1"] },
      {
        call: "GET /api/v1/namespaces?fieldSelector=status.phase%3DActive,metadata.name%3D$ns",
        only: ["items.0.metadata.name", "items.1"],
      },
      { call: "GET /api/v1/namespaces/$ns/configmaps?fieldSelector=data%3Dx" },
    ],
  },
  {
    name: "list: selectors that are absurdly long",
    steps: [
      { call: `GET ${WIDGETS}?labelSelector=${encodeURIComponent(`a in (${"x,".repeat(5_000)}x)`)}`, only: ["items"] },
      { call: `GET ${WIDGETS}?labelSelector=${"(".repeat(5_000)}` },
      {
        call: `GET ${WIDGETS}?fieldSelector=${encodeURIComponent(Array.from({ length: 1_000 }, () => "metadata.name=x").join(","))}`,
        only: ["items"],
      },
    ],
  },
  {
    name: "list: query parameters that are not known",
    steps: [
      ...five.slice(0, 1),
      list("nonsense=1"),
      list("timeoutSeconds=x"),
      { watch: `${WIDGETS}?watch=maybe`, count: 1 },
      list("pretty=true"),
      list("limit=1&limit=2"),
    ],
  },
  {
    name: "list: cluster-scoped",
    steps: [
      { call: `POST ${GADGETS}`, body: gadget("$ns", {}, { labels: { case: "$ns" } }), quiet: true },
      { call: `GET ${GADGETS}?labelSelector=case%3D$ns` },
      { call: `GET /apis/${GROUP}/v1/namespaces/$ns/gadgets` },
    ],
  },
];

function withoutRevisions(body: unknown): unknown {
  return JSON.parse(JSON.stringify(body).replaceAll(/current: \d+/g, "current: <revision>")) as unknown;
}
