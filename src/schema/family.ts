/** One kind in all its versions: what a CustomResourceDefinition is made of, and what our server does for it in process. */
import { Fault } from "#std/fault.ts";
import type { JsonObject } from "#std/json.ts";
import type { Extension } from "./definition.ts";
import type { Kind, Resource } from "./kind.ts";
import type { KubeObject } from "./meta.ts";
import { travel } from "./conversion.ts";
import { checkRules } from "./rules.ts";

/** What a version says beyond apiVersion, kind and metadata. */
export type Body<K> = Omit<Resource<K>, "apiVersion" | "kind" | "metadata">;

/** A version beside the stored one. Both functions may lose what the other version cannot hold (it is carried along). */
export interface Older {
  readonly kind: Kind;
  readonly up: (body: JsonObject) => JsonObject;
  readonly down: (body: JsonObject) => JsonObject;
}

export interface Family {
  /** Stored, and the hub of all conversions. */
  readonly storage: Kind;
  readonly older: readonly Older[];
  /** Of the CustomResourceDefinition. */
  readonly labels: Readonly<Record<string, string>>;
  /** Who converts on a server that is not ours; `certificate` is the cert-manager Certificate of that Service. */
  readonly webhook: { readonly namespace: string; readonly service: string; readonly certificate: string };
}

/**
 * An older version O with its conversions to and from H, typed by both. They see objects that their schemas accept, must not
 * change them, and must settle after one round: down(up(down(x))) = down(x), and likewise for up.
 */
export function older<O extends Kind, H extends Kind>(version: {
  readonly kind: O;
  readonly up: (body: Body<O>) => Body<H>;
  readonly down: (body: Body<H>) => Body<O>;
}): Older {
  return version as unknown as Older;
}

/** All versions, the stored one first. */
export function versionsOf(family: Family): Kind[] {
  return [family.storage, ...family.older.map(({ kind }) => kind)];
}

/**
 * The object in another version of its family, losing nothing; its argument stays as it is.
 * Fault `schema.unknown-version` when the family has no such version.
 */
export function convert(family: Family, object: KubeObject, version: string): KubeObject {
  const from = olderOf(family, object.apiVersion.slice(object.apiVersion.indexOf("/") + 1));
  const to = olderOf(family, version);
  if (from === to) return object;
  const { apiVersion, schema } = family.storage;
  const hub = from === undefined ? object : travel(object, { apiVersion, schema, there: from.up, back: from.down });
  if (to === undefined) return hub;
  return travel(hub, { apiVersion: to.kind.apiVersion, schema: to.kind.schema, there: to.down, back: to.up });
}

/** Undefined for the stored version. */
function olderOf(family: Family, version: string): Older | undefined {
  if (version === family.storage.version) return undefined;
  const found = family.older.find(({ kind }) => kind.version === version);
  if (found !== undefined) return found;
  const message = `${family.storage.kind}.${family.storage.group} has no version ${JSON.stringify(version)}`;
  throw new Fault("schema.unknown-version", message, { fault: "caller", retry: "never" });
}

/** What our server does in process and a foreign one by webhooks and CEL. */
export function toExtension(family: Family): Extension {
  const kindOf = ({ apiVersion }: KubeObject): Kind =>
    versionsOf(family).find((kind) => kind.apiVersion === apiVersion) ?? family.storage;
  return {
    convert: (object, to) => convert(family, object, to),
    default(object, old, context) {
      const kind = kindOf(object);
      if (kind.default === undefined) return;
      kind.default(object, old === undefined ? undefined : convert(family, old, kind.version), context);
    },
    validate(object, old, context) {
      const kind = kindOf(object);
      const before = old === undefined ? undefined : convert(family, old, kind.version);
      return [...checkRules(kind.root, object, before), ...(kind.validate?.(object, before, context) ?? [])];
    },
  };
}
