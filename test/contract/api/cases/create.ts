import type { Case } from "../case.ts";
import { CONFIGMAPS, GADGETS, GROUP, SECRETS, WIDGETS, WIDGETS_BETA, configMap, gadget, widget } from "./kinds.ts";

const POST = `POST ${WIDGETS}`;
const NAMES = ["Upper", "under_score", "-dash", "dash-", "dot..dot", "a/b", "a b", "ä", ".", "..", "x".repeat(254), "a%b", ""];
const LABELS: readonly Record<string, unknown>[] = [
  { "bad key!": "x" },
  { "": "x" },
  { "a/b/c": "x" },
  { "UPPER.example/x": "x" },
  { ok: "bad value!" },
  { ok: "-x" },
  { ["k".repeat(64)]: "x" },
  { ok: "v".repeat(64) },
];

export const create: readonly Case[] = [
  { name: "create: a custom resource", steps: [{ call: POST, body: widget("one") }, { call: `GET ${WIDGETS}/one` }] },
  {
    name: "create: a ConfigMap",
    steps: [{ call: `POST ${CONFIGMAPS}`, body: configMap("one") }, { call: `GET ${CONFIGMAPS}/one` }],
  },
  {
    name: "create: a cluster-scoped resource",
    steps: [{ call: `POST ${GADGETS}`, body: gadget("$ns", { a: [1, { b: null }] }) }, { call: `GET ${GADGETS}/$ns` }],
  },
  {
    name: "create: what the client may not choose is overwritten",
    steps: [
      {
        call: POST,
        body: widget(
          "own",
          { color: "red" },
          {
            uid: "11111111-2222-3333-4444-555555555555",
            creationTimestamp: "2001-01-01T00:00:00Z",
            generation: 7,
            selfLink: "/x",
            deletionTimestamp: "2001-01-01T00:00:00Z",
            deletionGracePeriodSeconds: 5,
          },
        ),
      },
    ],
  },
  { name: "create: with a resourceVersion", steps: [{ call: POST, body: widget("rv", undefined, { resourceVersion: "5" }) }] },
  { name: "create: with resourceVersion 0", steps: [{ call: POST, body: widget("rv", undefined, { resourceVersion: "0" }) }] },
  {
    name: "create: status is dropped where it is a subresource",
    steps: [{ call: POST, body: widget("st", undefined, {}, { status: { phase: "Done" } }) }],
  },
  {
    name: "create: status is kept where it is none",
    steps: [{ call: `POST ${GADGETS}`, body: { ...gadget("$ns"), status: { phase: "Done" } } }],
  },
  {
    name: "create: twice",
    steps: [
      { call: POST, body: widget("two"), quiet: true },
      { call: POST, body: widget("two") },
    ],
  },
  {
    name: "create: a ConfigMap twice",
    steps: [
      { call: `POST ${CONFIGMAPS}`, body: configMap("two"), quiet: true },
      { call: `POST ${CONFIGMAPS}`, body: configMap("two") },
    ],
  },
  {
    name: "create: generateName",
    steps: [
      { call: POST, body: { ...widget(""), metadata: { generateName: "made-" } } },
      { call: `POST ${CONFIGMAPS}`, body: { ...configMap(""), metadata: { generateName: "made-" } } },
    ],
  },
  {
    name: "create: a long generateName is cut",
    steps: [{ call: `POST ${CONFIGMAPS}`, body: { ...configMap(""), metadata: { generateName: `${"x".repeat(70)}-` } } }],
  },
  {
    name: "create: a bad generateName",
    steps: [
      { call: `POST ${CONFIGMAPS}`, body: { ...configMap(""), metadata: { generateName: "Bad_" } }, view: withoutRandom },
      { call: POST, body: { ...widget(""), metadata: { generateName: "Bad_" } }, view: withoutRandom },
    ],
  },
  {
    name: "create: neither name nor generateName",
    steps: [
      { call: POST, body: { ...widget(""), metadata: {} } },
      { call: `POST ${CONFIGMAPS}`, body: { ...configMap(""), metadata: {} } },
    ],
  },
  { name: "create: no metadata at all", steps: [{ call: POST, body: { apiVersion: `${GROUP}/v1`, kind: "Widget" } }] },
  ...NAMES.map((name) => ({
    name: `create: the name ${JSON.stringify(name).slice(0, 20)}`,
    steps: [
      { call: POST, body: widget(name) },
      { call: `POST ${CONFIGMAPS}`, body: configMap(name) },
    ],
  })),
  ...LABELS.map((labels) => ({
    name: `create: the label ${JSON.stringify(labels).slice(0, 24)}`,
    steps: [
      { call: POST, body: widget("labels", undefined, { labels }) },
      { call: `POST ${CONFIGMAPS}`, body: configMap("labels", {}, { labels }) },
    ],
  })),
  {
    name: "create: annotations with bad keys, and too large",
    steps: [
      { call: POST, body: widget("notes", undefined, { annotations: { "bad key": "x" } }) },
      { call: POST, body: widget("notes", undefined, { annotations: { Upper: "fine", ok: "a".repeat(262_145) } }) },
      {
        call: POST,
        body: widget("notes", undefined, { annotations: { "Upper.Example/Key": "lower-cased for the check" } }),
        only: ["metadata.annotations"],
      },
    ],
  },
  {
    name: "create: finalizers that are not qualified",
    steps: [
      { call: POST, body: widget("fin", undefined, { finalizers: ["no slash"] }) },
      { call: POST, body: widget("fin", undefined, { finalizers: ["orphan", "foregroundDeletion"] }) },
      { call: `POST ${CONFIGMAPS}`, body: configMap("fin", {}, { finalizers: ["plain"] }) },
      { call: `POST ${CONFIGMAPS}`, body: configMap("fin", {}, { finalizers: ["kubernetes"] }) },
    ],
  },
  {
    name: "create: owner references",
    steps: [
      {
        call: POST,
        body: widget("own", undefined, { ownerReferences: [{ apiVersion: "v1", kind: "ConfigMap", name: "a", uid: "1" }] }),
      },
      { call: POST, body: widget("own", undefined, { ownerReferences: [{ apiVersion: "", kind: "", name: "", uid: "" }] }) },
      {
        call: POST,
        body: widget("own", undefined, { ownerReferences: [{ apiVersion: "a/b/c", kind: "K", name: "n", uid: "1" }] }),
      },
      {
        call: POST,
        body: widget("own", undefined, { ownerReferences: [{ apiVersion: "v1", kind: "Event", name: "n", uid: "1" }] }),
      },
      {
        call: POST,
        body: widget("own", undefined, {
          ownerReferences: ["x", "y"].map((name) => ({ apiVersion: "v1", kind: "ConfigMap", name, uid: name, controller: true })),
        }),
      },
    ],
  },
  {
    name: "create: kind and apiVersion that are not the endpoint's",
    steps: [
      { call: POST, body: { ...widget("kind"), kind: "Gadget" } },
      { call: POST, body: { ...widget("kind"), apiVersion: `${GROUP}/v1beta1` } },
      { call: POST, body: { ...widget("kind"), apiVersion: "other/v1" } },
      { call: POST, body: { ...widget("kind"), apiVersion: "a/b/c" } },
      { call: `POST ${CONFIGMAPS}`, body: { ...configMap("kind"), kind: "Secret" } },
      { call: `POST ${CONFIGMAPS}`, body: { ...configMap("kind"), apiVersion: "v2" } },
      { call: `POST ${CONFIGMAPS}`, body: { ...configMap("kind"), kind: "Nothing" } },
    ],
  },
  {
    name: "create: kind or apiVersion left out",
    steps: [
      { call: POST, body: { metadata: { name: "bare" }, spec: { color: "red" } } },
      { call: POST, body: { kind: "Widget", metadata: { name: "bare" }, spec: { color: "red" } } },
      { call: POST, body: { apiVersion: `${GROUP}/v1`, metadata: { name: "bare" }, spec: { color: "red" } } },
      { call: `POST ${CONFIGMAPS}`, body: { metadata: { name: "bare" }, data: {} } },
    ],
  },
  {
    name: "create: a namespace in the body",
    steps: [
      { call: POST, body: widget("there", undefined, { namespace: "$ns" }) },
      { call: POST, body: widget("elsewhere", undefined, { namespace: "default" }) },
      { call: `POST ${GADGETS}`, body: gadget("$ns", {}, { namespace: "default" }) },
      { call: `POST ${CONFIGMAPS}`, body: configMap("elsewhere", {}, { namespace: "default" }) },
    ],
  },
  {
    name: "create: in a namespace that is not there",
    steps: [
      { call: "POST /api/v1/namespaces/nowhere/configmaps", body: configMap("x") },
      { call: `POST /apis/${GROUP}/v1/namespaces/nowhere/widgets`, body: widget("x") },
    ],
  },
  {
    name: "create: at an object's own path",
    steps: [
      { call: `POST ${WIDGETS}/one`, body: widget("one") },
      { call: `POST ${CONFIGMAPS}/one`, body: configMap("one") },
    ],
  },
  {
    name: "create: across all namespaces",
    steps: [
      { call: `POST /apis/${GROUP}/v1/widgets`, body: widget("one") },
      { call: "POST /api/v1/configmaps", body: configMap("one") },
    ],
  },
  {
    name: "create: in an older version",
    steps: [
      { call: `POST ${WIDGETS_BETA}`, body: { ...widget("old"), apiVersion: `${GROUP}/v1beta1` } },
      { call: `GET ${WIDGETS}/old` },
      { call: `GET ${WIDGETS_BETA}/old` },
    ],
  },
  {
    name: "create: in a version that is not served",
    steps: [{ call: `POST /apis/${GROUP}/v1alpha1/namespaces/$ns/widgets`, body: widget("x") }],
  },
  {
    name: "create: a Secret with stringData",
    steps: [
      {
        call: `POST ${SECRETS}`,
        body: {
          apiVersion: "v1",
          kind: "Secret",
          metadata: { name: "s" },
          data: { a: "MQ==", b: "Mg==" },
          stringData: { b: "three" },
        },
      },
      { call: `GET ${SECRETS}/s` },
      { call: `POST ${SECRETS}`, body: { apiVersion: "v1", kind: "Secret", metadata: { name: "t" }, data: { a: "no base64!" } } },
      {
        call: `POST ${SECRETS}`,
        body: { apiVersion: "v1", kind: "Secret", metadata: { name: "u" }, data: { "bad key": "MQ==" } },
      },
    ],
  },
  {
    name: "create: a ConfigMap with bad keys and values",
    steps: [
      { call: `POST ${CONFIGMAPS}`, body: configMap("k", { "bad key": "x" }) },
      { call: `POST ${CONFIGMAPS}`, body: configMap("k", { a: 1 }) },
      { call: `POST ${CONFIGMAPS}`, body: configMap("k", ["a"]) },
      { call: `POST ${CONFIGMAPS}`, body: configMap("k", { a: null }) },
    ],
  },
];

/** The made-up suffix is part of every message about a generated name. */
function withoutRandom(body: unknown): unknown {
  return JSON.parse(JSON.stringify(body).replaceAll(/Bad_[a-z0-9]{5}/g, "Bad_<random>")) as unknown;
}
