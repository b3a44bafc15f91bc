/** meta/v1 PartialObjectMetadata and its list: everything but the object itself, for caches that only look at metadata. */
import type { JsonObject } from "#std/json.ts";
import { statusFault } from "#kube/status.ts";
import type { Item } from "./render.ts";
import type { Shape } from "./shape.ts";

/** One object's metadata. `apiVersion` is `meta.k8s.io/v1` or `meta.k8s.io/v1beta1`. */
export function partialObject(item: Item, apiVersion: string): JsonObject {
  return { kind: "PartialObjectMetadata", apiVersion, metadata: item.object().metadata as JsonObject };
}

/** `goType` names the kind in errors. `as=PartialObjectMetadata` can show one object, `as=PartialObjectMetadataList` a list; the other way round is a 406. */
export function partialShape(
  apiVersion: string,
  asked: "PartialObjectMetadata" | "PartialObjectMetadataList",
  goType: string,
): Shape {
  return {
    one(item) {
      if (asked === "PartialObjectMetadata") return partialObject(item, apiVersion);
      throw statusFault(
        "NotAcceptable",
        `you requested PartialObjectMetadataList, but the requested object is not a list (${goType})`,
      );
    },
    list(items, metadata) {
      if (asked === "PartialObjectMetadata") {
        throw statusFault(
          "NotAcceptable",
          `you requested PartialObjectMetadata, but the requested object is a list (${goType}List)`,
        );
      }
      return {
        kind: "PartialObjectMetadataList",
        apiVersion,
        metadata,
        items: items.map((item) => partialObject(item, apiVersion)),
      };
    },
    event: (_type, item) => partialObject(item, apiVersion),
    volatile: false,
  };
}
