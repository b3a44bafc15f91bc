/** How thoroughly a machine is wiped. */
import type { Server, WipeOrder } from "#kinds/metal/v1alpha2/server.ts";

export type WipeMode = NonNullable<WipeOrder["mode"]>;

/** `insecureWipe`: what Servers get that do not say (--insecure-wipe). */
export function wipeModeOf({ spec }: { readonly spec?: Server["spec"] | undefined }, insecureWipe: boolean): WipeMode {
  return spec?.wipe?.mode ?? (insecureWipe ? "fast" : "full");
}
