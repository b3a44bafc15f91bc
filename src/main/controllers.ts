/** Every controller there is. */
import { serverBindingController } from "#controllers/server-binding/controller.ts";
import { createServerClassController } from "#controllers/server-class/controller.ts";
import type { Controller } from "#kube/controller.ts";

/** Fresh ones: some keep an index of what they have seen. */
export function controllers(): Controller[] {
  return [createServerClassController(), serverBindingController];
}
