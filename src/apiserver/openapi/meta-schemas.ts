/** The schemas every document shares: metadata, lists, errors, options. Descriptions are what `kubectl explain` shows. */
import type { Schema } from "#schema/structural.ts";

/** OpenAPI's schema: the structural one plus references. */
export interface OpenApiSchema extends Omit<Schema, "properties" | "items" | "additionalProperties" | "allOf"> {
  $ref?: string;
  allOf?: OpenApiSchema[];
  items?: OpenApiSchema;
  properties?: Record<string, OpenApiSchema>;
  additionalProperties?: OpenApiSchema | boolean;
  "x-kubernetes-group-version-kind"?: { group: string; version: string; kind: string }[];
}

const PREFIX = "io.k8s.apimachinery.pkg.apis.meta.v1.";

/** `{ $ref }` to one of the shared schemas. */
export function metaRef(name: keyof typeof META_SCHEMAS): OpenApiSchema {
  return { $ref: `#/components/schemas/${PREFIX}${name}` };
}

function text(description: string): OpenApiSchema {
  return { description, type: "string" };
}
function flag(description: string): OpenApiSchema {
  return { description, type: "boolean" };
}
function integer(description: string, format: "int32" | "int64"): OpenApiSchema {
  return { description, type: "integer", format };
}
function texts(description: string): OpenApiSchema {
  return { description, type: "object", additionalProperties: { type: "string" } };
}
function list(description: string, items: OpenApiSchema): OpenApiSchema {
  return { description, type: "array", items };
}
/** A reference with a description of its own; beside a bare `$ref` it would be ignored. */
export function described(description: string, schema: OpenApiSchema): OpenApiSchema {
  return { description, allOf: [schema] };
}
function ref(name: string): OpenApiSchema {
  return { $ref: `#/components/schemas/${PREFIX}${name}` };
}

export const API_VERSION: OpenApiSchema = text(
  "The API group and version in which this object is written, for example metal.sidero.dev/v1alpha2.",
);
export const KIND: OpenApiSchema = text("The kind of object this is. Cannot be changed.");

const META_SCHEMAS = {
  Time: { type: "string", format: "date-time", description: "A time in RFC 3339, to the second." },
  FieldsV1: { type: "object", description: "A set of fields, as server-side apply records who owns what." },
  Patch: { type: "object", description: "The body of a PATCH request; its form is given by the Content-Type." },
  OwnerReference: {
    description: "Names an object that this one belongs to. When all owners are gone, the object is deleted.",
    type: "object",
    required: ["apiVersion", "kind", "name", "uid"],
    "x-kubernetes-map-type": "atomic",
    properties: {
      apiVersion: text("API group and version of the owner."),
      kind: text("Kind of the owner."),
      name: text("Name of the owner, which is in the same namespace or cluster-scoped."),
      uid: text("Uid of the owner: another object of the same name is not it."),
      controller: flag("This owner is the one that manages the object."),
      blockOwnerDeletion: flag("An owner that is deleted in the foreground stays until this object is gone. Defaults to false."),
    },
  },
  ManagedFieldsEntry: {
    description: "Which fields a manager has set, as server-side apply records it.",
    type: "object",
    properties: {
      apiVersion: text("The version in which the fields are written."),
      fieldsType: text("The form of fieldsV1: FieldsV1."),
      fieldsV1: described("The fields.", ref("FieldsV1")),
      manager: text("Who manages these fields."),
      operation: text("How they were set: Apply or Update."),
      subresource: text("The subresource through which they were set, empty for the object itself."),
      time: described("When the manager last changed any of them.", ref("Time")),
    },
  },
  ObjectMeta: {
    description: "What every object has besides its content: name, labels, owners, and what the server records about it.",
    type: "object",
    properties: {
      annotations: texts("Arbitrary data that tools and people attach to the object; nothing selects by it."),
      creationTimestamp: described("When the object was created. Set by the server.", ref("Time")),
      deletionGracePeriodSeconds: integer(
        "Seconds the object has to end in an orderly way once it is deleted. Set by the server.",
        "int64",
      ),
      deletionTimestamp: described(
        "When the deletion of the object was asked for. It goes as soon as its finalizers are gone. Set by the server.",
        ref("Time"),
      ),
      finalizers: {
        ...list("What still has to be done before a deleted object may go; whoever put a name here takes it away again.", {
          type: "string",
        }),
        "x-kubernetes-list-type": "set",
        "x-kubernetes-patch-strategy": "merge",
      },
      generateName: text("A prefix to which the server appends random characters where no name is given."),
      generation: integer("Counts the changes of what is wanted. Set by the server.", "int64"),
      labels: texts("Keys and values by which objects are organised and selected."),
      managedFields: { ...list("Who has set which fields.", ref("ManagedFieldsEntry")), "x-kubernetes-list-type": "atomic" },
      name: text(
        "Name of the object, unique among the objects of its kind in a namespace (or in the cluster). Cannot be changed.",
      ),
      namespace: text("The namespace in which the name must be unique; empty for cluster-scoped objects. Cannot be changed."),
      ownerReferences: {
        ...list("The objects this one belongs to: it is deleted when all of them are gone.", ref("OwnerReference")),
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["uid"],
        "x-kubernetes-patch-strategy": "merge",
        "x-kubernetes-patch-merge-key": "uid",
      },
      resourceVersion: text(
        "The state of the object that this is: to be given back unchanged when the object is updated. Set by the server.",
      ),
      selfLink: text("No longer used."),
      uid: text("Tells this object from all others there ever were, also of the same name. Set by the server."),
    },
  },
  ListMeta: {
    description: "What every list has besides its items.",
    type: "object",
    properties: {
      continue: text("Given when there is more: the token with which the next part of the list is asked for."),
      remainingItemCount: integer("How many items follow, where that is known.", "int64"),
      resourceVersion: text("The state of the collection that this is: watching from here misses nothing."),
      selfLink: text("No longer used."),
    },
  },
  Preconditions: {
    description: "What must hold for a deletion to take place.",
    type: "object",
    properties: {
      resourceVersion: text("The state the object must be in."),
      uid: text("The uid the object must have."),
    },
  },
  DeleteOptions: {
    description: "How an object is to be deleted.",
    type: "object",
    properties: {
      apiVersion: API_VERSION,
      dryRun: { ...list("With All nothing is deleted in earnest.", { type: "string" }), "x-kubernetes-list-type": "atomic" },
      gracePeriodSeconds: integer("Seconds the object has to end in an orderly way.", "int64"),
      kind: KIND,
      orphanDependents: flag("Old form of propagationPolicy: true is Orphan, false is Background."),
      preconditions: described("What must hold for the deletion to take place; a conflict otherwise.", ref("Preconditions")),
      propagationPolicy: text(
        "What happens to the objects it owns: Background deletes them afterwards, Foreground before, Orphan lets them be.",
      ),
    },
  },
  StatusCause: {
    description: "One of the reasons of a failure.",
    type: "object",
    properties: {
      field: text("The field that is at fault, for example spec.nics[0].mac."),
      message: text("What is wrong, for people."),
      reason: text("What is wrong, for programs."),
    },
  },
  StatusDetails: {
    description: "More about the answer to a request.",
    type: "object",
    properties: {
      causes: { ...list("The reasons of a failure.", ref("StatusCause")), "x-kubernetes-list-type": "atomic" },
      group: text("API group of the object concerned."),
      kind: text("Kind or resource of the object concerned."),
      name: text("Name of the object concerned."),
      retryAfterSeconds: integer("Seconds after which trying again makes sense.", "int32"),
      uid: text("Uid of the object concerned."),
    },
  },
  Status: {
    description: "The answer to a request that returns no object.",
    type: "object",
    properties: {
      apiVersion: API_VERSION,
      code: integer("The HTTP status code.", "int32"),
      details: described("More about the answer.", ref("StatusDetails")),
      kind: KIND,
      message: text("What happened, for people."),
      metadata: described("Metadata of a list, empty here.", ref("ListMeta")),
      reason: text("Why it failed, for programs."),
      status: text("Success or Failure."),
    },
    "x-kubernetes-group-version-kind": [{ group: "", kind: "Status", version: "v1" }],
  },
} satisfies Record<string, OpenApiSchema>;

/** The shared schemas by their names in a document of this group and version, which can send DeleteOptions too. */
export function metaSchemas(group: string, version: string): Record<string, OpenApiSchema> {
  const schemas: Record<string, OpenApiSchema> = {};
  for (const [name, schema] of Object.entries(META_SCHEMAS)) schemas[PREFIX + name] = schema;
  const core = { group: "", kind: "DeleteOptions", version: "v1" };
  const own = { group, kind: "DeleteOptions", version };
  schemas[`${PREFIX}DeleteOptions`] = {
    ...META_SCHEMAS.DeleteOptions,
    "x-kubernetes-group-version-kind": group === "" ? [core] : [core, own],
  };
  return schemas;
}

export const SCALE_SCHEMA_NAME = "io.k8s.api.autoscaling.v1.Scale";

/** autoscaling/v1 Scale, the answer of scale subresources. */
export const SCALE_SCHEMA: OpenApiSchema = {
  description: "How many there should be and how many there are.",
  type: "object",
  properties: {
    apiVersion: API_VERSION,
    kind: KIND,
    metadata: described("Metadata of the object that is scaled.", ref("ObjectMeta")),
    spec: {
      description: "What is wanted.",
      type: "object",
      properties: { replicas: integer("How many there should be.", "int32") },
    },
    status: {
      description: "What is there.",
      type: "object",
      required: ["replicas"],
      properties: {
        replicas: integer("How many there are.", "int32"),
        selector: text("Label selector of what is counted, in its string form."),
      },
    },
  },
  "x-kubernetes-group-version-kind": [{ group: "autoscaling", kind: "Scale", version: "v1" }],
};
