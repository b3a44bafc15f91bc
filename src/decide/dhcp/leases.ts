/** Who has which address of one subnet. No clock inside: every question brings the time, in milliseconds since 1970. */
import { formatAddress, includes, parseAddress } from "./range.ts";
import type { Range } from "./range.ts";
import type { Reservation, Subnet } from "./subnets.ts";

export interface Lease {
  readonly address: string;
  /** {@link Claimant.key}; "" for an address in quarantine. */
  readonly client: string;
  /** `offered` is a promise for a minute; `quarantined` is in use by someone who did not get it here. */
  readonly state: "offered" | "bound" | "quarantined";
  /** Milliseconds since 1970; Infinity is possible. An expired lease is remembered, so that its client may have it again. */
  readonly expires: number;
  readonly mac?: string;
  readonly hostname?: string;
}

/** Who asks for an address. */
export interface Claimant {
  /** What tells clients apart: `mac 52:54:00:00:00:01`, or `id` and the client identifier. */
  readonly key: string;
  readonly mac?: string;
  /** Readings of its UUID, as a reservation may name it. */
  readonly uuids: readonly string[];
  /** Lower-case hexadecimal. */
  readonly clientId?: string;
  readonly hostname?: string;
}

/** How long an offered address is kept for the client that asked. */
export const OFFER_TIME = 60_000;
/** Leases of one subnet, remembered ones included: bounds what a flood of invented clients can take. */
const MAX_LEASES = 131_072;

export class Leases {
  readonly #pools: readonly Range[];
  readonly #excluded: readonly Range[];
  readonly #reservations: readonly Reservation[];
  /** Addresses that are somebody's for ever. */
  readonly #reserved: ReadonlySet<string>;
  readonly #byAddress = new Map<string, Lease>();
  /** The last address of each client. */
  readonly #byClient = new Map<string, string>();
  /** The first address that was never looked at: its pool, and the number in it. */
  #fresh: { pool: number; value: bigint };
  /** Addresses whose leases have expired: those found in one search, the oldest first, and what was given back since. */
  #expired = new Set<string>();
  /** Before then a search finds nothing that has expired. */
  #nothingBefore = 0;

  constructor({ pools, excluded, reservations }: Pick<Subnet, "pools" | "excluded" | "reservations">) {
    this.#pools = pools;
    this.#excluded = excluded;
    this.#reservations = reservations;
    this.#reserved = new Set(reservations.map(({ address }) => address));
    this.#fresh = { pool: 0, value: pools[0]?.first ?? 0n };
  }

  /** A lease from before a restart; of several of one client the last one counts. */
  load(lease: Lease): void {
    this.#put(lease);
  }

  /**
   * The address for this client: its reservation, else what it has or had, else what it wishes, else one that was never used, else
   * the one that expired first. It is kept for a minute. Undefined when there is none.
   */
  offer(claimant: Claimant, now: number, wish?: string): Lease | undefined {
    const candidates = [this.reservationOf(claimant)?.address, this.#byClient.get(claimant.key), wish];
    const known = candidates.find((address) => address !== undefined && this.mayHave(claimant, address, now));
    const address = known ?? this.#unused(now);
    if (address === undefined) return undefined;
    const current = this.#byAddress.get(address);
    if (current?.client === claimant.key && current.state === "bound" && current.expires > now) return current;
    return this.#put({ ...this.#lease(claimant, address), state: "offered", expires: now + OFFER_TIME });
  }

  /** Gives the address, for `duration` ms from now. The caller has asked {@link mayHave}. */
  bind(claimant: Claimant, address: string, now: number, duration: number): Lease {
    return this.#put({ ...this.#lease(claimant, address), state: "bound", expires: now + duration });
  }

  /** Whether this client may have this very address now. */
  mayHave(claimant: Claimant, address: string, now: number): boolean {
    const isOwn = this.reservationOf(claimant)?.address === address;
    if (!isOwn && !this.#isInPools(address)) return false;
    const holder = this.#byAddress.get(address);
    if (holder === undefined) return this.#byAddress.size < MAX_LEASES;
    return holder.client === claimant.key || holder.expires <= now;
  }

  /** The unexpired lease or offer of the client. */
  leaseOf({ key }: Pick<Claimant, "key">, now: number): Lease | undefined {
    const lease = this.#byAddress.get(this.#byClient.get(key) ?? "");
    return lease !== undefined && lease.expires > now ? lease : undefined;
  }

  /** Whether the client has, had or is to have an address here. */
  knows(claimant: Claimant): boolean {
    return this.#byClient.has(claimant.key) || this.reservationOf(claimant) !== undefined;
  }

  at(address: string): Lease | undefined {
    return this.#byAddress.get(address);
  }

  reservationOf({ mac, uuids, clientId }: Claimant): Reservation | undefined {
    return this.#reservations.find((each) => {
      if (each.mac !== undefined) return each.mac === mac;
      return each.uuid === undefined ? each.clientId === clientId : uuids.includes(each.uuid);
    });
  }

  /** Ends the client's lease of this address; undefined when it has none. */
  release({ key }: Pick<Claimant, "key">, address: string, now: number): Lease | undefined {
    const lease = this.#byAddress.get(address);
    if (lease?.client !== key || lease.state === "quarantined" || lease.expires <= now) return undefined;
    return this.#end(lease, now);
  }

  /** The client takes another server's offer. */
  withdraw({ key }: Pick<Claimant, "key">, now: number): void {
    const lease = this.#byAddress.get(this.#byClient.get(key) ?? "");
    if (lease?.state === "offered" && lease.expires > now) this.#end(lease, now);
  }

  /** Somebody uses the address without having it from here: nobody gets it for `duration` ms. */
  quarantine(address: string, now: number, duration: number): Lease {
    return this.#put({ address, client: "", state: "quarantined", expires: now + duration });
  }

  /** Forgets what expired before `before`, and says what that was. */
  sweep(before: number): Lease[] {
    const old = [...this.#byAddress.values()].filter(({ expires }) => expires < before);
    for (const lease of old) this.#forget(lease);
    if (old.length > 0) this.#fresh = { pool: 0, value: this.#pools[0]?.first ?? 0n };
    return old;
  }

  /** All that are remembered, also expired ones. */
  all(): Iterable<Lease> {
    return this.#byAddress.values();
  }

  #lease({ key, mac, hostname }: Claimant, address: string): Omit<Lease, "state" | "expires"> {
    return { address, client: key, ...(mac === undefined ? {} : { mac }), ...(hostname === undefined ? {} : { hostname }) };
  }

  #put(lease: Lease): Lease {
    const before = this.#byAddress.get(lease.address);
    if (before !== undefined && before.client !== lease.client) this.#forget(before);
    const last = this.#byClient.get(lease.client);
    // One address for each client: the one before is free again.
    if (lease.client !== "" && last !== undefined && last !== lease.address) this.#forget(this.#byAddress.get(last)!);
    this.#byAddress.set(lease.address, lease);
    if (lease.client !== "") this.#byClient.set(lease.client, lease.address);
    this.#nothingBefore = Math.min(this.#nothingBefore, lease.expires);
    return lease;
  }

  /** Whoever takes addresses and gives them back all the time must not cause a search each time. */
  #end(lease: Lease, now: number): Lease {
    const before = this.#nothingBefore;
    const ended = this.#put({ ...lease, expires: now });
    this.#expired.add(lease.address);
    this.#nothingBefore = before;
    return ended;
  }

  #forget(lease: Lease): void {
    this.#byAddress.delete(lease.address);
    if (this.#byClient.get(lease.client) === lease.address) this.#byClient.delete(lease.client);
  }

  #isInPools(text: string): boolean {
    const address = parseAddress(text);
    if (address === undefined || this.#reserved.has(text)) return false;
    return this.#pools.some((pool) => includes(pool, address)) && !this.#excluded.some((range) => includes(range, address));
  }

  #unused(now: number): string | undefined {
    return this.#neverUsed() ?? this.#oldestExpired(now);
  }

  /** Each address is looked at once, and ranges that are left out in one step. */
  #neverUsed(): string | undefined {
    if (this.#byAddress.size >= MAX_LEASES) return undefined;
    for (let pool = this.#pools[this.#fresh.pool]; pool !== undefined; pool = this.#pools[this.#fresh.pool]) {
      const at = { family: pool.family, value: this.#fresh.value };
      const left = this.#excluded.find((range) => includes(range, at));
      if (at.value > pool.last) {
        this.#fresh = { pool: this.#fresh.pool + 1, value: this.#pools[this.#fresh.pool + 1]?.first ?? 0n };
      } else if (left !== undefined) {
        this.#fresh.value = left.last + 1n;
      } else {
        this.#fresh.value = at.value + 1n;
        const address = formatAddress(at);
        if (!this.#reserved.has(address) && !this.#byAddress.has(address)) return address;
      }
    }
    return undefined;
  }

  #oldestExpired(now: number): string | undefined {
    for (let i = 0; i < 2; i++) {
      for (const address of this.#expired) {
        this.#expired.delete(address);
        const current = this.#byAddress.get(address);
        if (current !== undefined && current.expires <= now && this.#isInPools(address)) return address;
      }
      if (now < this.#nothingBefore) return undefined;
      const leases = [...this.#byAddress.values()];
      const expired = leases.filter(({ expires }) => expires <= now).toSorted((a, b) => a.expires - b.expires);
      this.#expired = new Set(expired.map(({ address }) => address));
      this.#nothingBefore = leases.reduce((first, { expires }) => (expires > now ? Math.min(first, expires) : first), Infinity);
    }
    return undefined;
  }
}
