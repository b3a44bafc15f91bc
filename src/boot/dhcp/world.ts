import type { Clock } from "#io/clock.ts";
import type { Log } from "#io/log.ts";
import type { Interfaces } from "#io/udp.ts";
import type { BootFacts } from "#decide/dhcp/boot-file.ts";
import type { Mode } from "#decide/dhcp/scope.ts";
import type { Subnet } from "#decide/dhcp/subnets.ts";
import type { Whom } from "#decide/sighting.ts";
import type { LeaseStore } from "./lease-store.ts";
import type { Observer } from "./observer.ts";

/** What all interfaces share. */
export interface World {
  readonly clock: Clock;
  readonly log: Log;
  readonly observer: Observer;
  readonly interfaces: Interfaces;
  readonly subnets: readonly Subnet[];
  /** In networks that the subnets do not name. */
  readonly mode: Mode;
  readonly store: LeaseStore;
  /** All addresses of this host. */
  ours(): ReadonlySet<string>;
  /** What a client that reaches us at `address` boots. */
  bootFacts(address: string, whom: Whom): BootFacts;
  /** Takes note that the client uses the address. */
  learn(address: string, mac: string | undefined): void;
}
