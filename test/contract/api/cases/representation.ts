import { at } from "../case.ts";
import type { Case, Step } from "../case.ts";
import { CONFIGMAPS, GADGETS, GROUP, SECRETS, WIDGETS, WIDGETS_BETA, configMap, gadget, widget } from "./kinds.ts";

const TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io";
const PARTIAL = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io";
const PARTIAL_LIST = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";

const made: Step = {
  call: `POST ${WIDGETS}`,
  body: widget(
    "w",
    {
      color: "red",
      size: 7,
      tags: ["a", "b"],
      ports: [
        { port: 1, name: "one" },
        { port: 2, name: "two", protocol: "UDP" },
      ],
      when: "2020-01-01T00:00:00Z",
    },
    { labels: { a: "1" }, annotations: { b: "2" } },
  ),
  quiet: true,
};
const bare: Step = { call: `POST ${WIDGETS}`, body: widget("bare"), quiet: true };

/** A date column shows an age, which grows while the test runs. */
function withoutAges(body: unknown): unknown {
  return JSON.parse(
    JSON.stringify(body)
      .replaceAll(/"\d+s"/g, '"<seconds>"')
      .replaceAll(/"\d+y\d*d?"/g, '"<years>"'),
  ) as unknown;
}

const table = (call: string, accept = TABLE): Step => ({ call, accept, view: withoutAges });

const ACCEPTS = [
  "*/*",
  "application/*",
  "application/json",
  "application/yaml",
  "text/html",
  "application/xml",
  "application/json;as=Table;v=v1beta1;g=meta.k8s.io",
  "application/json;as=Table;v=v2;g=meta.k8s.io",
  "application/json;as=Table;g=meta.k8s.io",
  "application/json;as=Nonsense;v=v1;g=meta.k8s.io",
  "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
  "application/json;as=PartialObjectMetadata;v=v1beta1;g=meta.k8s.io",
  "text/html, application/json;q=0.5",
  "application/json;q=0.1, application/yaml;q=0.9",
  "application/json;as=Table;v=v1;g=meta.k8s.io, application/json",
  "application/xml, application/json",
  "application/vnd.kubernetes.protobuf, application/json",
  "application/json;stream=watch",
  "application/json; charset=utf-8",
  "nonsense",
  "",
];

export const representation: readonly Case[] = [
  ...ACCEPTS.map((accept) => ({
    name: `accept: ${accept === "" ? "(empty)" : accept}`,
    steps: [made, { call: `GET ${WIDGETS}/w`, accept, view: withoutAges }],
  })),
  { name: "table: a list", steps: [made, bare, table(`GET ${WIDGETS}`)] },
  { name: "table: one object", steps: [made, table(`GET ${WIDGETS}/w`)] },
  {
    name: "table: includeObject",
    steps: [
      made,
      ...["None", "Metadata", "Object", "Nonsense", ""].map((include) => table(`GET ${WIDGETS}?includeObject=${include}`)),
    ],
  },
  { name: "table: nothing", steps: [table(`GET ${WIDGETS}`)] },
  { name: "table: in pages", steps: [made, bare, table(`GET ${WIDGETS}?limit=1`)] },
  {
    name: "table: a kind without columns of its own",
    steps: [{ call: `POST ${GADGETS}`, body: gadget("$ns"), quiet: true }, table(`GET ${GADGETS}/$ns`)],
  },
  { name: "table: a version without columns", steps: [made, table(`GET ${WIDGETS_BETA}`)] },
  { name: "table: an error stays a Status", steps: [table(`GET ${WIDGETS}/none`), table(`GET ${WIDGETS}?labelSelector=%21`)] },
  {
    name: "table: answers to writes",
    steps: [
      table(`POST ${WIDGETS}`),
      { call: `POST ${WIDGETS}`, body: widget("t"), accept: TABLE, view: withoutAges },
      { call: `DELETE ${WIDGETS}/t`, accept: TABLE, view: withoutAges },
    ],
  },
  {
    name: "partial: one object",
    steps: [
      made,
      { call: `GET ${WIDGETS}/w`, accept: PARTIAL },
      { call: `GET ${WIDGETS}/w`, accept: `${PARTIAL},application/json` },
    ],
  },
  {
    name: "partial: a list",
    steps: [made, bare, { call: `GET ${WIDGETS}`, accept: PARTIAL_LIST }, { call: `GET ${WIDGETS}`, accept: PARTIAL }],
  },
  {
    name: "partial: built-in kinds",
    steps: [
      { call: `POST ${CONFIGMAPS}`, body: configMap("c"), quiet: true },
      { call: `GET ${CONFIGMAPS}`, accept: PARTIAL_LIST },
      { call: `GET ${CONFIGMAPS}/c`, accept: PARTIAL },
    ],
  },
  {
    name: "partial: answers to writes",
    steps: [
      { call: `POST ${WIDGETS}`, body: widget("t"), accept: PARTIAL },
      { call: `PATCH ${WIDGETS}/t`, type: "application/merge-patch+json", body: { spec: { size: 1 } }, accept: PARTIAL },
      { call: `DELETE ${WIDGETS}/t`, accept: PARTIAL },
    ],
  },
  {
    name: "yaml: there and back",
    steps: [
      {
        call: `POST ${WIDGETS}`,
        type: "application/yaml",
        accept: "application/yaml",
        body: `apiVersion: ${GROUP}/v1\nkind: Widget\nmetadata:\n  name: y\nspec:\n  color: red\n  size: 0x10\n  title: "on"\n  on: yes\n`,
      },
      { call: `GET ${WIDGETS}`, accept: "application/yaml" },
      { call: `GET ${WIDGETS}/none`, accept: "application/yaml" },
    ],
  },
  {
    name: "yaml: YAML 1.1 as Kubernetes reads it",
    steps: [
      {
        call: `POST ${GADGETS}`,
        type: "application/yaml",
        body: `apiVersion: ${GROUP}/v1\nkind: Gadget\nmetadata: {name: $ns}\nspec: {a: yes, b: "yes", c: 010, d: 0o10, e: 1_000, f: 1.5e3, g: ~, h: 2020-01-01, i: 0b11, j: .5, k: .inf2, l: on, m: 12:30, n: "null", o: !!str 5, p: [a, {b: c}], 5: x, true: y}\n`,
      },
    ],
  },
  {
    name: "yaml: what does not parse",
    steps: [
      "a: b: c",
      "\t- x",
      "[",
      "a: &x 1\nb: *y",
      "apiVersion: v1\n---\nkind: X\n",
      "- a\n- b\n",
      "just text",
      "",
      "a: !!binary YQ==\n",
      "{a: 1, a: 2}",
    ].map((body) => ({ call: `POST ${WIDGETS}`, type: "application/yaml", body })),
  },
  {
    name: "pretty",
    steps: [
      made,
      { call: `GET ${WIDGETS}/w?pretty=true`, view: (_: unknown, { body }) => body.toString("utf8").split("\n").slice(0, 3) },
      { call: `GET ${WIDGETS}/none?pretty=1`, view: (_: unknown, { body }) => body.toString("utf8").trimEnd() },
    ],
  },
  {
    name: "table: secrets show no data",
    steps: [
      {
        call: `POST ${SECRETS}`,
        body: { apiVersion: "v1", kind: "Secret", metadata: { name: "s" }, data: { a: "MQ==" } },
        quiet: true,
      },
      {
        call: `GET ${SECRETS}`,
        accept: TABLE,
        view: (body: unknown) => [at(body, "kind"), at(body, "rows.0.object.kind"), JSON.stringify(body).includes("MQ==")],
      },
    ],
  },
];
