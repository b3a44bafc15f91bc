/** The leases of all subnets, in a journal of their own: what a client was told is true after a restart. */
import type { Clock, Timer } from "#io/clock.ts";
import type { Journal, Row } from "#io/journal.ts";
import type { Log } from "#io/log.ts";
import { Leases } from "#decide/dhcp/leases.ts";
import type { Lease } from "#decide/dhcp/leases.ts";
import { includes, parseAddress } from "#decide/dhcp/range.ts";
import type { Subnet } from "#decide/dhcp/subnets.ts";
import { Fault } from "#std/fault.ts";

const RESOURCE = "dhcp/leases";
/** An expired lease is remembered for so long, so that a machine that was off for a while finds its address again. */
const MEMORY = 7 * 24 * 3_600_000;
const SWEEP = 3_600_000;
/** Superseded rows that the journal may hold. */
const SURPLUS = 10_000;

export interface LeaseStoreOptions {
  readonly subnets: readonly Subnet[];
  /** Absent: leases are forgotten at the end of the process. */
  readonly journal?: Journal;
  readonly clock: Clock;
  readonly log: Log;
}

export class LeaseStore {
  readonly #leases: ReadonlyMap<Subnet, Leases>;
  readonly #journal: Journal | undefined;
  readonly #clock: Clock;
  readonly #log: Log;
  /** Revision of the newest row of each address. */
  readonly #revisions = new Map<string, number>();
  #revision = 0;
  /** The newest revision that is durable. */
  #durable = 0;
  #surplus = 0;
  #sweeping: Timer | undefined;

  constructor({ subnets, journal, clock, log }: LeaseStoreOptions) {
    this.#leases = new Map(subnets.map((subnet) => [subnet, new Leases(subnet)]));
    this.#journal = journal;
    this.#clock = clock;
    this.#log = log;
  }

  /** Must come first. Rejects as {@link Journal.open}. */
  async open(): Promise<void> {
    if (this.#journal === undefined) return;
    this.#revision = this.#durable = (await this.#journal.open()).revision;
    const rows = new Map<string, Row>();
    await this.#journal.read((some) => {
      for (const row of some) if (row.resource === RESOURCE) rows.set(row.name, row);
    });
    for (const row of [...rows.values()].toSorted((a, b) => a.revision - b.revision)) {
      if (!row.deleted) this.#load(row);
    }
    this.#sweepLater();
  }

  leasesOf(subnet: Subnet): Leases {
    return this.#leases.get(subnet)!;
  }

  /** Unexpired leases by the name of their subnet. */
  counts(): Record<string, number> {
    const now = this.#clock.now();
    const bound = (leases: Leases): number =>
      [...leases.all()].filter(({ state, expires }) => state === "bound" && expires > now).length;
    return Object.fromEntries([...this.#leases].map(([{ name }, leases]) => [name, bound(leases)]));
  }

  /** The unexpired lease of an address, in whatever subnet. */
  at(address: string): Lease | undefined {
    const found = [...this.#leases.values()].map((leases) => leases.at(address)).find((lease) => lease !== undefined);
    return found !== undefined && found.expires > this.#clock.now() ? found : undefined;
  }

  /** Resolves when the lease survives a power loss. Rejects as {@link Journal.append}. */
  async store(lease: Lease): Promise<void> {
    await this.#append([this.#row(lease, false)]);
  }

  /** Waits for what is being stored. */
  async close(): Promise<void> {
    this.#sweeping?.cancel();
    await this.#journal?.close();
  }

  #load(row: Row): void {
    this.#revisions.set(row.name, row.revision);
    const lease = JSON.parse(new TextDecoder().decode(row.value)) as Lease;
    const address = parseAddress(lease.address);
    for (const [subnet, leases] of this.#leases) {
      if (address !== undefined && includes(subnet.network, address)) return leases.load(lease);
    }
  }

  #row(lease: Lease, deleted: boolean): Row {
    return {
      revision: ++this.#revision,
      resource: RESOURCE,
      namespace: "",
      name: lease.address,
      value: new TextEncoder().encode(JSON.stringify(lease)),
      deleted,
      previous: this.#revisions.get(lease.address) ?? 0,
    };
  }

  async #append(rows: readonly Row[]): Promise<void> {
    if (this.#journal === undefined) return;
    await this.#journal.append(rows);
    this.#durable = Math.max(this.#durable, rows.at(-1)!.revision);
    for (const { name, revision, previous, deleted } of rows) {
      if (deleted) this.#revisions.delete(name);
      else this.#revisions.set(name, Math.max(revision, this.#revisions.get(name) ?? 0));
      if (previous > 0) this.#surplus++;
    }
    if (this.#surplus > SURPLUS) await this.#compact();
  }

  async #compact(): Promise<void> {
    this.#surplus = 0;
    try {
      await this.#journal?.compact(this.#durable);
    } catch (error) {
      this.#log.warn(`the journal of leases could not be compacted: ${Fault.from(error).message}`);
    }
  }

  #sweepLater(): void {
    this.#sweeping = this.#clock.after(SWEEP, () => void this.#sweep().finally(() => this.#sweepLater()));
  }

  async #sweep(): Promise<void> {
    const before = this.#clock.now() - MEMORY;
    const old = [...this.#leases.values()]
      .flatMap((leases) => leases.sweep(before))
      .filter(({ address }) => this.#revisions.has(address));
    try {
      if (old.length > 0) await this.#append(old.map((lease) => this.#row(lease, true)));
      await this.#compact();
    } catch (error) {
      this.#log.warn(`expired leases stay in the journal: ${Fault.from(error).message}`);
    }
  }
}
