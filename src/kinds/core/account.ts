/** core/v1 ServiceAccount. */
import { AGE } from "./column.ts";
import { define } from "./define.ts";
import { bool, field, list, mergedBy } from "./go.ts";
import { localObjectReference, objectReference } from "./reference.ts";

export const serviceAccount = define({
  group: "",
  kind: "ServiceAccount",
  plural: "serviceaccounts",
  shortNames: ["sa"],
  namespaced: true,
  doc: "An identity for programs.",
  fields: {
    secrets: field(list(objectReference), "Secrets that programs under this identity may use.", {
      schema: { ...mergedBy("name"), "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"] },
    }),
    imagePullSecrets: field(list(localObjectReference), "Secrets with the credentials of image registries.", {
      schema: { "x-kubernetes-list-type": "atomic" },
    }),
    automountServiceAccountToken: field(bool(), "Whether programs get a token of this identity without asking.", {
      pointer: true,
    }),
  },
  columns: [{ name: "Secrets", type: "integer", description: "How many secrets it names.", jsonPath: ".secrets" }, AGE],
  strategy: {
    cells: { Secrets: (object) => (Array.isArray(object["secrets"]) ? object["secrets"].length : 0) },
  },
});
