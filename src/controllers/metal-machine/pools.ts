/**
 * Who gets which Server, without two being given the same: a Server that one MetalMachine was offered is nobody else's until that one has taken
 * it or wants it no more. That keeps workers of one process from running into each other; the lock itself is the name of the ServerBinding.
 * Asking costs as much as there are failure domains, and a change of a Server as much as there are classes that somebody waits for.
 */
import type { Census, Exclusion } from "#decide/allocation/exclusion.ts";
import { exclusionOf, refusalOf } from "#decide/allocation/exclusion.ts";
import { choose, type Wish } from "#decide/allocation/choose.ts";
import { failureDomainOf } from "#decide/allocation/failure-domain.ts";
import { groupOf } from "#decide/metal-machine/group.ts";
import { MetalMachine } from "#kinds/infrastructure/v1alpha3/metal-machine.ts";
import { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import { ServerClass } from "#kinds/metal/v1alpha2/server-class.ts";
import type { Change, Index } from "#kube/cache.ts";
import type { Reader } from "#kube/controller.ts";
import { keyOf } from "#kube/kind.ts";
import { equal } from "#std/json.ts";
import { Pool } from "./pool.ts";

/** A Server, or why there is none. */
export type Offer =
  | { readonly server: string }
  | { readonly census: Census }
  | { readonly problem: string; readonly isMissing: boolean };

interface Held {
  readonly group: string;
  readonly domain: string | undefined;
}

export class Pools {
  readonly #pools = new Map<string, Pool>();
  /** Of MetalMachines, by key: what was offered, to which wish. */
  readonly #offers = new Map<string, Wish & { readonly server: string }>();
  readonly #offered = new Map<string, string>();
  readonly #waiting = new Map<string, Map<string, Wish>>();
  readonly #held = new Map<string, Held>();
  readonly #used = new Map<string, Map<string | undefined, number>>();
  readonly #makePool: (name: string, spec: ServerClass["spec"]) => Pool;
  #named: Index<MetalMachine> | undefined;
  /** Told when a Server is given back. */
  onFree: (woken: Woken) => void = () => {};

  /** Tests hand in pools that count. */
  constructor(makePool: (name: string, spec: ServerClass["spec"]) => Pool = (name, spec) => new Pool(name, spec)) {
    this.#makePool = makePool;
  }

  /** What the MetalMachine of this key can have. Asked again it gets the same, as long as that can be had. */
  offer(key: string, wish: Wish, reader: Reader): Offer {
    const before = this.#offers.get(key);
    if (before !== undefined) {
      if (this.#fits(before.server, wish, reader) && this.#standing(before.server, reader, key) === undefined)
        return { server: before.server };
      this.withdraw(key, reader);
    }
    const pool = this.#poolOf(wish.serverClass, reader);
    const server = pool && choose(pool.free, wish.failureDomain, this.#used.get(wish.group) ?? new Map());
    if (pool === undefined || server === undefined) {
      this.#wait(key, wish);
      if (pool === undefined) return { problem: `there is no ServerClass ${wish.serverClass}`, isMissing: true };
      if (pool.problem !== undefined) return { problem: pool.problem, isMissing: false };
      return { census: pool.census(wish.failureDomain) };
    }
    for (const waiting of this.#waiting.values()) waiting.delete(key);
    this.#offers.set(key, { ...wish, server });
    this.#offered.set(server, key);
    this.#refresh(server, reader);
    return { server };
  }

  /** It wants none, or has one. */
  withdraw(key: string, reader: Reader): void {
    for (const waiting of this.#waiting.values()) waiting.delete(key);
    const offer = this.#offers.get(key);
    if (offer === undefined) return;
    this.#offers.delete(key);
    this.#offered.delete(offer.server);
    const woken = this.#refresh(offer.server, reader);
    if (woken.keys.length > 0 || woken.classes.length > 0) this.onFree(woken);
  }

  /** What keeps a MetalMachine from getting the Server that it names; undefined: nothing. Who else names it does not matter: first come, first served. */
  refusal(server: string, isPicked: boolean, reader: Reader): Exclusion | undefined {
    const object = reader.of(Server).get(server);
    const own = object && (isPicked ? exclusionOf(object) : refusalOf(object));
    return own ?? (reader.of(ServerBinding).get(server) === undefined ? undefined : "in-use");
  }

  /** Each of these gives the keys of those waiting who can be served now, and the classes whose figures have changed. */
  serverChanged({ key }: Change<Server>, reader: Reader): Woken {
    return this.#refresh(key, reader);
  }

  bindingChanged({ key }: Change<ServerBinding>, reader: Reader): Woken {
    const owner = this.#offered.get(key);
    if (owner !== undefined && reader.of(ServerBinding).get(key) !== undefined) {
      this.#offers.delete(owner);
      this.#offered.delete(key);
    }
    return this.#refresh(key, reader);
  }

  machineChanged({ type, key, object, old }: Change<MetalMachine>, reader: Reader): Woken {
    const [is, was] = [nameOf(object), old && nameOf(old)];
    if (type === "delete") this.withdraw(key, reader);
    else if (is === was) return NOBODY;
    const names = new Set([is, was].filter((name) => name !== undefined));
    return join([...names].map((name) => this.#refresh(name, reader)));
  }

  /** A class that has come, gone or changed its rules. */
  classChanged({ type, key, object, old }: Change<ServerClass>): Woken {
    const rules = ({ spec }: ServerClass) => [spec?.selector ?? {}, spec?.qualifiers ?? {}, spec?.where ?? ""];
    if (type === "update" && old !== undefined && equal(rules(old), rules(object))) return NOBODY;
    this.#pools.delete(key);
    return { keys: this.waitingFor(key), classes: [] };
  }

  /** Keys of the MetalMachines that name the Server, whether they have it or wait for it. */
  namersOf(server: string, reader: Reader): string[] {
    return this.#namedBy(server, reader).map(keyOf);
  }

  waitingFor(serverClass: string): string[] {
    return [...(this.#waiting.get(serverClass)?.keys() ?? [])];
  }

  /** It is in the class and the failure domain, which either may have changed meanwhile. */
  #fits(name: string, { serverClass, failureDomain }: Wish, reader: Reader): boolean {
    const server = reader.of(Server).get(name);
    if (server === undefined || this.#poolOf(serverClass, reader)?.has(name) !== true) return false;
    return failureDomain === undefined || failureDomainOf(server) === failureDomain;
  }

  #poolOf(name: string, reader: Reader): Pool | undefined {
    const known = this.#pools.get(name);
    if (known !== undefined) return known;
    const serverClass = reader.of(ServerClass).get(name);
    if (serverClass === undefined) return undefined;
    const pool = this.#makePool(name, serverClass.spec);
    for (const server of reader.of(Server).values()) {
      const key = keyOf(server);
      pool.put(key, server, this.#standing(key, reader));
    }
    this.#pools.set(name, pool);
    return pool;
  }

  /** Its place in the queue stays when it wants something else of the same class. */
  #wait(key: string, wish: Wish): void {
    for (const [serverClass, others] of this.#waiting) if (serverClass !== wish.serverClass) others.delete(key);
    const waiting = this.#waiting.get(wish.serverClass) ?? new Map<string, Wish>();
    this.#waiting.set(wish.serverClass, waiting.set(key, wish));
  }

  /** Why the Server cannot be had by `key`, or by just anybody. */
  #standing(name: string, reader: Reader, key?: string): Exclusion | undefined {
    const server = reader.of(Server).get(name);
    return (server && exclusionOf(server)) ?? this.#claim(name, key, reader);
  }

  #claim(name: string, key: string | undefined, reader: Reader): Exclusion | undefined {
    if (reader.of(ServerBinding).get(name) !== undefined) return "in-use";
    const offered = this.#offered.get(name);
    if (offered !== undefined && offered !== key) return "promised";
    return this.#namedBy(name, reader).some((machine) => keyOf(machine) !== key) ? "promised" : undefined;
  }

  #namedBy(server: string, reader: Reader): MetalMachine[] {
    this.#named ??= reader.of(MetalMachine).index((machine) => {
      const name = nameOf(machine);
      return name === undefined ? [] : [name];
    });
    return this.#named.get(server);
  }

  /** Everything that is known of a Server, anew. */
  #refresh(name: string, reader: Reader): Woken {
    const server = reader.of(Server).get(name);
    this.#hold(name, server, reader);
    const exclusion = server && this.#standing(name, reader);
    const [keys, classes]: [string[], string[]] = [[], []];
    for (const [serverClass, pool] of this.#pools) {
      if (!pool.put(name, server, exclusion)) continue;
      classes.push(serverClass);
      if (server !== undefined && exclusion === undefined && pool.has(name)) keys.push(...this.#next(serverClass, server, pool));
    }
    return { keys, classes };
  }

  /** As many of those waiting as there are Servers for them: the others would only look and wait on. */
  #next(serverClass: string, server: Server, pool: Pool): string[] {
    const domain = failureDomainOf(server);
    const keys: string[] = [];
    for (const [key, wish] of this.#waiting.get(serverClass) ?? []) {
      if (wish.failureDomain !== undefined && wish.failureDomain !== domain) continue;
      keys.push(key);
      if (keys.length >= pool.freeIn(undefined)) break;
    }
    return keys;
  }

  /** Which group has it, for keeping machines apart. */
  #hold(name: string, server: Server | undefined, reader: Reader): void {
    const binding = reader.of(ServerBinding).get(name);
    const offer = this.#offers.get(this.#offered.get(name) ?? "");
    const [machine] = binding === undefined ? this.#namedBy(name, reader) : [];
    const { namespace = "", labels } = machine?.metadata ?? {};
    const group =
      binding === undefined
        ? (offer?.group ?? (machine && groupOf(namespace, labels)))
        : groupOf(binding.spec?.metalMachineRef.namespace ?? "", binding.metadata.labels);
    const after = group === undefined || server === undefined ? undefined : { group, domain: failureDomainOf(server) };
    const before = this.#held.get(name);
    if (before?.group === after?.group && before?.domain === after?.domain) return;
    if (before !== undefined) this.#count(before, -1);
    if (after === undefined) this.#held.delete(name);
    else {
      this.#held.set(name, after);
      this.#count(after, 1);
    }
  }

  #count({ group, domain }: Held, by: 1 | -1): void {
    const used = this.#used.get(group) ?? new Map<string | undefined, number>();
    const count = (used.get(domain) ?? 0) + by;
    if (count === 0) used.delete(domain);
    else used.set(domain, count);
    if (used.size === 0) this.#used.delete(group);
    else this.#used.set(group, used);
  }
}

/** Who is to look again at once, and classes about which those that wait are to be told anew in a while. */
export interface Woken {
  readonly keys: readonly string[];
  readonly classes: readonly string[];
}

const NOBODY: Woken = { keys: [], classes: [] };

function join(all: readonly Woken[]): Woken {
  return { keys: all.flatMap(({ keys }) => keys), classes: all.flatMap(({ classes }) => classes) };
}

/** The Server that a MetalMachine names, unless it has lost that for good. */
function nameOf({ spec, status }: MetalMachine): string | undefined {
  return status?.failureReason === undefined ? spec?.serverRef?.name || undefined : undefined;
}
