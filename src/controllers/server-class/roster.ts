/**
 * Who is in which class, kept up to date change by change: a changed Server is asked about once per class, a changed class once per
 * Server, and nothing else is ever asked. Only the classes whose lists change are named as changed.
 */
import { equal } from "#std/json.ts";
import { type Membership, membershipOf } from "#decide/server-class.ts";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import type { ServerClass } from "#kinds/metal/v1alpha2/server-class.ts";
import type { Change } from "#kube/cache.ts";
import { placeOf } from "#std/sorted.ts";

/** The members of one class: names, sorted (by UTF-16 code unit, as Go sorts the names Servers can have). */
export interface Members {
  readonly available: readonly string[];
  readonly inUse: readonly string[];
  readonly problem: string | undefined;
  /** By name, Servers of which it cannot be told, and why. */
  readonly failures: ReadonlyMap<string, string>;
}

class Entry implements Members {
  readonly available: string[] = [];
  readonly inUse: string[] = [];
  readonly failures = new Map<string, string>();
  readonly #membership: Membership;

  constructor(membership: Membership) {
    this.#membership = membership;
  }

  get looksAtHostname(): boolean {
    return this.#membership.looksAtHostname;
  }

  get problem(): string | undefined {
    return this.#membership.problem;
  }

  /** Puts the Server where it belongs (undefined: it is gone); true when a list, or what cannot be told, has changed. */
  move(name: string, server: Server | undefined): boolean {
    const before = this.failures.get(name);
    this.failures.delete(name);
    const place = server && this.#membership.placeOf(server, (failure) => this.failures.set(name, failure));
    const [isInAvailable, isInUse] = [
      put(this.available, name, place === "available"),
      put(this.inUse, name, place === "in-use"),
    ];
    return isInAvailable || isInUse || this.failures.get(name) !== before;
  }
}

export class Roster {
  readonly #classes = new Map<string, Entry>();
  readonly #membershipOf: typeof membershipOf;

  /** Tests hand in a membership that counts. */
  constructor(membership: typeof membershipOf = membershipOf) {
    this.#membershipOf = membership;
  }

  membersOf(name: string): Members | undefined {
    return this.#classes.get(name);
  }

  /** How many Servers are in the class. */
  sizeOf(name: string): number {
    const entry = this.#classes.get(name);
    return entry === undefined ? 0 : entry.available.length + entry.inUse.length;
  }

  /** The classes whose lists change with a Server. */
  serverChanged({ type, key, object, old }: Change<Server>): string[] {
    const isSame = old !== undefined && isSameToClasses(old, object);
    if (isSame && old.spec?.hostname === object.spec?.hostname) return [];
    const server = type === "delete" ? undefined : object;
    // Hardly any class asks for the host name, which is for people.
    const asked = [...this.#classes].filter(([, entry]) => !isSame || entry.looksAtHostname);
    return asked.filter(([, entry]) => entry.move(key, server)).map(([name]) => name);
  }

  /** A class that has come, gone or changed; its lists are made anew only when its rules are other ones. */
  classChanged({ type, key, object, old }: Change<ServerClass>, servers: Iterable<Server>): string[] {
    if (type === "delete") {
      this.#classes.delete(key);
    } else if (old === undefined || !equal(rulesOf(old), rulesOf(object))) {
      const entry = new Entry(this.#membershipOf(key, object.spec));
      for (const server of servers) entry.move(server.metadata.name ?? "", server);
      this.#classes.set(key, entry);
    }
    return [key];
  }
}

/** All of a Server that decides where it stands, but for its host name. */
function isSameToClasses(a: Server, b: Server): boolean {
  const seen = ({ metadata: { labels = {} }, spec, status }: Server): unknown => [
    labels,
    spec?.accepted === true,
    spec?.cordoned === true,
    status?.inUse === true,
    spec?.hardware ?? null,
  ];
  return equal(seen(a), seen(b));
}

function rulesOf({ spec }: ServerClass): unknown {
  return [spec?.selector ?? {}, spec?.qualifiers ?? {}, spec?.where ?? ""];
}

/** Puts `name` into the sorted list, or takes it out; true when that changes the list. */
function put(names: string[], name: string, isIn: boolean): boolean {
  const place = placeOf(names, name);
  if ((names[place] === name) === isIn) return false;
  if (isIn) names.splice(place, 0, name);
  else names.splice(place, 1);
  return true;
}
