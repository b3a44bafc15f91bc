import { ANY, type ClassEffect } from "#decide/server-class.ts";
import type { Acting } from "#kube/controller.ts";
import { isAlreadyExists } from "#kube/status.ts";
import { ServerClass } from "#kinds/metal/v1alpha2/server-class.ts";

/** One effect; each is harmless when it has already happened. */
export async function act(effect: ClassEffect, { client, events, signal }: Acting): Promise<void> {
  const classes = client.for(ServerClass);
  switch (effect.do) {
    case "create-any":
      try {
        await classes.create({ metadata: { name: ANY }, spec: {} }, { signal });
      } catch (error) {
        if (!isAlreadyExists(error)) throw error;
      }
      return;
    case "clear-qualifiers": {
      const { name, resourceVersion } = effect;
      await classes.patch(name, { metadata: { resourceVersion }, spec: { qualifiers: null } }, { signal });
      return;
    }
    case "warn":
      events.record(effect.about, { type: "Warning", reason: effect.reason, message: effect.problem });
  }
}
