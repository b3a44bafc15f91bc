/** Nothing is created in a namespace that does not exist or is going away, and some namespaces never go (Kubernetes' NamespaceLifecycle). */
import { forbiddenFault, notFound, statusFault } from "#kube/status.ts";
import type { Status } from "#kube/status.ts";
import type { Store } from "../store/store.ts";
import type { AdmissionPlugin, Attributes } from "./admission.ts";

const IMMORTAL = new Set(["default", "kube-system", "kube-public"]);

export function namespaceLifecycle(store: Store): AdmissionPlugin {
  return {
    mutate({ operation, resource, namespace, name }: Attributes): void {
      const { group, plural } = resource.definition;
      const isNamespace = group === "" && plural === "namespaces";
      if (isNamespace && operation === "DELETE" && IMMORTAL.has(name)) {
        throw forbiddenFault({ group, resource: plural, name }, "this namespace may not be deleted");
      }
      if (operation !== "CREATE" || isNamespace || namespace === "") return;
      const found = store.head({ resource: "/namespaces", namespace: "", name: namespace });
      if (found === undefined) throw notFound({ group: "", resource: "namespaces", name: namespace });
      if (found.deleting) throw terminating(group, plural, name, namespace);
    },
  };
}

function terminating(group: string, resource: string, name: string, namespace: string): Error {
  const because = `unable to create new content in namespace ${namespace} because it is being terminated`;
  const { message, details } = forbiddenFault({ group, resource, name }, because).facts["status"] as Status;
  const cause = {
    reason: "NamespaceTerminating",
    message: `namespace ${namespace} is being terminated`,
    field: "metadata.namespace",
  };
  return statusFault("Forbidden", message!, { ...details, causes: [cause] });
}
