/** The Servers of one class, and which of them can be had; kept up to date Server by Server. */
import type { Census, Exclusion } from "#decide/allocation/exclusion.ts";
import { failureDomainOf } from "#decide/allocation/failure-domain.ts";
import { type Membership, membershipOf } from "#decide/server-class.ts";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import type { ServerClass } from "#kinds/metal/v1alpha2/server-class.ts";
import { placeOf } from "#std/sorted.ts";

interface Place {
  /** The state that was asked about: another one is asked about anew. */
  readonly server: Server;
  readonly isMeant: boolean;
  readonly domain: string | undefined;
  readonly exclusion: Exclusion | undefined;
}

export class Pool {
  /** By failure domain, names that can be had, sorted; no list is empty. */
  readonly free = new Map<string | undefined, string[]>();
  /** Why the class has nobody: its rules do not parse. */
  readonly problem: string | undefined;
  readonly #name: string;
  readonly #membership: Membership;
  readonly #places = new Map<string, Place>();
  readonly #excluded = new Map<Exclusion, number>();
  #matched = 0;

  constructor(name: string, spec: ServerClass["spec"], membership: typeof membershipOf = membershipOf) {
    this.#name = name;
    this.#membership = membership(name, spec);
    this.problem = this.#membership.problem;
  }

  /** The Server as it is now (undefined: it is gone) and what keeps it from being had. True when that changes anything. */
  put(name: string, server: Server | undefined, exclusion: Exclusion | undefined): boolean {
    const before = this.#places.get(name);
    if (server === undefined) {
      this.#count(name, before, -1);
      return this.#places.delete(name) && before?.isMeant === true;
    }
    const isMeant = before?.server === server ? before.isMeant : this.#membership.isMeant(server);
    const place = { server, isMeant, domain: failureDomainOf(server), exclusion };
    this.#places.set(name, place);
    if (before?.isMeant === isMeant && before.domain === place.domain && before.exclusion === exclusion) return false;
    this.#count(name, before, -1);
    this.#count(name, place, 1);
    return isMeant || before?.isMeant === true;
  }

  /** Whether the Server can be had but for what `exclusion` says of it now. */
  has(name: string): boolean {
    return this.#places.get(name)?.isMeant === true;
  }

  freeIn(domain: string | undefined): number {
    if (domain !== undefined) return this.free.get(domain)?.length ?? 0;
    let count = 0;
    for (const names of this.free.values()) count += names.length;
    return count;
  }

  /** As somebody sees it who wants a Server in this failure domain. */
  census(failureDomain: string | undefined): Census {
    const excluded = new Map(this.#excluded);
    const elsewhere = failureDomain === undefined ? 0 : this.freeIn(undefined) - this.freeIn(failureDomain);
    if (elsewhere > 0) excluded.set("elsewhere", elsewhere);
    return { serverClass: this.#name, failureDomain, servers: this.#places.size, matched: this.#matched, excluded };
  }

  #count(name: string, place: Place | undefined, by: 1 | -1): void {
    if (place?.isMeant !== true) return;
    this.#matched += by;
    const { exclusion, domain } = place;
    if (exclusion !== undefined) {
      this.#excluded.set(exclusion, (this.#excluded.get(exclusion) ?? 0) + by);
      return;
    }
    const names = this.free.get(domain) ?? [];
    const at = placeOf(names, name);
    if (by === 1) names.splice(at, 0, name);
    else names.splice(at, 1);
    if (names.length === 0) this.free.delete(domain);
    else this.free.set(domain, names);
  }
}
