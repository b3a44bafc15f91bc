import type { Case, Step } from "../case.ts";
import { CONFIGMAPS, WIDGETS, configMap, widget } from "./kinds.ts";

const MERGE = "application/merge-patch+json";
const POLICIES = ["Strict", "Warn", "Ignore", "Nonsense", ""];
const unknown = { ...widget("w", { color: "red", nope: 1, nested: { nope: 2 }, ports: [{ port: 1, nope: 3 }] }), nonsense: true };
const TWICE = `{"apiVersion":"lab.sidero.test/v1","kind":"Widget","metadata":{"name":"w"},"spec":{"color":"red","color":"blue","nested":{"depth":1,"depth":2}}}`;
const made: Step = { call: `POST ${WIDGETS}`, body: widget("w"), save: { rv: "metadata.resourceVersion" }, quiet: true };

/** A refused patch is quoted with the whole document it was for, field by field in the server's own order. */
function withoutDocument(body: unknown): unknown {
  return JSON.parse(JSON.stringify(body).replaceAll(/\\"\{.*?\}\\"(?=: )/g, "<document>")) as unknown;
}

export const validation: readonly Case[] = [
  ...POLICIES.map((policy) => ({
    name: `fieldValidation=${policy}: create`,
    steps: [{ call: `POST ${WIDGETS}?fieldValidation=${policy}`, body: unknown }],
  })),
  ...POLICIES.slice(0, 3).map((policy) => ({
    name: `fieldValidation=${policy}: keys twice`,
    steps: [{ call: `POST ${WIDGETS}?fieldValidation=${policy}`, body: TWICE }],
  })),
  ...POLICIES.slice(0, 3).map((policy) => ({
    name: `fieldValidation=${policy}: built-in kind`,
    steps: [
      { call: `POST ${CONFIGMAPS}?fieldValidation=${policy}`, body: { ...configMap("c"), nope: 1, spec: { a: 1 } } },
      {
        call: `POST ${CONFIGMAPS}?fieldValidation=${policy}`,
        body: `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"d","name":"d"},"data":{"a":"1","a":"2"}}`,
      },
      {
        call: `POST ${CONFIGMAPS}?fieldValidation=${policy}`,
        body: `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"e"},"Data":{"a":"1"}}`,
      },
    ],
  })),
  ...POLICIES.slice(0, 3).map((policy) => ({
    name: `fieldValidation=${policy}: update and patch`,
    steps: [
      made,
      {
        call: `PUT ${WIDGETS}/w?fieldValidation=${policy}`,
        body: widget("w", { color: "red", nope: 1 }, { resourceVersion: "$rv" }),
      },
      { call: `PATCH ${WIDGETS}/w?fieldValidation=${policy}`, type: MERGE, body: { spec: { nope: 1 } }, view: withoutDocument },
      {
        call: `PATCH ${WIDGETS}/w?fieldValidation=${policy}`,
        type: "application/json-patch+json",
        body: [{ op: "add", path: "/spec/nope", value: 1 }],
        view: withoutDocument,
      },
      {
        call: `PATCH ${WIDGETS}/w?fieldValidation=${policy}`,
        type: "application/json-patch+json",
        body: [{ op: "add", path: "/spec/size", value: 1, nope: 2 }],
        view: withoutDocument,
      },
      {
        call: `PATCH ${WIDGETS}/w/status?fieldValidation=${policy}`,
        type: MERGE,
        body: { status: { nope: 1 } },
        view: withoutDocument,
      },
    ],
  })),
  ...POLICIES.slice(0, 3).map((policy) => ({
    name: `fieldValidation=${policy}: patch, built-in kind`,
    steps: [
      { call: `POST ${CONFIGMAPS}`, body: configMap("c"), quiet: true },
      { call: `PATCH ${CONFIGMAPS}/c?fieldValidation=${policy}`, type: MERGE, body: { nope: 1 }, view: withoutDocument },
      {
        call: `PATCH ${CONFIGMAPS}/c?fieldValidation=${policy}`,
        type: "application/strategic-merge-patch+json",
        body: { nope: 1 },
      },
      {
        call: `PATCH ${CONFIGMAPS}/c?fieldValidation=${policy}`,
        type: MERGE,
        body: `{"data":{"a":"1","a":"2"}}`,
        view: withoutDocument,
      },
    ],
  })),
  {
    name: "fieldValidation=Strict: metadata",
    steps: [{ call: `POST ${WIDGETS}?fieldValidation=Strict`, body: widget("w", undefined, { nope: 1, labels: { a: "b" } }) }],
  },
  {
    name: "fieldValidation=Strict: YAML",
    steps: [
      {
        call: `POST ${WIDGETS}?fieldValidation=Strict`,
        type: "application/yaml",
        body: "apiVersion: lab.sidero.test/v1\nkind: Widget\nmetadata: {name: w}\nspec: {color: red, nope: 1}\n",
      },
      {
        call: `POST ${WIDGETS}?fieldValidation=Strict`,
        type: "application/yaml",
        body: "apiVersion: lab.sidero.test/v1\nkind: Widget\nmetadata: {name: w}\nspec: {color: red, color: blue}\n",
      },
    ],
  },
  {
    name: "fieldValidation=Strict: what is preserved is known",
    steps: [
      {
        call: `POST ${WIDGETS}?fieldValidation=Strict`,
        body: widget("w", { color: "red", free: { x: 1 }, any: { y: 1 }, counts: { z: 1 } }),
      },
    ],
  },
  {
    name: "dry run: create",
    steps: [
      { call: `POST ${WIDGETS}?dryRun=All`, body: widget("w") },
      { call: `GET ${WIDGETS}/w` },
      { call: `POST ${WIDGETS}?dryRun=Some`, body: widget("w") },
      { call: `POST ${WIDGETS}?dryRun=All&dryRun=All`, body: widget("w") },
      { call: `POST ${WIDGETS}?dryRun=`, body: widget("w") },
    ],
  },
  {
    name: "dry run: create what is there, and what is wrong",
    steps: [
      made,
      { call: `POST ${WIDGETS}?dryRun=All`, body: widget("w") },
      { call: `POST ${WIDGETS}?dryRun=All`, body: widget("x", { color: "black" }) },
      { call: `POST ${CONFIGMAPS}?dryRun=All`, body: configMap("c") },
      { call: `GET ${CONFIGMAPS}/c` },
    ],
  },
  {
    name: "dry run: update, patch",
    steps: [
      made,
      { call: `PUT ${WIDGETS}/w?dryRun=All`, body: widget("w", { color: "blue" }, { resourceVersion: "$rv" }) },
      { call: `PATCH ${WIDGETS}/w?dryRun=All`, type: MERGE, body: { spec: { size: 5 } } },
      { call: `PATCH ${WIDGETS}/w/status?dryRun=All`, type: MERGE, body: { status: { phase: "x" } } },
      { call: `GET ${WIDGETS}/w` },
    ],
  },
  {
    name: "fieldManager: what is refused",
    steps: [
      { call: `POST ${WIDGETS}?fieldManager=${"m".repeat(129)}`, body: widget("w") },
      { call: `POST ${WIDGETS}?fieldManager=a%07b`, body: widget("w") },
      { call: `POST ${WIDGETS}?fieldManager=me`, body: widget("w") },
      { call: `PATCH ${WIDGETS}/w?force=true`, type: MERGE, body: {} },
    ],
  },
];
