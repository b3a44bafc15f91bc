import type { Case, Step } from "../case.ts";
import { GROUP, configMap, widget } from "./kinds.ts";

const NAMESPACES = "/api/v1/namespaces";
const name = "$ns-x";
const CONFIGMAPS = `${NAMESPACES}/${name}/configmaps`;
const WIDGETS = `/apis/${GROUP}/v1/namespaces/${name}/widgets`;
const namespace = (metadata: Record<string, unknown> = {}): Record<string, unknown> => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name, ...metadata },
});
const made: Step = { call: `POST ${NAMESPACES}`, body: namespace(), quiet: true };
const gone = (call: string): Step => ({ call, until: (status) => status === 404 });

/** Conditions tell how far the emptying has come: a matter of the moment. */
function withoutConditions(body: unknown): unknown {
  return JSON.parse(JSON.stringify(body), (key, value: unknown) => (key === "conditions" ? undefined : value)) as unknown;
}

export const namespaces: readonly Case[] = [
  {
    name: "namespace: made",
    steps: [
      { call: `POST ${NAMESPACES}`, body: namespace() },
      { call: `GET ${NAMESPACES}/${name}` },
      { call: `POST ${NAMESPACES}`, body: namespace() },
    ],
  },
  {
    name: "namespace: bad names",
    steps: ["a.b", "UP", "x".repeat(64), "-a", ""].map((bad) => ({ call: `POST ${NAMESPACES}`, body: namespace({ name: bad }) })),
  },
  {
    name: "namespace: the ones that are there from the start",
    steps: ["default", "kube-system", "kube-public", "kube-node-lease"].map((builtin) => ({
      call: `GET ${NAMESPACES}/${builtin}`,
      only: ["metadata.labels", "spec", "status.phase"],
    })),
  },
  {
    name: "namespace: its label is its name",
    steps: [
      { call: `POST ${NAMESPACES}`, body: namespace({ labels: { "kubernetes.io/metadata.name": "other", a: "b" } }) },
      {
        call: `PATCH ${NAMESPACES}/${name}`,
        type: "application/merge-patch+json",
        body: { metadata: { labels: { "kubernetes.io/metadata.name": null } } },
      },
    ],
  },
  {
    name: "namespace: deleted, with everything in it",
    steps: [
      made,
      { call: `POST ${CONFIGMAPS}`, body: configMap("c"), quiet: true },
      { call: `POST ${WIDGETS}`, body: widget("w"), quiet: true },
      { call: `DELETE ${NAMESPACES}/${name}`, view: withoutConditions },
      gone(`GET ${NAMESPACES}/${name}`),
      { call: `GET ${CONFIGMAPS}/c` },
      { call: `GET ${WIDGETS}/w` },
    ],
  },
  {
    name: "namespace: terminating while something is held",
    steps: [
      made,
      { call: `POST ${WIDGETS}`, body: widget("w", { color: "red" }, { finalizers: ["x.test/hold"] }), quiet: true },
      { call: `DELETE ${NAMESPACES}/${name}`, view: withoutConditions },
      {
        call: `GET ${WIDGETS}/w`,
        until: (_, body) => JSON.stringify(body).includes("deletionTimestamp"),
        only: ["metadata.finalizers"],
      },
      { call: `POST ${CONFIGMAPS}`, body: configMap("c") },
      { call: `POST ${WIDGETS}`, body: widget("v") },
      { call: `PATCH ${WIDGETS}/w`, type: "application/merge-patch+json", body: { spec: { size: 1 } }, only: ["spec.size"] },
      { call: `GET ${NAMESPACES}/${name}`, only: ["status.phase", "spec"] },
      { call: `DELETE ${NAMESPACES}/${name}`, view: () => "again" },
      { call: `PATCH ${WIDGETS}/w`, type: "application/merge-patch+json", body: { metadata: { finalizers: null } }, quiet: true },
      gone(`GET ${NAMESPACES}/${name}`),
    ],
  },
  {
    name: "namespace: finalizers are its own affair",
    steps: [
      { call: `POST ${NAMESPACES}`, body: { ...namespace(), spec: { finalizers: ["x.test/a"] } } },
      { call: `PUT ${NAMESPACES}/${name}`, body: { ...namespace(), spec: { finalizers: [] } } },
      { call: `PUT ${NAMESPACES}/${name}/finalize`, body: { ...namespace(), spec: { finalizers: ["kubernetes"] } } },
      { call: `GET ${NAMESPACES}/${name}/finalize` },
    ],
  },
  {
    name: "namespace: status",
    steps: [
      made,
      { call: `PUT ${NAMESPACES}/${name}/status`, body: { ...namespace(), status: { phase: "Active" } } },
      { call: `GET ${NAMESPACES}/${name}/status`, only: ["status"] },
    ],
  },
  {
    name: "namespace: a dry-run deletion",
    steps: [
      made,
      { call: `DELETE ${NAMESPACES}/${name}?dryRun=All`, view: withoutConditions },
      { call: `GET ${NAMESPACES}/${name}`, only: ["status.phase", "metadata.deletionTimestamp"] },
    ],
  },
];
