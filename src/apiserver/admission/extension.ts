/** The rules that `main` hands in for kinds we know: what a validating webhook would say on a foreign server. */
import { invalidFault } from "#kube/status.ts";
import type { AdmissionPlugin } from "./admission.ts";

/** As with webhooks, subresources are not asked about. */
export const extensionRules: AdmissionPlugin = {
  validate({ operation, resource, subresource, name, object, old, dryRun }) {
    const { group, kind, extension } = resource.definition;
    if (subresource !== "" || object === undefined || operation === "DELETE") return;
    const errors = extension?.validate?.(object, old, { dryRun, operation }) ?? [];
    if (errors.length > 0) throw invalidFault(group, kind, name, errors);
  },
};
