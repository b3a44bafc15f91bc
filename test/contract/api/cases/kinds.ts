/** The suite's own CustomResourceDefinitions, and short ways to write objects and paths. */

export const GROUP = "lab.sidero.test";
export const WIDGETS = `/apis/${GROUP}/v1/namespaces/$ns/widgets`;
export const WIDGETS_BETA = `/apis/${GROUP}/v1beta1/namespaces/$ns/widgets`;
export const GADGETS = `/apis/${GROUP}/v1/gadgets`;
export const CONFIGMAPS = "/api/v1/namespaces/$ns/configmaps";
export const SECRETS = "/api/v1/namespaces/$ns/secrets";

type Fields = Record<string, unknown>;

export function widget(name: string, spec: unknown = { color: "red" }, metadata: Fields = {}, more: Fields = {}): Fields {
  return { apiVersion: `${GROUP}/v1`, kind: "Widget", metadata: { name, ...metadata }, spec, ...more };
}

export function gadget(name: string, spec: unknown = {}, metadata: Fields = {}): Fields {
  return { apiVersion: `${GROUP}/v1`, kind: "Gadget", metadata: { name, ...metadata }, spec };
}

export function configMap(name: string, data: unknown = { a: "1" }, metadata: Fields = {}): Fields {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, ...metadata }, data };
}

const port = {
  type: "object",
  required: ["port"],
  properties: {
    port: { type: "integer", minimum: 1, maximum: 65535 },
    protocol: { type: "string", default: "TCP", enum: ["TCP", "UDP"] },
    name: { type: "string" },
  },
};

const spec = {
  type: "object",
  required: ["color"],
  properties: {
    color: { type: "string", enum: ["red", "green", "blue"], description: "what it looks like" },
    size: { type: "integer", minimum: 0, maximum: 100 },
    big: { type: "integer", format: "int64" },
    small: { type: "integer", format: "int32" },
    odd: { type: "number", exclusiveMinimum: true, minimum: 0, multipleOf: 0.5 },
    replicas: { type: "integer", default: 1, minimum: 0 },
    title: { type: "string", minLength: 2, maxLength: 8, pattern: "^[a-z]+$" },
    on: { type: "boolean" },
    tags: { type: "array", maxItems: 3, items: { type: "string" }, "x-kubernetes-list-type": "set" },
    few: { type: "array", minItems: 1, items: { type: "integer" } },
    unique: { type: "array", items: { type: "string" }, maxItems: 4 },
    ports: { type: "array", items: port, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["port", "protocol"] },
    labels: { type: "object", maxProperties: 2, additionalProperties: { type: "string" } },
    counts: { type: "object", additionalProperties: { type: "integer", minimum: 0 } },
    free: {
      type: "object",
      "x-kubernetes-preserve-unknown-fields": true,
      properties: { known: { type: "string", default: "yes" } },
    },
    any: { "x-kubernetes-preserve-unknown-fields": true },
    amount: { "x-kubernetes-int-or-string": true },
    maybe: { type: "string", nullable: true },
    filled: { type: "string", nullable: true, default: "full" },
    nested: {
      type: "object",
      default: { depth: 1 },
      properties: {
        depth: { type: "integer" },
        word: { type: "string", default: "deep" },
        list: { type: "array", items: { type: "string" } },
      },
    },
    when: { type: "string", format: "date-time" },
    address: { type: "string", format: "ipv4" },
    id: { type: "string", format: "uuid" },
    raw: { type: "string", format: "byte" },
    mail: { type: "string", format: "email" },
    link: { type: "string", format: "uri" },
    span: { type: "string", format: "duration" },
    either: {
      type: "object",
      properties: { a: { type: "string" }, b: { type: "string" } },
      oneOf: [{ required: ["a"] }, { required: ["b"] }],
    },
    some: {
      type: "object",
      properties: { a: { type: "string" }, b: { type: "string" } },
      anyOf: [{ required: ["a"] }, { required: ["b"] }],
    },
    inner: {
      type: "object",
      "x-kubernetes-embedded-resource": true,
      "x-kubernetes-preserve-unknown-fields": true,
    },
  },
};

const status = {
  type: "object",
  properties: {
    replicas: { type: "integer" },
    selector: { type: "string" },
    ready: { type: "boolean" },
    phase: { type: "string" },
  },
};

const columns = [
  { name: "Color", type: "string", jsonPath: ".spec.color", description: "what it looks like" },
  { name: "Size", type: "integer", jsonPath: ".spec.size", priority: 1 },
  { name: "Ready", type: "boolean", jsonPath: ".status.ready" },
  { name: "Tags", type: "string", jsonPath: ".spec.tags" },
  { name: "First", type: "string", jsonPath: ".spec.ports[0].name" },
  { name: "UDP", type: "string", jsonPath: '.spec.ports[?(@.protocol=="UDP")].name' },
  { name: "When", type: "date", jsonPath: ".spec.when" },
  { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
];

const scale = {
  specReplicasPath: ".spec.replicas",
  statusReplicasPath: ".status.replicas",
  labelSelectorPath: ".status.selector",
};

/** The versions' schemas differ in their text at least: the genuine server refuses selectableFields where all schemas are one. */
function schema(description: string): Fields {
  return { openAPIV3Schema: { type: "object", description, properties: { spec, status } } };
}

export const DEFINITIONS: readonly Fields[] = [
  {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `widgets.${GROUP}` },
    spec: {
      group: GROUP,
      scope: "Namespaced",
      names: {
        plural: "widgets",
        singular: "widget",
        kind: "Widget",
        listKind: "WidgetList",
        shortNames: ["wg"],
        categories: ["all"],
      },
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          subresources: { status: {}, scale },
          selectableFields: [{ jsonPath: ".spec.color" }],
          additionalPrinterColumns: columns,
          schema: schema("Widget is for trying things."),
        },
        {
          name: "v1beta1",
          served: true,
          storage: false,
          deprecated: true,
          deprecationWarning: "lab.sidero.test/v1beta1 Widget is old; use v1",
          subresources: { status: {} },
          schema: schema("Widget as it was."),
        },
        { name: "v1alpha1", served: false, storage: false, schema: schema("Widget as it was long ago.") },
      ],
    },
  },
  {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `gadgets.${GROUP}` },
    spec: {
      group: GROUP,
      scope: "Cluster",
      names: { plural: "gadgets", kind: "Gadget" },
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: {
              type: "object",
              properties: {
                spec: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
                status: { type: "object", properties: { phase: { type: "string" } } },
              },
            },
          },
        },
      ],
    },
  },
];
