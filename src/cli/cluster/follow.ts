/** Waiting for an object to become what it is to be. */
import type { Client } from "#kube/client.ts";
import type { KindRef } from "#kube/kind.ts";
import { ifThere, isExpired } from "#kube/status.ts";
import type { KubeObject } from "#schema/meta.ts";

/**
 * Calls `isOver` with each state of the object, undefined when it is gone, until it says so. Rejects with the faults of the API, and when
 * the signal is aborted.
 */
export async function follow<T extends KubeObject>(
  client: Client,
  kind: KindRef<T>,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  isOver: (object: T | undefined) => boolean,
  signal?: AbortSignal,
): Promise<void> {
  const resource = client.for(kind).in(namespace);
  for (;;) {
    signal?.throwIfAborted();
    const object = await ifThere(resource.get(name, { signal }));
    if (isOver(object) || object === undefined) return;
    const { resourceVersion = "" } = object.metadata;
    try {
      for await (const event of resource.watch({ fieldSelector: `metadata.name=${name}`, resourceVersion, signal }))
        if (event.type !== "BOOKMARK" && isOver(event.type === "DELETED" ? undefined : event.object)) return;
    } catch (error) {
      if (!isExpired(error)) throw error;
    }
  }
}
