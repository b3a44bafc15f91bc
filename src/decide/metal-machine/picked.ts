/** spec.serverRef is a person's wish, or our own record of what was picked from the class; this annotation tells which. */
import type { MetalMachine } from "#kinds/infrastructure/v1alpha3/metal-machine.ts";

/** Name of the Server that was picked. Not written by people. */
export const PICKED_ANNOTATION = "metal.sidero.dev/picked-server";

export function isPicked({ metadata, spec }: MetalMachine): boolean {
  const picked = metadata.annotations?.[PICKED_ANNOTATION];
  return picked !== undefined && picked === spec?.serverRef?.name;
}
