/** core/v1 ObjectReference and LocalObjectReference. */
import { field, struct, text } from "./go.ts";

export const objectReference = struct("ObjectReference", {
  kind: field(text(), "Kind of the object."),
  namespace: field(text(), "Namespace of the object."),
  name: field(text(), "Name of the object."),
  uid: field(text("types.UID"), "Identity of the object: not of another one that took its name later."),
  apiVersion: field(text(), "API group and version the object is known by."),
  resourceVersion: field(text(), "The object's version that is meant."),
  fieldPath: field(text(), "The part of the object that is meant, as a path."),
});

export const localObjectReference = struct("LocalObjectReference", {
  name: field(text(), "Name of an object in the same namespace."),
});
