/** coordination.k8s.io/v1 Lease. */
import type { FieldError } from "#schema/field.ts";
import { FieldPath, invalid } from "#schema/field.ts";
import type { KubeObject } from "#schema/meta.ts";
import { AGE } from "./column.ts";
import { define } from "./define.ts";
import { field, int32, microTime, struct, text } from "./go.ts";

interface Lease extends KubeObject {
  spec: { leaseDurationSeconds?: number };
}

export const lease = define({
  group: "coordination.k8s.io",
  kind: "Lease",
  plural: "leases",
  namespaced: true,
  doc: "A claim that lapses unless it is renewed: who leads, who is alive.",
  fields: {
    spec: field(
      struct("LeaseSpec", {
        holderIdentity: field(text(), "Who holds the lease.", { pointer: true }),
        leaseDurationSeconds: field(int32(), "How long a candidate waits after the last renewal before it takes over.", {
          pointer: true,
        }),
        acquireTime: field(microTime(), "When the present holder got the lease.", { pointer: true }),
        renewTime: field(microTime(), "When the present holder renewed it last.", { pointer: true }),
        leaseTransitions: field(int32(), "How often the lease has changed hands.", { pointer: true }),
        strategy: field(text("v1.CoordinatedLeaseStrategy"), "How a holder is chosen where the choice is coordinated.", {
          pointer: true,
        }),
        preferredHolder: field(text(), "Who should hold it instead of the present holder.", { pointer: true }),
      }),
      "The claim.",
    ),
  },
  columns: [{ name: "Holder", type: "string", description: "Who holds the lease.", jsonPath: ".spec.holderIdentity" }, AGE],
  strategy: {
    createOnUpdate: true,
    validate(object): FieldError[] {
      const seconds = (object as Lease).spec.leaseDurationSeconds;
      if (seconds === undefined || seconds > 0) return [];
      return [invalid(FieldPath.of("spec", "leaseDurationSeconds"), seconds, "must be greater than 0")];
    },
  },
});
