/** What SideroLink needs of the API. `main` hands in who speaks to it. */
import type { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import type { Reported } from "#decide/link/effect.ts";

export type LinkSpec = NonNullable<NonNullable<ServerBinding["spec"]>["siderolink"]>;
export type LinkStatus = NonNullable<NonNullable<ServerBinding["status"]>["siderolink"]>;

export interface LinkPort {
  /** As it is now. */
  binding(name: string): Promise<ServerBinding | undefined>;
  /** Resolves when it is on record in this very binding. */
  join(binding: ServerBinding, spec: LinkSpec, status: LinkStatus): Promise<void>;
  /** What `change` makes of what is on record now; resolves when that is on record. Nothing is written when nothing changes. */
  report(name: string, change: (before: Reported) => Reported): Promise<void>;
  event(about: Server, type: "Normal" | "Warning", reason: string, message: string): void;
}
