import type { Case, Step } from "../case.ts";
import { CONFIGMAPS, GADGETS, GROUP, WIDGETS, configMap, gadget, widget } from "./kinds.ts";

const MERGE = "application/merge-patch+json";
const made: Step = {
  call: `POST ${WIDGETS}`,
  body: widget("w"),
  save: { rv: "metadata.resourceVersion", uid: "metadata.uid" },
  quiet: true,
};
const held: Step = { ...made, body: widget("w", { color: "red" }, { finalizers: ["x.test/hold"] }) };
const get: Step = { call: `GET ${WIDGETS}/w` };

function remove(options?: unknown, query = ""): Step {
  const call = `DELETE ${WIDGETS}/w${query}`;
  return options === undefined ? { call } : { call, body: options };
}

function finalizers(list: readonly string[] | null): Step {
  return { call: `PATCH ${WIDGETS}/w`, type: MERGE, body: { metadata: { finalizers: list } } };
}

const options = (fields: Record<string, unknown>): Record<string, unknown> => ({
  apiVersion: "v1",
  kind: "DeleteOptions",
  ...fields,
});

const three: readonly Step[] = ["a", "b", "c"].map((name) => ({
  call: `POST ${WIDGETS}`,
  body: widget(name, { color: "red" }, { labels: { n: name } }),
  quiet: true,
}));

function owned(name: string, fields: Record<string, unknown> = {}): Record<string, unknown> {
  return configMap(
    name,
    {},
    { ownerReferences: [{ apiVersion: `${GROUP}/v1`, kind: "Widget", name: "w", uid: "$uid", ...fields }] },
  );
}

const gone = (call: string): Step => ({ call, until: (status) => status === 404 });
const still = (status: number): boolean => status === 200;

export const deletion: readonly Case[] = [
  { name: "delete: a custom resource", steps: [made, remove(), get] },
  {
    name: "delete: a ConfigMap",
    steps: [
      { call: `POST ${CONFIGMAPS}`, body: configMap("c"), quiet: true },
      { call: `DELETE ${CONFIGMAPS}/c` },
      { call: `GET ${CONFIGMAPS}/c` },
    ],
  },
  {
    name: "delete: a cluster-scoped resource",
    steps: [{ call: `POST ${GADGETS}`, body: gadget("$ns"), quiet: true }, { call: `DELETE ${GADGETS}/$ns` }],
  },
  { name: "delete: what is not there", steps: [{ call: `DELETE ${WIDGETS}/none` }, { call: `DELETE ${CONFIGMAPS}/none` }] },
  { name: "delete: twice", steps: [made, remove(), remove()] },
  { name: "delete: held by a finalizer", steps: [held, remove(), get, remove(), finalizers(null), get] },
  { name: "delete: a finalizer more while deleting", steps: [held, remove(), finalizers(["x.test/hold", "x.test/more"])] },
  {
    name: "delete: one finalizer of two less",
    steps: [
      { ...made, body: widget("w", { color: "red" }, { finalizers: ["x.test/a", "x.test/b"] }) },
      remove(),
      finalizers(["x.test/b"]),
      finalizers([]),
    ],
  },
  {
    name: "delete: writing while deleting",
    steps: [
      held,
      remove(),
      { call: `PATCH ${WIDGETS}/w`, type: MERGE, body: { spec: { size: 3 } } },
      { call: `PATCH ${WIDGETS}/w/status`, type: MERGE, body: { status: { phase: "Going" } } },
      get,
    ],
  },
  {
    name: "delete: the last finalizer through /status",
    steps: [held, remove(), { call: `PATCH ${WIDGETS}/w/status`, type: MERGE, body: { metadata: { finalizers: null } } }, get],
  },
  { name: "delete: finalizers without a deletion", steps: [held, finalizers(null), get] },
  {
    name: "delete: preconditions that hold",
    steps: [made, remove(options({ preconditions: { uid: "$uid", resourceVersion: "$rv" } }))],
  },
  {
    name: "delete: a uid that is not its own",
    steps: [made, remove(options({ preconditions: { uid: "11111111-2222-3333-4444-555555555555" } })), get],
  },
  {
    name: "delete: a resourceVersion that is not its own",
    steps: [made, remove(options({ preconditions: { resourceVersion: "1" } })), get],
  },
  { name: "delete: grace", steps: [made, remove(options({ gracePeriodSeconds: 30 }))] },
  {
    name: "delete: grace, held",
    steps: [held, remove(options({ gracePeriodSeconds: 30 })), remove(options({ gracePeriodSeconds: 0 })), finalizers(null)],
  },
  {
    name: "delete: options that are wrong",
    steps: [
      made,
      remove(options({ propagationPolicy: "Nonsense" })),
      remove(options({ gracePeriodSeconds: -1, propagationPolicy: "" })),
      remove(options({ orphanDependents: true, propagationPolicy: "Orphan" })),
      remove(options({ dryRun: ["Some"] })),
      remove(options({ gracePeriodSeconds: "x" })),
      remove({ apiVersion: "v1", kind: "ConfigMap" }),
      remove("{"),
      remove("[]"),
      get,
    ],
  },
  {
    name: "delete: options in the query",
    steps: [
      made,
      remove(undefined, "?propagationPolicy=Nonsense"),
      remove(undefined, "?gracePeriodSeconds=x"),
      remove(undefined, "?dryRun=Some"),
      remove(undefined, "?dryRun=All"),
      remove(undefined, "?propagationPolicy=Foreground&gracePeriodSeconds=0"),
      gone(`GET ${WIDGETS}/w`),
    ],
  },
  {
    name: "delete: options as YAML",
    steps: [made, { call: `DELETE ${WIDGETS}/w`, type: "application/yaml", body: "propagationPolicy: Background\n" }],
  },
  { name: "delete: foreground adds its finalizer", steps: [held, remove(options({ propagationPolicy: "Foreground" }))] },
  { name: "delete: orphan adds its finalizer", steps: [held, remove(options({ propagationPolicy: "Orphan" }))] },
  { name: "delete: orphanDependents", steps: [held, remove(options({ orphanDependents: true }))] },
  { name: "delete: a dry run", steps: [made, remove(options({ dryRun: ["All"] })), get] },
  { name: "delete: a dry run of what is held", steps: [held, remove(options({ dryRun: ["All"] })), get] },
  { name: "delete: a collection", steps: [...three, { call: `DELETE ${WIDGETS}` }, { call: `GET ${WIDGETS}` }] },
  {
    name: "delete: a collection by label",
    steps: [
      ...three,
      { call: `DELETE ${WIDGETS}?labelSelector=n%21%3Db` },
      { call: `GET ${WIDGETS}`, only: ["items.0.metadata.name", "items.1"] },
    ],
  },
  {
    name: "delete: a collection by name",
    steps: [
      ...three,
      { call: `DELETE ${WIDGETS}?fieldSelector=metadata.name%3Da` },
      { call: `GET ${WIDGETS}`, only: ["items.0.metadata.name", "items.1.metadata.name", "items.2"] },
    ],
  },
  { name: "delete: a collection that is held", steps: [held, { call: `DELETE ${WIDGETS}` }, get, finalizers(null)] },
  { name: "delete: an empty collection", steps: [{ call: `DELETE ${WIDGETS}` }, { call: `DELETE ${CONFIGMAPS}` }] },
  {
    name: "delete: a collection of built-in kind",
    steps: [{ call: `POST ${CONFIGMAPS}`, body: configMap("c"), quiet: true }, { call: `DELETE ${CONFIGMAPS}` }],
  },
  {
    name: "delete: a collection, dry run",
    steps: [
      ...three,
      { call: `DELETE ${WIDGETS}?dryRun=All`, only: ["items.0.metadata.name"] },
      { call: `GET ${WIDGETS}`, only: ["items.2.metadata.name"] },
    ],
  },
  {
    name: "delete: collections that cannot be",
    steps: [{ call: "DELETE /api/v1/namespaces" }, { call: `DELETE /apis/${GROUP}/v1/widgets?labelSelector=none%3Dnone` }],
  },
  {
    name: "garbage: what is owned goes after its owner",
    collector: true,
    steps: [
      made,
      { call: `POST ${CONFIGMAPS}`, body: owned("c"), quiet: true },
      remove(options({ propagationPolicy: "Background" })),
      gone(`GET ${CONFIGMAPS}/c`),
    ],
  },
  {
    name: "garbage: by default in the background",
    collector: true,
    steps: [made, { call: `POST ${CONFIGMAPS}`, body: owned("c"), quiet: true }, remove(), gone(`GET ${CONFIGMAPS}/c`)],
  },
  {
    name: "garbage: in the foreground the owner waits",
    collector: true,
    steps: [
      made,
      { call: `POST ${CONFIGMAPS}`, body: owned("c", { blockOwnerDeletion: true }), quiet: true },
      { call: `PATCH ${CONFIGMAPS}/c`, type: MERGE, body: { metadata: { finalizers: ["x.test/hold"] } }, quiet: true },
      remove(options({ propagationPolicy: "Foreground" })),
      {
        call: `GET ${CONFIGMAPS}/c`,
        until: (status, body) => still(status) && JSON.stringify(body).includes("deletionTimestamp"),
      },
      { ...get, only: ["metadata.finalizers", "metadata.deletionTimestamp"] },
      { call: `PATCH ${CONFIGMAPS}/c`, type: MERGE, body: { metadata: { finalizers: null } }, quiet: true },
      gone(`GET ${CONFIGMAPS}/c`),
      gone(`GET ${WIDGETS}/w`),
    ],
  },
  {
    name: "garbage: orphans stay and forget their owner",
    collector: true,
    steps: [
      made,
      { call: `POST ${CONFIGMAPS}`, body: owned("c"), quiet: true },
      remove(options({ propagationPolicy: "Orphan" })),
      gone(`GET ${WIDGETS}/w`),
      {
        call: `GET ${CONFIGMAPS}/c`,
        until: (_, body) => !JSON.stringify(body).includes("ownerReferences"),
        only: ["metadata.ownerReferences", "metadata.name"],
      },
    ],
  },
  {
    name: "garbage: one owner of two is enough",
    collector: true,
    steps: [
      { call: `POST ${WIDGETS}`, body: widget("other"), save: { other: "metadata.uid" }, quiet: true },
      made,
      {
        call: `POST ${CONFIGMAPS}`,
        body: configMap(
          "c",
          {},
          {
            ownerReferences: ["w $uid", "other $other"].map((text) => ({
              apiVersion: `${GROUP}/v1`,
              kind: "Widget",
              name: text.split(" ")[0],
              uid: text.split(" ")[1],
            })),
          },
        ),
        quiet: true,
      },
      remove(),
      {
        call: `GET ${CONFIGMAPS}/c`,
        until: (_, body) => !JSON.stringify(body).includes('"w"'),
        only: ["metadata.ownerReferences"],
      },
    ],
  },
  {
    name: "garbage: an owner that never was",
    collector: true,
    steps: [
      { ...made, quiet: true },
      {
        call: `POST ${CONFIGMAPS}`,
        body: owned("c", { uid: "11111111-2222-3333-4444-555555555555", name: "never" }),
        quiet: true,
      },
      gone(`GET ${CONFIGMAPS}/c`),
    ],
  },
  {
    name: "garbage: generations",
    collector: true,
    steps: [
      made,
      { call: `POST ${CONFIGMAPS}`, body: owned("c"), save: { child: "metadata.uid" }, quiet: true },
      {
        call: `POST ${CONFIGMAPS}`,
        body: configMap("d", {}, { ownerReferences: [{ apiVersion: "v1", kind: "ConfigMap", name: "c", uid: "$child" }] }),
        quiet: true,
      },
      remove(options({ propagationPolicy: "Foreground" })),
      gone(`GET ${CONFIGMAPS}/d`),
      gone(`GET ${CONFIGMAPS}/c`),
      gone(`GET ${WIDGETS}/w`),
    ],
  },
];
