import type { Case, Step } from "../case.ts";
import { CONFIGMAPS, GADGETS, GROUP, WIDGETS, configMap, gadget, widget } from "./kinds.ts";

const made: Step = {
  call: `POST ${WIDGETS}`,
  body: widget("w", { color: "red", size: 1 }),
  save: { rv: "metadata.resourceVersion", uid: "metadata.uid" },
  quiet: true,
};
const PUT = `PUT ${WIDGETS}/w`;

function put(spec: unknown, metadata: Record<string, unknown> = {}, more: Record<string, unknown> = {}): Step {
  return { call: PUT, body: widget("w", spec, { resourceVersion: "$rv", ...metadata }, more) };
}

export const update: readonly Case[] = [
  { name: "update: the spec moves the generation", steps: [made, put({ color: "blue" }), { call: `GET ${WIDGETS}/w` }] },
  { name: "update: metadata alone does not", steps: [made, put({ color: "red", size: 1 }, { labels: { a: "b" } })] },
  { name: "update: the same again changes nothing", steps: [made, put({ color: "red", size: 1 }), { call: `GET ${WIDGETS}/w` }] },
  {
    name: "update: the same again, ConfigMap",
    steps: [
      { call: `POST ${CONFIGMAPS}`, body: configMap("c"), save: { rv: "metadata.resourceVersion" } },
      { call: `PUT ${CONFIGMAPS}/c`, body: configMap("c") },
      { call: `PUT ${CONFIGMAPS}/c`, body: configMap("c", { a: "2" }) },
    ],
  },
  { name: "update: a stale resourceVersion", steps: [made, put({ color: "blue" }), put({ color: "green" })] },
  { name: "update: a resourceVersion that is no number", steps: [made, put({ color: "blue" }, { resourceVersion: "abc" })] },
  {
    name: "update: a custom resource needs a resourceVersion",
    steps: [made, { call: PUT, body: widget("w", { color: "blue" }) }],
  },
  {
    name: "update: a ConfigMap needs none",
    steps: [
      { call: `POST ${CONFIGMAPS}`, body: configMap("c"), quiet: true },
      { call: `PUT ${CONFIGMAPS}/c`, body: configMap("c", { b: "2" }) },
    ],
  },
  {
    name: "update: what is not there",
    steps: [
      { call: `PUT ${WIDGETS}/none`, body: widget("none", undefined, { resourceVersion: "1" }) },
      { call: `PUT ${CONFIGMAPS}/none`, body: configMap("none") },
    ],
  },
  {
    name: "update: what is created by PUT",
    steps: [
      {
        call: "PUT /apis/coordination.k8s.io/v1/namespaces/$ns/leases/l",
        body: { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { name: "l" }, spec: { holderIdentity: "me" } },
      },
    ],
  },
  {
    name: "update: another name in the body",
    steps: [
      made,
      { call: PUT, body: widget("other", undefined, { resourceVersion: "$rv" }) },
      { call: PUT, body: { ...widget("x"), metadata: { resourceVersion: "$rv" } } },
    ],
  },
  { name: "update: another namespace in the body", steps: [made, put({ color: "blue" }, { namespace: "default" })] },
  {
    name: "update: another uid",
    steps: [
      made,
      put({ color: "blue" }, { uid: "11111111-2222-3333-4444-555555555555" }),
      put({ color: "blue" }, { uid: "$uid" }),
    ],
  },
  {
    name: "update: what cannot be changed",
    steps: [
      made,
      put({ color: "blue" }, { creationTimestamp: "2001-01-01T00:00:00Z" }),
      { call: `GET ${WIDGETS}/w`, save: { rv: "metadata.resourceVersion" } },
      put({ color: "blue" }, { deletionTimestamp: "2001-01-01T00:00:00Z" }),
      { call: `GET ${WIDGETS}/w`, save: { rv: "metadata.resourceVersion" } },
      put({ color: "blue" }, { generation: 77 }),
      { call: `GET ${WIDGETS}/w`, save: { rv: "metadata.resourceVersion" } },
      put({ color: "blue" }, { generateName: "x-", selfLink: "/x" }),
    ],
  },
  {
    name: "update: status is not touched through the object",
    steps: [made, put({ color: "red", size: 1 }, {}, { status: { phase: "Done" } })],
  },
  {
    name: "update: through /status only status changes",
    steps: [
      made,
      {
        call: `PUT ${WIDGETS}/w/status`,
        body: widget(
          "w",
          { color: "blue" },
          { resourceVersion: "$rv", labels: { a: "b" }, annotations: { c: "d" }, finalizers: ["x/y"] },
          { status: { phase: "Done", ready: true } },
        ),
      },
      { call: `GET ${WIDGETS}/w` },
      { call: `GET ${WIDGETS}/w/status` },
    ],
  },
  {
    name: "update: /status drops what the schema does not know",
    steps: [
      made,
      {
        call: `PUT ${WIDGETS}/w/status`,
        body: widget("w", undefined, { resourceVersion: "$rv" }, { status: { phase: "Done", nope: 1 } }),
      },
    ],
  },
  {
    name: "update: /status is validated",
    steps: [
      made,
      { call: `PUT ${WIDGETS}/w/status`, body: widget("w", undefined, { resourceVersion: "$rv" }, { status: { phase: 5 } }) },
    ],
  },
  {
    name: "update: the same status again changes nothing",
    steps: [
      made,
      ...[1, 2].map(() => ({
        call: `PUT ${WIDGETS}/w/status`,
        save: { rv: "metadata.resourceVersion" },
        body: widget("w", undefined, { resourceVersion: "$rv" }, { status: { phase: "Done" } }),
      })),
    ],
  },
  {
    name: "update: no /status there",
    steps: [
      { call: `POST ${GADGETS}`, body: gadget("$ns"), quiet: true },
      { call: `GET ${GADGETS}/$ns/status` },
      { call: `PUT ${GADGETS}/$ns/status`, body: gadget("$ns") },
      { call: `GET ${CONFIGMAPS}/x/status` },
    ],
  },
  {
    name: "update: generation where status is part of the object",
    steps: [
      { call: `POST ${GADGETS}`, body: gadget("$ns"), save: { rv: "metadata.resourceVersion" } },
      { call: `PUT ${GADGETS}/$ns`, body: { ...gadget("$ns", {}, { resourceVersion: "$rv" }), status: { phase: "Done" } } },
    ],
  },
  {
    name: "update: scale",
    steps: [
      made,
      { call: `GET ${WIDGETS}/w/scale` },
      {
        call: `PUT ${WIDGETS}/w/scale`,
        body: { apiVersion: "autoscaling/v1", kind: "Scale", metadata: { name: "w", namespace: "$ns" }, spec: { replicas: 4 } },
      },
      { call: `GET ${WIDGETS}/w`, save: { rv: "metadata.resourceVersion" } },
      {
        call: `PUT ${WIDGETS}/w/status`,
        body: widget("w", undefined, { resourceVersion: "$rv" }, { status: { replicas: 3, selector: "a=b" } }),
        quiet: true,
      },
      { call: `GET ${WIDGETS}/w/scale`, save: { rv: "metadata.resourceVersion" } },
      { call: `PATCH ${WIDGETS}/w/scale`, type: "application/merge-patch+json", body: { spec: { replicas: 2 } } },
      {
        call: `PUT ${WIDGETS}/w/scale`,
        body: {
          apiVersion: "autoscaling/v1",
          kind: "Scale",
          metadata: { name: "w", resourceVersion: "$rv" },
          spec: { replicas: 9 },
        },
      },
      {
        call: `PUT ${WIDGETS}/w/scale`,
        body: { apiVersion: "autoscaling/v1", kind: "Scale", metadata: { name: "w" }, spec: { replicas: -1 } },
      },
      {
        call: `PUT ${WIDGETS}/w/scale`,
        body: { apiVersion: "autoscaling/v1", kind: "Scale", metadata: { name: "other" }, spec: { replicas: 1 } },
      },
      {
        call: `PUT ${WIDGETS}/w/scale`,
        body: { apiVersion: "autoscaling/v1", kind: "Scale", metadata: { name: "w" }, spec: { replicas: "two" } },
      },
      { call: `PUT ${WIDGETS}/w/scale`, body: widget("w") },
      { call: `GET ${WIDGETS}/none/scale` },
      { call: `DELETE ${WIDGETS}/w/scale` },
      { call: `GET ${GADGETS}/x/scale` },
    ],
  },
  {
    name: "update: in another version",
    steps: [
      made,
      {
        call: `PUT /apis/${GROUP}/v1beta1/namespaces/$ns/widgets/w`,
        body: { ...widget("w", { color: "green" }, { resourceVersion: "$rv" }), apiVersion: `${GROUP}/v1beta1` },
      },
      { call: `GET ${WIDGETS}/w` },
    ],
  },
  {
    name: "update: immutable Secret",
    steps: [
      {
        call: "POST /api/v1/namespaces/$ns/secrets",
        body: { apiVersion: "v1", kind: "Secret", metadata: { name: "s" }, data: { a: "MQ==" }, immutable: true },
        quiet: true,
      },
      {
        call: "PUT /api/v1/namespaces/$ns/secrets/s",
        body: { apiVersion: "v1", kind: "Secret", metadata: { name: "s" }, data: { a: "Mg==" }, immutable: true },
      },
      {
        call: "PUT /api/v1/namespaces/$ns/secrets/s",
        body: { apiVersion: "v1", kind: "Secret", metadata: { name: "s" }, data: { a: "MQ==" } },
      },
      {
        call: "PUT /api/v1/namespaces/$ns/secrets/s",
        body: {
          apiVersion: "v1",
          kind: "Secret",
          metadata: { name: "s", labels: { a: "b" } },
          data: { a: "MQ==" },
          immutable: true,
          type: "other",
        },
      },
      {
        call: "PUT /api/v1/namespaces/$ns/secrets/s",
        body: {
          apiVersion: "v1",
          kind: "Secret",
          metadata: { name: "s", labels: { a: "b" } },
          data: { a: "MQ==" },
          immutable: true,
        },
      },
    ],
  },
  {
    name: "update: immutable ConfigMap",
    steps: [
      { call: `POST ${CONFIGMAPS}`, body: { ...configMap("c"), immutable: true }, quiet: true },
      { call: `PUT ${CONFIGMAPS}/c`, body: { ...configMap("c", { a: "2" }), immutable: true } },
      { call: `PUT ${CONFIGMAPS}/c`, body: configMap("c") },
    ],
  },
];
