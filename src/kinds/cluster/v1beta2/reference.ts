/** References of the core kinds: the version of what is pointed to is read off its definition's contract labels. */
import type { TypeOf } from "#schema/kit.ts";
import { object, string } from "#schema/kit.ts";

const KIND = "^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$";
const SUBDOMAIN = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";

/** An object in the namespace of the one that points. */
export const ContractVersionedObjectReference = object({
  apiGroup: string().required().min(1).max(253).pattern(SUBDOMAIN).doc("Group of the object pointed to."),
  kind: string().required().min(1).max(63).pattern(KIND).doc("Kind of the object pointed to."),
  name: string().required().min(1).max(253).pattern(SUBDOMAIN).doc("Name of the object pointed to, in the same namespace."),
});
export type ContractVersionedObjectReference = TypeOf<typeof ContractVersionedObjectReference>;
