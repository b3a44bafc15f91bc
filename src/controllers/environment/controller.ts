/** Environment: its files are downloaded, checked and kept; its status says which are there. */
import { assetsOf } from "#decide/environment/asset.ts";
import { DEFAULT_ENVIRONMENT } from "#decide/environment/default.ts";
import { decideEnvironment, type EnvironmentEffect, type ObservedEnvironment } from "#decide/environment/environment.ts";
import type { Blobs } from "#io/blobs.ts";
import { Environment } from "#kinds/metal/v1alpha2/environment.ts";
import { type Controller, controller, type Reader, writing } from "#kube/controller.ts";
import { act } from "./act.ts";
import type { Downloads } from "./downloads.ts";
import { observeEnvironment } from "./observe.ts";

/** Milliseconds in which what happens on the disk becomes one look at it. */
const SETTLE = 50;

/** `downloads` and `blobs` outlive the controller: it may be made anew (another one leads), they go on. */
export function createEnvironmentController(
  blobs: Blobs,
  downloads: Downloads,
): Controller<Environment, ObservedEnvironment, EnvironmentEffect> {
  return controller({
    name: "environment",
    kind: Environment,
    writes: [writing(Environment, "status.conditions")],
    always: [DEFAULT_ENVIRONMENT],
    settle: () => SETTLE,
    listen(wake, reader) {
      const ends = [
        downloads.onChange(({ url }) =>
          wakeAll(wake, reader, (environment) => assetsOf(environment).some((asset) => asset.url === url)),
        ),
        blobs.onChange(() => wakeAll(wake, reader, () => true)),
      ];
      return () => ends.forEach((end) => end());
    },
    observe: (_reader, name, environment) => observeEnvironment(blobs, downloads, name, environment),
    decide: decideEnvironment,
    act: (effect, acting) => act(effect, blobs, downloads, acting),
  });
}

function wakeAll(wake: (key: string) => void, reader: Reader, isConcerned: (environment: Environment) => boolean): void {
  for (const environment of reader.of(Environment).values()) {
    if (isConcerned(environment)) wake(environment.metadata.name ?? "");
  }
}
