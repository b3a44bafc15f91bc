/** The failure domains that accepted Servers are in, counted Server by Server. */
import { failureDomainOf } from "#decide/allocation/failure-domain.ts";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import type { Change } from "#kube/cache.ts";

export class Domains {
  readonly #counts = new Map<string, number>();

  get names(): string[] {
    return [...this.#counts.keys()].toSorted();
  }

  /** True when a domain has come or gone. */
  changed({ type, object, old }: Change<Server>): boolean {
    const before = type === "delete" ? domainOf(object) : old && domainOf(old);
    const after = type === "delete" ? undefined : domainOf(object);
    if (before === after) return false;
    const { size } = this.#counts;
    const hasGone = this.#add(before, -1);
    return this.#add(after, 1) || hasGone || this.#counts.size !== size;
  }

  /** True when the domain has come or gone with this. */
  #add(domain: string | undefined, by: 1 | -1): boolean {
    if (domain === undefined) return false;
    const count = (this.#counts.get(domain) ?? 0) + by;
    if (count === 0) return this.#counts.delete(domain);
    this.#counts.set(domain, count);
    return count === by;
  }
}

function domainOf(server: Server): string | undefined {
  return server.spec?.accepted === true ? failureDomainOf(server) : undefined;
}
