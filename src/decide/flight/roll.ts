/**
 * Who is who: finds the machine of a sighting by any of its names, and learns which names belong together. Names that nobody has vouched for
 * are believed for display only: a machine with a Server is never taken for another one that has one.
 */
import type { Whom } from "../sighting.ts";
import { type Machine, MOST_NAMES } from "./machine.ts";

/** Strongest first. */
const NAMES = ["server", "uuid", "mac"] as const;

export class Roll {
  /** By `server:…`, `uuid:…`, `mac:…` and `address:…`. */
  readonly #byName = new Map<string, Machine>();
  readonly #machines = new Set<Machine>();

  get size(): number {
    return this.#machines.size;
  }

  [Symbol.iterator](): IterableIterator<Machine> {
    return this.#machines.values();
  }

  /** The machine; undefined when there is none of any of these names. An address tells only when nothing better does. */
  find(whom: Whom): Machine | undefined {
    const { server, uuid, mac } = whom;
    // Most Servers are named by their UUID.
    for (const key of [`server:${server}`, `uuid:${uuid}`, `server:${uuid}`, `mac:${mac}`]) {
      const found = this.#byName.get(key);
      if (found !== undefined && isCompatible(found, whom)) return found;
    }
    if (NAMES.some((name) => whom[name] !== undefined)) return undefined;
    return whom.address === undefined ? undefined : this.#byName.get(`address:${whom.address}`);
  }

  /** Another one that these names are of as well: two that were not known to be one. */
  other(machine: Machine, whom: Whom): Machine | undefined {
    for (const name of [...NAMES, "address"] as const) {
      const found = whom[name] === undefined ? undefined : this.#byName.get(`${name}:${whom[name]}`);
      if (found === undefined || found === machine) continue;
      const isNameless = name !== "address" || (found.server === undefined && found.uuid === undefined && found.macs.size === 0);
      if (isNameless && isCompatible(machine, found)) return found;
    }
    return undefined;
  }

  add(whom: Whom): Machine {
    const machine: Machine = { server: undefined, uuid: undefined, macs: new Set(), addresses: new Set(), pages: [] };
    this.#machines.add(machine);
    this.learn(machine, whom);
    return machine;
  }

  /** Gives the machine these names, and takes them from others. True when that is news. */
  learn(machine: Machine, { server, uuid, mac, address }: Whom): boolean {
    let isNews = false;
    for (const [name, value] of [
      ["server", server],
      ["uuid", uuid],
    ] as const) {
      if (value === undefined || machine[name] === value) continue;
      if (machine[name] !== undefined) this.#drop(`${name}:${machine[name]}`, machine);
      machine[name] = value;
      this.#byName.set(`${name}:${value}`, machine);
      isNews = true;
    }
    if (mac !== undefined) isNews = this.#learnOne(machine, "mac", machine.macs, mac) || isNews;
    if (address !== undefined) isNews = this.#learnOne(machine, "address", machine.addresses, address) || isNews;
    return isNews;
  }

  /** Whose address it is. */
  holder(address: string): Machine | undefined {
    return this.#byName.get(`address:${address}`);
  }

  remove(machine: Machine): void {
    this.#machines.delete(machine);
    if (machine.server !== undefined) this.#drop(`server:${machine.server}`, machine);
    if (machine.uuid !== undefined) this.#drop(`uuid:${machine.uuid}`, machine);
    for (const mac of machine.macs) this.#drop(`mac:${mac}`, machine);
    for (const address of machine.addresses) this.#drop(`address:${address}`, machine);
  }

  #learnOne(machine: Machine, name: "mac" | "address", values: Set<string>, value: string): boolean {
    const key = `${name}:${value}`;
    const before = this.#byName.get(key);
    if (before === machine) return false;
    if (before !== undefined) (name === "mac" ? before.macs : before.addresses).delete(value);
    values.add(value);
    this.#byName.set(key, machine);
    if (values.size > MOST_NAMES) {
      const [oldest] = values;
      values.delete(oldest!);
      this.#drop(`${name}:${oldest}`, machine);
    }
    return true;
  }

  #drop(key: string, machine: Machine): void {
    if (this.#byName.get(key) === machine) this.#byName.delete(key);
  }
}

/** Nothing says that the two are different machines. The same Server may have reported another UUID after a repair. */
function isCompatible(a: Pick<Machine, "server" | "uuid"> | Whom, b: Pick<Machine, "server" | "uuid"> | Whom): boolean {
  if (a.server !== undefined && b.server !== undefined) return a.server === b.server;
  return a.uuid === undefined || b.uuid === undefined || a.uuid === b.uuid;
}
