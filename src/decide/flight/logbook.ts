/**
 * All boots that are remembered, and what every sighting makes of them. It does not write: it names the records that have changed, and says
 * what each should be. Bounded whatever is sent: anybody on the network can claim to be a new machine, ten thousand times a second.
 */
import type { BootRecord } from "#kinds/metal/v1alpha2/boot-record.ts";
import { addressLabel, MACHINE_LABEL, macLabel, SERVER_LABEL } from "#kinds/metal/v1alpha2/boot-record.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import type { OwnerReference } from "#schema/meta.ts";
import type { Sighting, What, Whom } from "../sighting.ts";
import { beginBoot, beginsAnew, type Boot, endBoot, fold, join } from "./boot.ts";
import { type KnownServers, type Machine, nameOf, namesOf, type Page } from "./machine.ts";
import { rank } from "./phase.ts";
import { bootOf, statusOf } from "./record.ts";
import { Roll } from "./roll.ts";
import type { Seen } from "./sightings.ts";

export interface LogbookOptions {
  readonly known: KnownServers;
  /** Boots kept of each machine. Default 5. */
  readonly boots?: number;
  /** Machines without a Server that have done no more than ask for an address. Default 16,384; the ones heard longest ago go first. */
  readonly passing?: number;
  /** Machines without a Server that have come further. Default 16,384. */
  readonly arriving?: number;
}

/** A record that is not what it should be any more. */
export interface Touch {
  readonly record: string;
  /** `repeat`: only counts have changed. `gone`: there should be none. */
  readonly how: "news" | "repeat" | "gone";
  /** Anybody on the network can make up machines that are not known. */
  readonly place: Place;
  /** Milliseconds the boot has lasted. */
  readonly age: number;
}

/** What a record should be. */
export interface Wanted {
  readonly metadata: {
    readonly name: string;
    readonly labels: Record<string, string>;
    readonly ownerReferences?: OwnerReference[];
  };
  readonly spec: BootRecord["spec"];
  /** Absent: as it is on record. */
  readonly status?: BootRecord["status"];
}

/** Of machines without a Server: have done no more than ask for an address; have come further. Or they have one. */
export type Place = "passing" | "arriving" | "known";

/** Milliseconds after which an address alone does not make the machine that had it the one that has it now. */
const ADDRESS_AGE = 10 * 60_000;
/** Milliseconds since an address was last heard of in which nobody else has it. */
const IN_USE = 60_000;
/** Milliseconds in which a machine must have been seen for its boot to be under way. */
const UNDER_WAY = 15 * 60_000;
/** Milliseconds after which a stranger that came no further is forgotten. */
const PASSED = 7 * 24 * 3_600_000;

export class Logbook {
  readonly #known: KnownServers;
  readonly #boots: number;
  readonly #most: Record<Place, number>;
  readonly #roll = new Roll();
  readonly #pages = new Map<string, Machine>();
  /** In the order in which they were last heard of. */
  readonly #places: Record<Place, Set<Machine>> = { passing: new Set(), arriving: new Set(), known: new Set() };
  readonly #touched = new Map<string, Touch>();

  constructor({ known, boots = 5, passing = 16_384, arriving = 16_384 }: LogbookOptions) {
    this.#known = known;
    this.#boots = boots;
    this.#most = { passing, arriving, known: Number.POSITIVE_INFINITY };
  }

  /** Machines that are remembered. */
  get size(): number {
    return this.#roll.size;
  }

  /** Enters a sighting. One of nobody (no name that is worth something) changes nothing. */
  note(sighting: Sighting): Touch[] {
    const whom = namesOf(sighting.of, this.#known);
    if (Object.keys(whom).length === 0) return [];
    const machine = this.#machineOf(whom, sighting);
    const page = machine.pages.at(-1);
    if (page?.boot === undefined || beginsAnew(page.boot, sighting)) {
      this.#begin(machine, sighting);
    } else {
      const before = page.boot;
      page.boot = fold(before, sighting);
      const isRepeat = page.boot.seen.length === before.seen.length && page.boot.dropped === before.dropped;
      const isSame =
        page.boot.phase === before.phase && page.boot.waitingFor === before.waitingFor && page.boot.endedAt === before.endedAt;
      this.#touch(page, isRepeat && isSame ? "repeat" : "news", machine);
    }
    this.#place(machine);
    return this.#taken();
  }

  /** Enters something of our own into every boot that was under way at `then`. */
  interrupt(what: What & `sidero.${string}`, at: number, then: number, text: string): Touch[] {
    for (const machine of this.#roll) {
      const page = machine.pages.at(-1);
      if (page?.boot === undefined || !isUnderWay(page.boot, then)) continue;
      page.boot = fold(page.boot, { of: {}, at, what, text });
      this.#touch(page, "news", machine);
    }
    return this.#taken();
  }

  /** The last that was seen of anybody, or done by us; undefined: nothing ever was. */
  get last(): Seen | undefined {
    let last: Seen | undefined;
    for (const { pages } of this.#roll) {
      const seen = pages.at(-1)?.boot?.seen.at(-1);
      if (seen !== undefined && (last === undefined || (seen.until ?? seen.at) > (last.until ?? last.at))) last = seen;
    }
    return last;
  }

  /** Enters a record that is there already: at start, or because somebody else has written it. In any order. */
  load(object: BootRecord): Touch[] {
    const { name: record = "", labels = {} } = object.metadata;
    const { machine: name, server, uuid, macs = [], addresses = [] } = object.spec;
    const boot = bootOf(object);
    if (boot === undefined) return [];
    const known = this.#pages.get(record);
    if (known !== undefined) {
      const page = known.pages.find((each) => each.record === record)!;
      if (page.boot !== undefined) page.boot = join(page.boot, boot);
      return [];
    }
    const ownServer = server ?? labels[SERVER_LABEL];
    const whom: Whom = { ...(ownServer && { server: ownServer }), ...(uuid && { uuid }) };
    const names: Whom[] = [whom, ...macs.map((mac) => ({ ...whom, mac })), ...addresses.map((address) => ({ ...whom, address }))];
    const machine = names.map((each) => this.#roll.find(each)).find((each) => each !== undefined) ?? this.#roll.add({});
    for (const each of names) this.#roll.learn(machine, each);
    const page: Page = { record, boot };
    machine.pages = [...machine.pages, page].toSorted((a, b) => startOf(a) - startOf(b) || (a.record < b.record ? -1 : 1));
    this.#pages.set(record, machine);
    for (const [i, each] of machine.pages.slice(0, -1).entries()) this.#leave(each, startOf(machine.pages[i + 1]!), machine);
    if (nameOf(machine) !== name) this.#touch(page, "news", machine);
    this.#trim(machine);
    this.#place(machine);
    return this.#taken();
  }

  /** There should be such a record. */
  has(record: string): boolean {
    return this.#pages.has(record);
  }

  /** What the record should be; undefined: gone. */
  wanted(record: string): Wanted | undefined {
    const machine = this.#pages.get(record);
    const page = machine?.pages.find((each) => each.record === record);
    if (machine === undefined || page === undefined) return undefined;
    const { server: name, uuid, macs, addresses } = machine;
    // Scripts are served under the name that the Server will have: it is one only when it is there.
    const server = name === undefined ? undefined : this.#known.server(name);
    const { uid } = server?.metadata ?? {};
    const labels: Record<string, string> = {};
    const called = nameOf(machine);
    if (called.length <= 63) labels[MACHINE_LABEL] = called;
    if (server !== undefined && name!.length <= 63) labels[SERVER_LABEL] = name!;
    for (const mac of macs) labels[macLabel(mac)] = "";
    for (const address of addresses) labels[addressLabel(address)] = "";
    return {
      metadata: { name: record, labels, ...(uid === undefined ? {} : { ownerReferences: [ownedBy(name!, uid)] }) },
      spec: {
        machine: called,
        ...(server === undefined ? {} : { server: name! }),
        ...(uuid === undefined ? {} : { uuid }),
        ...(macs.size === 0 ? {} : { macs: [...macs] }),
        ...(addresses.size === 0 ? {} : { addresses: [...addresses] }),
      },
      ...(page.boot === undefined ? {} : { status: statusOf(page.boot) }),
    };
  }

  /** The record holds it all: of a boot that is over, no more than the name need be remembered. */
  settled(record: string): void {
    const pages = this.#pages.get(record)?.pages ?? [];
    const page = pages.find((each) => each.record === record);
    if (page !== undefined && page !== pages.at(-1)) page.boot = undefined;
  }

  /**
   * Sees who has been registered meanwhile. Forgets machines whose Server has been deleted, and those that asked for an address a week ago
   * and no more, with all their records.
   */
  sweep(now: number): Touch[] {
    if (!this.#known.isComplete) return [];
    for (const machine of [...this.#places.passing, ...this.#places.arriving]) {
      if (machine.server === undefined || this.#known.server(machine.server) === undefined) continue;
      for (const page of machine.pages) this.#touch(page, "news", machine);
      this.#place(machine);
    }
    for (const machine of this.#places.passing) if (now - lastOf(machine) > PASSED) this.#forget(machine);
    for (const machine of this.#places.known) {
      // A Server that was registered a moment ago may not be known here yet.
      const isFresh = now - lastOf(machine) < UNDER_WAY;
      if (!isFresh && this.#known.server(machine.server ?? "") === undefined) this.#forget(machine);
    }
    return this.#taken();
  }

  /** How many machines there are in each of the three places. */
  census(): Record<Place, number> {
    const { passing, arriving, known } = this.#places;
    return { passing: passing.size, arriving: arriving.size, known: known.size };
  }

  #machineOf(whom: Whom, { at, what }: Sighting): Machine {
    const { address, ...names } = whom;
    const found = this.#roll.find(whom);
    const machine = found ?? this.#roll.add(Object.keys(names).length === 0 ? whom : names);
    const others = address !== undefined && this.#mayTake(address, what, at) ? whom : names;
    for (let other = this.#roll.other(machine, others); other !== undefined; other = this.#roll.other(machine, others)) {
      this.#merge(machine, other, at);
    }
    const before = nameOf(machine);
    if (this.#roll.learn(machine, others) && nameOf(machine) !== before)
      for (const page of machine.pages) this.#touch(page, "news", machine);
    return machine;
  }

  /** One who is still looking has no address; one who is offered an address need not take it, and somebody else may be using it now. */
  #mayTake(address: string, what: What, at: number): boolean {
    if (what === "dhcp.discover" || what === "dhcp.nak" || what === "dhcp.refused") return false;
    if (what !== "dhcp.offer" && what !== "dhcp.other-server") return true;
    const holder = this.#roll.holder(address);
    return holder === undefined || at - lastOf(holder) > IN_USE;
  }

  /** `other` turns out to be the same machine. */
  #merge(machine: Machine, other: Machine, at: number): void {
    const isNameless = other.server === undefined && other.uuid === undefined && other.macs.size === 0;
    const { boot: last } = other.pages.at(-1) ?? {};
    const isStale = last === undefined || at - last.lastSeenAt > ADDRESS_AGE;
    // What once had this address, and said no more, was somebody else.
    if (isNameless && isStale) return this.#forget(other);
    this.#roll.remove(other);
    for (const place of Object.values(this.#places)) place.delete(other);
    for (const [name, values] of [
      ["mac", other.macs],
      ["address", other.addresses],
    ] as const) {
      for (const value of values) this.#roll.learn(machine, { [name]: value });
    }
    this.#roll.learn(machine, { ...(other.server && { server: other.server }), ...(other.uuid && { uuid: other.uuid }) });
    const open = machine.pages.at(-1);
    machine.pages = [...machine.pages, ...other.pages].toSorted((a, b) => startOf(a) - startOf(b));
    for (const page of other.pages) this.#pages.set(page.record, machine);
    this.#joinLast(machine, open, other);
    for (const page of machine.pages) this.#touch(page, "news", machine);
    this.#trim(machine);
  }

  /** The last pages of two machines that are one may be of one boot: then the one with the better name holds both. */
  #joinLast(machine: Machine, preferred: Page | undefined, other: Machine): void {
    const [a, b] = machine.pages.slice(-2);
    if (a?.boot === undefined || b?.boot === undefined || other.pages.includes(a) === other.pages.includes(b)) return;
    const [first] = b.boot.seen;
    const isLater = b.boot.startedAt > a.boot.lastSeenAt && first !== undefined;
    if (isLater && beginsAnew(a.boot, { of: {}, begins: first.what === "dhcp.discover", ...first })) {
      a.boot = endBoot(a.boot, b.boot.startedAt);
      return;
    }
    const [kept, gone] = b === preferred ? [b, a] : [a, b];
    kept.boot = join(a.boot, b.boot);
    machine.pages = [...machine.pages.slice(0, -2), kept];
    this.#remove(gone, machine);
  }

  #begin(machine: Machine, sighting: Sighting): void {
    const last = machine.pages.at(-1);
    if (last?.boot !== undefined) {
      last.boot = endBoot(last.boot, sighting.at);
      this.#touch(last, "news", machine);
    }
    const page = { record: this.#freeName(machine, sighting.at), boot: beginBoot(sighting) };
    machine.pages.push(page);
    this.#pages.set(page.record, machine);
    this.#touch(page, "news", machine);
    this.#trim(machine);
  }

  /** `<machine>.20261121-031502`, by UTC; a second later if there is one. */
  #freeName(machine: Machine, at: number): string {
    for (let second = Math.trunc(at / 1000); ; second++) {
      const time = new Date(second * 1000).toISOString().replaceAll(/[-:]/g, "").replace("T", "-").slice(0, 15);
      const name = `${nameOf(machine)}.${time}`;
      if (!this.#pages.has(name)) return name;
    }
  }

  #trim(machine: Machine): void {
    for (const page of machine.pages.splice(0, machine.pages.length - this.#boots)) this.#remove(page, machine);
  }

  /** Of a boot on record that has a later one, no more than the name is needed; unless nobody came to write that it was over. */
  #leave(page: Page, end: number, machine: Machine): void {
    if (page.boot === undefined) return;
    const isOver = page.boot.endedAt !== undefined;
    page.boot = isOver ? undefined : endBoot(page.boot, end);
    if (!isOver) this.#touch(page, "news", machine);
  }

  /** Where the machine stands among those that are bounded; whoever is heard of goes to the end of the row. */
  #place(machine: Machine): void {
    const place = this.#placeOf(machine);
    for (const each of Object.values(this.#places)) each.delete(machine);
    this.#places[place].add(machine);
    while (this.#places[place].size > this.#most[place]) {
      const [oldest] = this.#places[place];
      this.#forget(oldest!);
    }
  }

  #forget(machine: Machine): void {
    this.#roll.remove(machine);
    for (const place of Object.values(this.#places)) place.delete(machine);
    for (const page of machine.pages) this.#remove(page, machine);
  }

  #remove(page: Page, machine: Machine): void {
    this.#pages.delete(page.record);
    this.#touch(page, "gone", machine);
  }

  #touch({ record, boot }: Page, how: Touch["how"], machine: Machine): void {
    const before = this.#touched.get(record)?.how;
    if (before === "gone" || (before === "news" && how === "repeat")) return;
    const age = boot === undefined ? 0 : boot.lastSeenAt - boot.startedAt;
    this.#touched.set(record, { record, how, place: this.#placeOf(machine), age });
  }

  /** Scripts are served under names that nobody has registered yet. */
  #placeOf({ server, pages }: Machine): Place {
    if (server !== undefined && (!this.#known.isComplete || this.#known.server(server) !== undefined)) return "known";
    const boot = pages.at(-1)?.boot;
    return boot === undefined || rank(boot.phase) <= rank("dhcp") ? "passing" : "arriving";
  }

  #taken(): Touch[] {
    const touches = [...this.#touched.values()];
    this.#touched.clear();
    return touches;
  }
}

function lastOf({ pages }: Machine): number {
  return pages.at(-1)?.boot?.lastSeenAt ?? 0;
}

/** It was heard of lately, is not over, and has somewhere to go. */
function isUnderWay({ endedAt, lastSeenAt, waitingFor }: Boot, now: number): boolean {
  return endedAt === undefined && (waitingFor !== undefined || now - lastSeenAt < UNDER_WAY);
}

function startOf({ boot, record }: Page): number {
  return (
    boot?.startedAt ?? Date.parse(record.slice(-15).replace(/^(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)$/, "$1-$2-$3T$4:$5:$6Z"))
  );
}

function ownedBy(name: string, uid: string): OwnerReference {
  return { apiVersion: Server.apiVersion, kind: Server.kind, name, uid };
}
