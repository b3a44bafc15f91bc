import { at } from "../case.ts";
import type { Case } from "../case.ts";
import { GROUP } from "./kinds.ts";

const AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
const COMMON = ["namespaces", "secrets", "configmaps", "events", "serviceaccounts", "nodes"];

/** The resources of both servers, with what only this one server knows about its storage left out. */
function common(body: unknown): unknown {
  const resources = (at(body, "resources") ?? []) as { name: string; storageVersionHash?: string }[];
  return resources
    .filter(({ name }) => COMMON.includes(name.split("/")[0]!))
    .map((resource) => ({ ...resource, storageVersionHash: undefined }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function ofGroup(body: unknown): unknown {
  const items = (at(body, "items") ?? at(body, "groups") ?? []) as { name?: string; metadata?: { name: string } }[];
  // Where the server can be reached is told per group by a lone API server, not by one behind an aggregator, as clusters have it.
  const mine = items.filter((item) => (item.name ?? item.metadata?.name) === GROUP);
  return mine.map((item) => ({ ...item, serverAddressByClientCIDRs: undefined }));
}

/** Resources in order of names: the genuine server lists those of CRDs in the order of a Go map. */
function withoutHash(body: unknown): unknown {
  return JSON.parse(JSON.stringify(body), (key, value: unknown) => {
    if (key === "resources") return (value as { name: string }[]).sort((a, b) => (a.name < b.name ? -1 : 1));
    return key === "storageVersionHash" ? undefined : value;
  }) as unknown;
}

/** The suite's own paths of an OpenAPI document, each with its methods. */
function paths(body: unknown): unknown {
  const all = (body as { paths?: Record<string, Record<string, unknown>> }).paths ?? {};
  return Object.fromEntries(
    Object.entries(all)
      .filter(([path]) => path.includes(GROUP) && !path.includes("/watch/"))
      .map(([path, item]) => [
        path,
        Object.keys(item)
          .filter((key) => key !== "parameters")
          .sort(),
      ]),
  );
}

/** One property of the Widget schema, wherever the document keeps its schemas; metadata is described in each server's own words. */
const property =
  (name: string) =>
  (body: unknown): unknown => {
    const key = /lab\.v1\.Widget$/;
    const all =
      (body as { components?: { schemas: Record<string, unknown> } }).components?.schemas ??
      (body as { definitions?: Record<string, unknown> }).definitions ??
      {};
    const schema = all[Object.keys(all).find((name) => key.test(name)) ?? ""];
    const found = at(schema, name);
    return name === "properties.metadata" ? { ...(found as object), description: undefined } : found;
  };

const BUILT_INS = [
  "api.core.v1.ConfigMap",
  "api.core.v1.Secret",
  "api.core.v1.Namespace",
  "apimachinery.pkg.apis.meta.v1.ObjectMeta",
];

/** Which of the built-in schemas that every client knows are there. */
function builtIns(body: unknown): unknown {
  const schemas = at(body, "components.schemas") ?? {};
  return BUILT_INS.filter((name) => Object.hasOwn(schemas, `io.k8s.${name}`));
}

const v3 = `GET /openapi/v3/apis/${GROUP}/v1`;

export const discovery: readonly Case[] = [
  {
    name: "discovery: the resources of a CRD group",
    steps: [
      { call: `GET /apis/${GROUP}/v1`, view: withoutHash },
      { call: `GET /apis/${GROUP}/v1beta1`, view: withoutHash },
      { call: `GET /apis/${GROUP}/v1alpha1` },
    ],
  },
  {
    name: "discovery: a group",
    steps: [
      { call: `GET /apis/${GROUP}` },
      { call: `GET /apis/${GROUP}/` },
      { call: "GET /apis/none.test" },
      { call: "GET /apis/none.test/v1" },
    ],
  },
  { name: "discovery: all groups", steps: [{ call: "GET /apis", view: ofGroup }] },
  {
    name: "discovery: the core group",
    steps: [
      { call: "GET /api", view: (body) => [at(body, "kind"), at(body, "versions")] },
      { call: "GET /api/v1", view: common },
      { call: "GET /api/v2" },
    ],
  },
  {
    name: "discovery: leases and CRDs",
    steps: [
      { call: "GET /apis/coordination.k8s.io/v1", view: withoutHash },
      { call: "GET /apis/apiextensions.k8s.io/v1", view: withoutHash },
    ],
  },
  {
    name: "discovery: aggregated",
    steps: [
      { call: "GET /apis", accept: AGGREGATED, view: ofGroup },
      { call: "GET /apis", accept: `${AGGREGATED},application/json`, view: (body) => at(body, "kind") },
      { call: "GET /api", accept: AGGREGATED, view: (body) => at(body, "kind") },
    ],
  },
  {
    name: "discovery: aggregated, older and unknown versions",
    steps: [
      { call: "GET /apis", accept: AGGREGATED.replace("v2", "v2beta1"), view: (body) => at(body, "apiVersion") },
      { call: "GET /apis", accept: AGGREGATED.replace("v2", "v9") },
    ],
  },
  {
    name: "discovery: other methods",
    steps: ["POST", "PUT", "DELETE", "PATCH"].map((method) => ({
      call: `${method} /apis/${GROUP}/v1`,
      view: (body: unknown) => at(body, "kind"),
    })),
  },
  { name: "openapi v3: paths", steps: [{ call: v3, view: paths }] },
  {
    name: "openapi v3: a schema",
    steps: [
      "properties.spec.properties.color",
      "properties.spec.required",
      "properties.spec.properties.ports",
      "properties.metadata",
      "description",
      "x-kubernetes-group-version-kind",
      "properties.spec.properties.any",
      "properties.spec.properties.amount",
      "properties.spec.properties.filled",
    ].map((name) => ({ call: v3, view: property(name) })),
  },
  {
    name: "openapi v3: the index",
    steps: [
      {
        call: "GET /openapi/v3",
        view: (body) =>
          ((path: string | undefined) => path?.replace(/hash=.*/, "hash=<hash>"))(
            (body as { paths: Record<string, { serverRelativeURL: string }> }).paths[`apis/${GROUP}/v1`]?.serverRelativeURL,
          ),
      },
      { call: "GET /openapi/v3/apis/none.test/v1" },
    ],
  },
  {
    name: "openapi v2: the kinds",
    steps: [
      {
        call: "GET /openapi/v2",
        view: (body) => [
          at(body, "swagger"),
          property("properties.spec.properties.color")(body),
          property("x-kubernetes-group-version-kind")(body),
        ],
      },
      { call: "GET /openapi/v2", view: (body) => paths(body) },
    ],
  },
  {
    name: "openapi v3: built-in kinds",
    steps: [{ call: "GET /openapi/v3/api/v1", view: builtIns }],
  },
  {
    name: "health and version",
    steps: [
      { call: "GET /version", view: (body) => typeof at(body, "gitVersion") },
      { call: "GET /livez" },
      { call: "GET /readyz" },
      { call: "GET /healthz" },
      { call: "GET /livez/ping" },
      { call: "GET /readyz/nonsense" },
      { call: "POST /version" },
      { call: "POST /livez" },
    ],
  },
];
