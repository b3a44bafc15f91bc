/** What `main` hands in for kinds we know: what webhooks would fill in and say on a foreign server. */
import { invalidFault } from "#kube/status.ts";
import type { AdmissionPlugin } from "./admission.ts";

/** As with webhooks, subresources are not asked about. */
export const extensionRules: AdmissionPlugin = {
  mutate({ operation, resource, subresource, object, old, dryRun }) {
    if (subresource !== "" || object === undefined || operation === "DELETE") return;
    resource.definition.extension?.default?.(object, old, { dryRun, operation });
  },
  validate({ operation, resource, subresource, name, object, old, dryRun }) {
    const { group, kind, extension } = resource.definition;
    if (subresource !== "" || object === undefined || operation === "DELETE") return;
    const errors = extension?.validate?.(object, old, { dryRun, operation }) ?? [];
    if (errors.length > 0) throw invalidFault(group, kind, name, errors);
  },
};
