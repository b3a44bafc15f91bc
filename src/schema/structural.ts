/**
 * The structural schema: OpenAPI v3 as Kubernetes restricts it for CustomResourceDefinitions
 * (apiextensions.k8s.io/v1 JSONSchemaProps, "structural schema" rules), with built-in kinds described in the same words.
 * This is the one schema language: the kit (`kit.ts`) produces it, the walkers (prune, default, validate) consume it.
 */
import type { Json } from "#std/json.ts";

export type SchemaType = "object" | "array" | "string" | "integer" | "number" | "boolean";

export interface ValidationRule {
  rule: string;
  message?: string;
  messageExpression?: string;
  reason?: "FieldValueInvalid" | "FieldValueForbidden" | "FieldValueRequired" | "FieldValueDuplicate";
  fieldPath?: string;
  optionalOldSelf?: boolean;
}

export interface Schema {
  type?: SchemaType;
  title?: string;
  description?: string;
  format?: string;
  default?: Json;
  example?: Json;
  nullable?: boolean;
  enum?: Json[];
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  required?: string[];
  items?: Schema;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: boolean;
  exclusiveMaximum?: boolean;
  multipleOf?: number;
  minItems?: number;
  maxItems?: number;
  uniqueItems?: boolean;
  minProperties?: number;
  maxProperties?: number;
  allOf?: Schema[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  not?: Schema;
  externalDocs?: { url?: string; description?: string };
  "x-kubernetes-preserve-unknown-fields"?: boolean;
  "x-kubernetes-embedded-resource"?: boolean;
  "x-kubernetes-int-or-string"?: boolean;
  "x-kubernetes-list-type"?: "atomic" | "set" | "map";
  "x-kubernetes-list-map-keys"?: string[];
  "x-kubernetes-map-type"?: "granular" | "atomic";
  "x-kubernetes-validations"?: ValidationRule[];
  /** Strategic merge patch, built-in kinds only: `merge`, `replace`, `retainKeys`, comma separated. */
  "x-kubernetes-patch-strategy"?: string;
  "x-kubernetes-patch-merge-key"?: string;
}

/** apiextensions.k8s.io/v1 CustomResourceColumnDefinition. */
export interface PrinterColumn {
  name: string;
  type: "integer" | "number" | "string" | "boolean" | "date";
  format?: string;
  description?: string;
  /** 0 is shown always, more only by `-o wide`. */
  priority?: number;
  /** As in a CRD: starts with a dot, e.g. `.spec.kernel.url`. */
  jsonPath: string;
}

export interface ScaleSubresource {
  specReplicasPath: string;
  statusReplicasPath: string;
  labelSelectorPath?: string;
}
