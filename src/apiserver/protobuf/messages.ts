/** Field numbers of the kinds that clients send as protobuf: `generated.proto` of k8s.io/api and k8s.io/apimachinery. */
import type { Message } from "./message.ts";

const OWNER_REFERENCE: Message = {
  1: ["kind", "string"],
  3: ["name", "string"],
  4: ["uid", "string"],
  5: ["apiVersion", "string"],
  6: ["controller", "bool"],
  7: ["blockOwnerDeletion", "bool"],
};

const MANAGED_FIELDS: Message = {
  1: ["manager", "string"],
  2: ["operation", "string"],
  3: ["apiVersion", "string"],
  4: ["time", "time"],
  6: ["fieldsType", "string"],
  7: ["fieldsV1", { message: { 1: ["Raw", "json"] } }],
  8: ["subresource", "string"],
};

const METADATA: Message = {
  1: ["name", "string"],
  2: ["generateName", "string"],
  3: ["namespace", "string"],
  4: ["selfLink", "string"],
  5: ["uid", "string"],
  6: ["resourceVersion", "string"],
  7: ["generation", "integer"],
  8: ["creationTimestamp", "time"],
  9: ["deletionTimestamp", "time"],
  10: ["deletionGracePeriodSeconds", "integer"],
  11: ["labels", { map: "string" }],
  12: ["annotations", { map: "string" }],
  13: ["ownerReferences", { list: OWNER_REFERENCE }],
  14: ["finalizers", { list: "string" }],
  17: ["managedFields", { list: MANAGED_FIELDS }],
};

const OBJECT_REFERENCE: Message = {
  1: ["kind", "string"],
  2: ["namespace", "string"],
  3: ["name", "string"],
  4: ["uid", "string"],
  5: ["apiVersion", "string"],
  6: ["resourceVersion", "string"],
  7: ["fieldPath", "string"],
};

const CONDITION: Message = {
  1: ["type", "string"],
  2: ["status", "string"],
  4: ["lastTransitionTime", "time"],
  5: ["reason", "string"],
  6: ["message", "string"],
};

/** By `apiVersion/kind`. Everything else is answered with 415, as kinds without protobuf are. */
export const MESSAGES: ReadonlyMap<string, Message> = new Map<string, Message>([
  [
    "v1/Namespace",
    {
      1: ["metadata", { message: METADATA }],
      2: ["spec", { message: { 1: ["finalizers", { list: "string" }] } }],
      3: ["status", { message: { 1: ["phase", "string"], 2: ["conditions", { list: CONDITION }] } }],
    },
  ],
  [
    "v1/Secret",
    {
      1: ["metadata", { message: METADATA }],
      2: ["data", { map: "bytes" }],
      3: ["type", "string"],
      4: ["stringData", { map: "string" }],
      5: ["immutable", "bool"],
    },
  ],
  [
    "v1/ConfigMap",
    {
      1: ["metadata", { message: METADATA }],
      2: ["data", { map: "string" }],
      3: ["binaryData", { map: "bytes" }],
      4: ["immutable", "bool"],
    },
  ],
  [
    "v1/ServiceAccount",
    {
      1: ["metadata", { message: METADATA }],
      2: ["secrets", { list: OBJECT_REFERENCE }],
      3: ["imagePullSecrets", { list: { 1: ["name", "string"] } }],
      4: ["automountServiceAccountToken", "bool"],
    },
  ],
  [
    "v1/Event",
    {
      1: ["metadata", { message: METADATA }],
      2: ["involvedObject", { message: OBJECT_REFERENCE }],
      3: ["reason", "string"],
      4: ["message", "string"],
      5: ["source", { message: { 1: ["component", "string"], 2: ["host", "string"] } }],
      6: ["firstTimestamp", "time"],
      7: ["lastTimestamp", "time"],
      8: ["count", "integer"],
      9: ["type", "string"],
      10: ["eventTime", "microTime"],
      11: ["series", { message: { 1: ["count", "integer"], 2: ["lastObservedTime", "microTime"] } }],
      12: ["action", "string"],
      13: ["related", { message: OBJECT_REFERENCE }],
      14: ["reportingComponent", "string"],
      15: ["reportingInstance", "string"],
    },
  ],
  [
    "coordination.k8s.io/v1/Lease",
    {
      1: ["metadata", { message: METADATA }],
      2: [
        "spec",
        {
          message: {
            1: ["holderIdentity", "string"],
            2: ["leaseDurationSeconds", "integer"],
            3: ["acquireTime", "microTime"],
            4: ["renewTime", "microTime"],
            5: ["leaseTransitions", "integer"],
            6: ["strategy", "string"],
            7: ["preferredHolder", "string"],
          },
        },
      ],
    },
  ],
]);

/** What a deletion may carry whatever it deletes. */
export const DELETE_OPTIONS: Message = {
  1: ["gracePeriodSeconds", "integer"],
  2: ["preconditions", { message: { 1: ["uid", "string"], 2: ["resourceVersion", "string"] } }],
  3: ["orphanDependents", "bool"],
  4: ["propagationPolicy", "string"],
  5: ["dryRun", { list: "string" }],
};
