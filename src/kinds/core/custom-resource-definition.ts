/** apiextensions.k8s.io/v1 CustomResourceDefinition. */
import { subdomainName } from "#schema/names.ts";
import type { CustomResourceDefinition } from "./crd-validation.ts";
import { validateCrd } from "./crd-validation.ts";
import { define, zeroOf } from "./define.ts";
import type { FieldOptions, GoFields } from "./go.ts";
import { bool, bytes, field, int32, int64, list, struct, text, time } from "./go.ts";
import { jsonSchemaProps } from "./json-schema-props.ts";

const CLEANUP_FINALIZER = "customresourcecleanup.apiextensions.k8s.io";

const given = { always: true, required: true } as const;
const pointer = { pointer: true } as const;
const atomic: FieldOptions = { schema: { "x-kubernetes-list-type": "atomic" } };

const names = struct("CustomResourceDefinitionNames", {
  plural: field(text(), "How the resource is called in URLs: lower case, the first part of the definition's name.", given),
  singular: field(text(), "One of them, for the command line; the kind in lower case where nothing is said."),
  shortNames: field(list(text()), "Abbreviations for the command line.", atomic),
  kind: field(text(), "The kind of one object, CamelCase.", given),
  listKind: field(text(), "The kind of a list; the kind with List appended where nothing is said."),
  categories: field(list(text()), "Groups of resources it belongs to, such as all.", atomic),
});

const serviceReference = struct("ServiceReference", {
  namespace: field(text(), "Namespace of the service.", given),
  name: field(text(), "Name of the service.", given),
  path: field(text(), "Path of the URL.", pointer),
  port: field(int32(), "Port of the service; 443 where nothing is said.", pointer),
});

const clientConfig = struct("WebhookClientConfig", {
  url: field(text(), "Where the webhook is, https only; or else the service.", pointer),
  service: field(serviceReference, "The service in front of the webhook; or else the URL.", pointer),
  caBundle: field(bytes(), "Certificates (PEM, base64) to judge the webhook's by."),
});

const conversion = struct("CustomResourceConversion", {
  strategy: field(text("v1.ConversionStrategyType"), "None: only apiVersion changes. Webhook: a program converts.", given),
  webhook: field(
    struct("WebhookConversion", {
      clientConfig: field(clientConfig, "How to call it.", pointer),
      conversionReviewVersions: field(list(text()), "Versions of ConversionReview it understands, best first.", {
        ...given,
        ...atomic,
      }),
    }),
    "How to call the converting program.",
    pointer,
  ),
});

const column = struct("CustomResourceColumnDefinition", {
  name: field(text(), "The column's head.", given),
  type: field(text(), "integer, number, string, boolean or date.", given),
  format: field(text(), "A narrower form of the type."),
  description: field(text(), "What the column shows."),
  priority: field(int32(), "Above 0: shown on request only, as by -o wide."),
  jsonPath: field(text(), "Where in the object its value stands, as .spec.replicas.", given),
});

const scale = struct("CustomResourceSubresourceScale", {
  specReplicasPath: field(text(), "Where the wanted number is, below .spec.", given),
  statusReplicasPath: field(text(), "Where the present number is, below .status.", given),
  labelSelectorPath: field(text(), "Where the selector is, as text.", pointer),
});

const version = struct("CustomResourceDefinitionVersion", {
  name: field(text(), "v1, v1beta1, v1alpha2…", given),
  served: field(bool(), "Whether clients can use the version.", given),
  storage: field(bool(), "Whether objects are stored in it: true for exactly one version.", given),
  deprecated: field(bool(), "Clients are warned when they use it."),
  deprecationWarning: field(text(), "What to warn them with.", pointer),
  schema: field(
    struct("CustomResourceValidation", {
      openAPIV3Schema: field(jsonSchemaProps, "The structural OpenAPI v3 schema of an object.", pointer),
    }),
    "What an object must look like.",
    pointer,
  ),
  subresources: field(
    struct("CustomResourceSubresources", {
      status: field(struct("CustomResourceSubresourceStatus", {}), "Status is written by itself.", pointer),
      scale: field(scale, "The object can be scaled without being known.", pointer),
    }),
    "Parts of an object with a URL of their own.",
    pointer,
  ),
  additionalPrinterColumns: field(list(column), "What tables show besides the name.", atomic),
  selectableFields: field(
    list(struct("SelectableField", { jsonPath: field(text(), "A simple path to a string, boolean or integer.", given) })),
    "What field selectors can name.",
    atomic,
  ),
});

const condition = struct("CustomResourceDefinitionCondition", {
  type: field(text("v1.CustomResourceDefinitionConditionType"), "NamesAccepted, Established, Terminating…", given),
  status: field(text("v1.ConditionStatus"), "True, False or Unknown.", given),
  lastTransitionTime: field(time(), "When the status last changed.", { always: true }),
  reason: field(text(), "A word that says why, for programs."),
  message: field(text(), "A sentence that says why, for people."),
  observedGeneration: field(int64(), "The generation it speaks of."),
});

const fields: GoFields = {
  spec: field(
    struct("CustomResourceDefinitionSpec", {
      group: field(text(), "The API group, a domain name; the last part of the definition's name.", given),
      names: field(names, "How the resource and its kind are called.", { required: true }),
      scope: field(text("v1.ResourceScope"), "Cluster or Namespaced.", given),
      versions: field(list(version), "The versions there are.", {
        ...given,
        schema: { ...atomic.schema, nullable: true },
      }),
      conversion: field(conversion, "How objects get from one version to another.", pointer),
      preserveUnknownFields: field(bool(), "No longer supported: must be false."),
    }),
    "What is wanted.",
    { required: true },
  ),
  status: field(
    struct("CustomResourceDefinitionStatus", {
      conditions: field(list(condition), "Where the definition stands.", {
        always: true,
        schema: { "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"], nullable: true },
      }),
      acceptedNames: field(names, "The names that are in use."),
      storedVersions: field(list(text()), "Versions that objects were ever stored in.", {
        always: true,
        schema: { "x-kubernetes-list-type": "atomic", nullable: true },
      }),
      observedGeneration: field(int64(), "The generation this speaks of."),
    }),
    "How it is.",
  ),
};

export const customResourceDefinition = define({
  group: "apiextensions.k8s.io",
  kind: "CustomResourceDefinition",
  plural: "customresourcedefinitions",
  shortNames: ["crd", "crds"],
  categories: ["api-extensions"],
  namespaced: false,
  doc: "A kind of resource that the server learns while it runs. Named <plural>.<group>.",
  fields,
  // The time itself, not how long ago, as the genuine server shows it.
  columns: [{ name: "Created At", type: "string", description: "When it was created.", jsonPath: ".metadata.creationTimestamp" }],
  hasStatus: true,
  strategy: {
    hasGeneration: true,
    // The whole rule needs the spec as well: it is part of `validate`, whose first error it is.
    nameMessage: subdomainName,
    defaults(object) {
      const { spec } = object as CustomResourceDefinition;
      const kind = spec.names.kind;
      if (kind !== "") {
        spec.names.singular ??= kind.toLowerCase();
        spec.names.listKind ??= `${kind}List`;
      }
      spec.conversion ??= { strategy: "None" };
      // The genuine server's internal form has the webhook's parts by themselves: with neither there is none.
      const { webhook } = spec.conversion;
      const versions = webhook?.conversionReviewVersions ?? [];
      if (webhook?.clientConfig === undefined && versions.length === 0) delete spec.conversion.webhook;
      const service = spec.conversion.webhook?.clientConfig?.service;
      if (service !== undefined) service.port ??= 443;
    },
    prepareCreate(object) {
      const crd = object as CustomResourceDefinition;
      object["status"] = zeroOf(fields, "status");
      const name = storageVersion(crd);
      if (name !== undefined) crd.status.storedVersions = [name];
    },
    prepareUpdate(object, old) {
      const crd = object as CustomResourceDefinition;
      const stored = (old as CustomResourceDefinition).status.storedVersions ?? [];
      const name = storageVersion(crd);
      if (name !== undefined && !stored.includes(name)) crd.status = { ...crd.status, storedVersions: [...stored, name] };
    },
    prepareDelete(object, now) {
      const { metadata, status } = object as CustomResourceDefinition;
      if (metadata.finalizers?.includes(CLEANUP_FINALIZER) !== true) {
        metadata.finalizers = [...(metadata.finalizers ?? []), CLEANUP_FINALIZER];
      }
      const terminating = {
        type: "Terminating",
        status: "True",
        lastTransitionTime: now,
        reason: "InstanceDeletionPending",
        message: "CustomResourceDefinition marked for deletion; CustomResource deletion will occur as soon as possible",
      };
      status.conditions = [...(status.conditions ?? []).filter(({ type }) => type !== "Terminating"), terminating];
    },
    validate: (object, old) => validateCrd(object as CustomResourceDefinition, old as CustomResourceDefinition | undefined),
  },
});

function storageVersion({ spec }: CustomResourceDefinition): string | undefined {
  return spec.versions?.find(({ storage }) => storage)?.name;
}
