import { DEFAULT_ENVIRONMENT, defaultEnvironmentSpec } from "#decide/environment/default.ts";
import type { EnvironmentEffect } from "#decide/environment/environment.ts";
import type { Blobs } from "#io/blobs.ts";
import { Environment } from "#kinds/metal/v1alpha2/environment.ts";
import type { Acting } from "#kube/controller.ts";
import { isAlreadyExists } from "#kube/status.ts";
import type { Downloads } from "./downloads.ts";

/** One effect; each is harmless when it has already happened. */
export async function act(
  effect: EnvironmentEffect,
  blobs: Blobs,
  downloads: Downloads,
  { client, events, signal }: Acting,
): Promise<void> {
  switch (effect.do) {
    case "create-default":
      try {
        const body = { metadata: { name: DEFAULT_ENVIRONMENT }, spec: defaultEnvironmentSpec() };
        await client.for(Environment).create(body, { signal });
      } catch (error) {
        if (!isAlreadyExists(error)) throw error;
      }
      return;
    case "download":
      downloads.start(effect);
      return;
    case "remember":
      await blobs.name({ name: effect.url, sha512: effect.sha512, keep: false });
      return;
    case "tell":
      events.record(effect.about, { type: effect.type, reason: effect.reason, message: effect.message });
  }
}
