/** Who may write what. Conflicts between controllers are refused when they are put together, not found out in production. */
import { Fault } from "#std/fault.ts";
import type { KubeObject } from "#schema/meta.ts";
import type { Client, ResourceClient } from "./client.ts";
import type { Controller, Writing } from "./controller.ts";
import type { KindRef } from "./kind.ts";

/** Throws Fault `kube.two-writers` when two controllers claim the same field of a kind, or one a field within the other's. */
export function refuseTwoWriters(controllers: readonly Controller[]): void {
  const claims = controllers.flatMap(({ name, writes }) =>
    writes.flatMap(({ kind, fields }) => fields.map((field) => ({ name, kind: groupKind(kind), field }))),
  );
  for (const [i, claim] of claims.entries()) {
    const other = claims
      .slice(0, i)
      .find(({ name, kind, field }) => name !== claim.name && kind === claim.kind && overlap(field, claim.field));
    if (other === undefined) continue;
    const message = `${other.name} writes ${other.field} of ${other.kind}, so ${claim.name} may not write ${claim.field}`;
    throw new Fault("kube.two-writers", message, { fault: "ours", retry: "never" });
  }
}

/** True when `field` (a dotted path) is one of those declared, or within one. */
export function isDeclared(writes: readonly Writing[], kind: KindRef, field: string): boolean {
  return writes.some(
    (writing) => groupKind(writing.kind) === groupKind(kind) && writing.fields.some((declared) => within(field, declared)),
  );
}

export function undeclared(controller: string, what: string): Fault {
  return new Fault("kube.undeclared", `${controller} has not declared that it ${what}`, { fault: "ours", retry: "never" });
}

/** A client that reports the resourceVersion of every write, and refuses to write kinds that `mayWrite` does not allow. */
export function watchedClient(
  client: Client,
  mayWrite: (kind: KindRef) => void,
  onWrite: (kind: KindRef, resourceVersion: string) => void,
): Client {
  function watched<T extends KubeObject>(resource: ResourceClient<T>): ResourceClient<T> {
    async function noted(write: () => Promise<T>): Promise<T> {
      mayWrite(resource.kind);
      const object = await write();
      onWrite(resource.kind, object.metadata.resourceVersion ?? "");
      return object;
    }
    return {
      ...resource,
      in: (namespace) => watched(resource.in(namespace)),
      create: (object, options) => noted(() => resource.create(object, options)),
      update: (object, options) => noted(() => resource.update(object, options)),
      patch: (name, patch, options) => noted(() => resource.patch(name, patch, options)),
      async delete(name, options) {
        mayWrite(resource.kind);
        const kept = await resource.delete(name, options);
        // Who deletes one of several must see that before choosing the next.
        if (kept !== undefined) onWrite(resource.kind, kept.metadata.resourceVersion ?? "");
        return kept;
      },
    };
  }
  return { ...client, for: (kind) => watched(client.for(kind)) };
}

/** Versions of a kind are the same objects. */
function groupKind(kind: KindRef): string {
  return kind.group === "" ? kind.kind : `${kind.kind}.${kind.group}`;
}

function within(field: string, outer: string): boolean {
  return field === outer || field.startsWith(`${outer}.`);
}

function overlap(a: string, b: string): boolean {
  return within(a, b) || within(b, a);
}
