/** How one object points to another (core/v1 ObjectReference and a key of a Secret). */
import type { TypeOf } from "#schema/kit.ts";
import { object, string } from "#schema/kit.ts";

/** All fields are optional, as in Kubernetes; each user documents which of them it reads. */
export const ObjectReference = object({
  apiVersion: string().doc("API version of the object pointed to."),
  fieldPath: string().doc("A part of that object, as a JSON path. Not used by Sidero."),
  kind: string().doc("Kind of the object pointed to."),
  name: string().doc("Name of the object pointed to."),
  namespace: string().doc("Namespace of the object pointed to; empty when it has none."),
  resourceVersion: string().doc("A particular state of that object. Not used by Sidero."),
  uid: string().doc("The object itself and no later one of the same name."),
}).atomic();
export type ObjectReference = TypeOf<typeof ObjectReference>;

export const SecretKeyReference = object({
  namespace: string().required().doc("Namespace of the Secret."),
  name: string().required().doc("Name of the Secret."),
  key: string().required().doc("Key within the Secret's data."),
});
export type SecretKeyReference = TypeOf<typeof SecretKeyReference>;

/** A value kept elsewhere. */
export const CredentialSource = object({
  secretKeyRef: SecretKeyReference.doc("Takes the value from this key of a Secret; read again whenever the Secret changes."),
});
export type CredentialSource = TypeOf<typeof CredentialSource>;
