import { forbiddenFault } from "#kube/status.ts";
import type { AdmissionPlugin } from "../admission/admission.ts";

/** Of a kind whose CustomResourceDefinition is being deleted nothing new comes, or its deletion would never end. */
export const terminatingKind: AdmissionPlugin = {
  mutate({ operation, resource, name }) {
    const { definition } = resource;
    if (operation !== "CREATE" || definition.terminating !== true) return;
    const subject = { group: definition.group, resource: definition.plural, name };
    throw forbiddenFault(subject, "create not allowed while custom resource definition is terminating");
  },
};
