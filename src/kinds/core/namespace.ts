/** core/v1 Namespace. */
import { labelName } from "#schema/names.ts";
import type { KubeObject } from "#schema/meta.ts";
import { AGE } from "./column.ts";
import { define } from "./define.ts";
import { field, list, mergedBy, struct, text, time } from "./go.ts";

/** What the namespace lifecycle must remove before a namespace may go. */
const FINALIZER = "kubernetes";

interface Namespace extends KubeObject {
  spec: { finalizers?: string[] };
  status: { phase?: string };
}

const condition = struct("NamespaceCondition", {
  type: field(text("v1.NamespaceConditionType"), "What the condition is about.", { always: true, required: true }),
  status: field(text("v1.ConditionStatus"), "True, False or Unknown.", { always: true, required: true }),
  lastTransitionTime: field(time(), "When the status last changed.", { always: true }),
  reason: field(text(), "A word that says why, for programs."),
  message: field(text(), "A sentence that says why, for people."),
});

export const namespace = define({
  group: "",
  kind: "Namespace",
  plural: "namespaces",
  shortNames: ["ns"],
  namespaced: false,
  doc: "A scope for names: objects of namespaced kinds live in exactly one, and go when it goes.",
  fields: {
    spec: field(
      struct("NamespaceSpec", {
        finalizers: field(
          list(text("v1.FinalizerName")),
          "Must be empty before the namespace is removed; only the finalize subresource changes it.",
          {
            schema: { "x-kubernetes-list-type": "atomic" },
          },
        ),
      }),
      "What is wanted of the namespace.",
    ),
    status: field(
      struct("NamespaceStatus", {
        phase: field(text("v1.NamespacePhase"), "Active, or Terminating while its content is being removed."),
        conditions: field(list(condition), "How the removal of the content is going.", {
          schema: { ...mergedBy("type"), "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"] },
        }),
      }),
      "How the namespace is.",
    ),
  },
  columns: [{ name: "Status", type: "string", description: "The phase of the namespace.", jsonPath: ".status.phase" }, AGE],
  hasStatus: true,
  strategy: {
    nameMessage: labelName,
    specFinalizers: true,
    defaults(object) {
      const { metadata } = object;
      if (metadata.name !== undefined) metadata.labels = { ...metadata.labels, "kubernetes.io/metadata.name": metadata.name };
    },
    prepareCreate(object) {
      const { spec } = object as Namespace;
      object["status"] = { phase: "Active" };
      if (spec.finalizers?.includes(FINALIZER) !== true) spec.finalizers = [...(spec.finalizers ?? []), FINALIZER];
    },
    prepareUpdate(object, old) {
      const { finalizers } = (old as Namespace).spec;
      object["spec"] = finalizers === undefined ? {} : { finalizers: [...finalizers] };
    },
    prepareDelete(object) {
      (object as Namespace).status.phase = "Terminating";
    },
    fields: (object) => ({ "status.phase": (object as Partial<Namespace>).status?.phase ?? "" }),
  },
});
