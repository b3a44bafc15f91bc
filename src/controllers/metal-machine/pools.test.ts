/**
 * The pools against a model that looks at everything anew each time: nobody is offered what is not free, two are never offered the same, the choice is the
 * model's, and nobody waits while there is a Server for it, having only been woken by what the pools themselves say.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { choose, type Wish } from "#decide/allocation/choose.ts";
import { exclusionOf } from "#decide/allocation/exclusion.ts";
import { failureDomainOf } from "#decide/allocation/failure-domain.ts";
import { groupOf } from "#decide/metal-machine/group.ts";
import { membershipOf } from "#decide/server-class.ts";
import { MetalMachine } from "#kinds/infrastructure/v1alpha3/metal-machine.ts";
import { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import { ServerClass } from "#kinds/metal/v1alpha2/server-class.ts";
import type { CacheReader, Change } from "#kube/cache.ts";
import type { Reader } from "#kube/controller.ts";
import { type KindRef, kindName } from "#kube/kind.ts";
import type { KubeObject } from "#schema/meta.ts";
import { Pools, type Woken } from "./pools.ts";

const SERVERS = ["s0", "s1", "s2", "s3", "s4", "s5"];
const MACHINES = ["m0", "m1", "m2", "m3"];
const CLASSES = { all: {}, east: { selector: { matchLabels: { zone: "east" } } } } as const;

type Step =
  | { do: "server"; name: string; is: "there" | "gone"; clean: boolean; cordoned: boolean; zone: string }
  | { do: "want"; machine: string; serverClass: keyof typeof CLASSES; domain: string | undefined }
  | { do: "pick" | "bind" | "release" | "lose" | "delete"; machine: string };

const zone = fc.constantFrom("east", "west", "north");
const machine = fc.constantFrom(...MACHINES);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant("server" as const),
    name: fc.constantFrom(...SERVERS),
    is: fc.constantFrom("there" as const, "there" as const, "there" as const, "gone" as const),
    clean: fc.boolean(),
    cordoned: fc.boolean(),
    zone,
  }),
  fc.record({
    do: fc.constant("want" as const),
    machine,
    serverClass: fc.constantFrom("all" as const, "east" as const),
    domain: fc.option(zone, { nil: undefined, freq: 2 }),
  }),
  fc.record({
    do: fc.constantFrom("pick" as const, "bind" as const, "release" as const, "lose" as const, "delete" as const),
    machine,
  }),
);

/** Caches that the test fills. */
class Caches implements Reader {
  readonly #objects = new Map<string, Map<string, KubeObject>>();

  of<T extends KubeObject>(kind: KindRef<T>): CacheReader<T> {
    const objects = this.map(kind) as unknown as Map<string, T>;
    return {
      get: (key) => objects.get(key),
      values: () => objects.values(),
      size: objects.size,
      index: (valuesOf) => ({ get: (value) => [...objects.values()].filter((each) => valuesOf(each).includes(value)) }),
    };
  }

  map(kind: KindRef): Map<string, KubeObject> {
    const name = kindName(kind);
    const objects = this.#objects.get(name) ?? new Map<string, KubeObject>();
    this.#objects.set(name, objects);
    return objects;
  }

  /** What watchers are told. */
  put<T extends KubeObject>(kind: KindRef<T>, key: string, object: T | undefined): Change<T> | undefined {
    const objects = this.map(kind);
    const old = objects.get(key) as T | undefined;
    if (object === undefined) {
      objects.delete(key);
      return old && { type: "delete", key, object: old, isInitial: false };
    }
    objects.set(key, object);
    return old === undefined
      ? { type: "add", key, object, isInitial: false }
      : { type: "update", key, object, old, isInitial: false };
  }
}

class Model {
  readonly caches = new Caches();
  readonly pools = new Pools();
  readonly wishes = new Map<string, Wish>();
  readonly offers = new Map<string, string>();
  readonly #woken = new Set<string>();

  constructor() {
    for (const [name, spec] of Object.entries(CLASSES))
      this.caches.put(ServerClass, name, {
        apiVersion: "",
        kind: "ServerClass",
        metadata: { name },
        spec,
      } as unknown as ServerClass);
    this.pools.onFree = (woken) => this.#wake(woken);
    for (const name of MACHINES) this.#setMachine(name, {});
  }

  #wake({ keys }: Woken): void {
    for (const key of keys) this.#woken.add(key);
  }

  #setMachine(name: string, change: { server?: string; isLost?: boolean } | undefined): void {
    const { server, isLost } = change ?? {};
    const object = {
      apiVersion: "",
      kind: "MetalMachine",
      metadata: { name, namespace: "default", labels: { "cluster.x-k8s.io/deployment-name": "d" } },
      spec: server === undefined ? {} : { serverRef: { name: server } },
      status: isLost === true ? { failureReason: "ServerReleased" } : {},
    } as unknown as MetalMachine;
    const told = this.caches.put(MetalMachine, `default/${name}`, change && object);
    if (told !== undefined) this.#wake(this.pools.machineChanged(told, this.caches));
  }

  #bind(server: string, holder: string | undefined): void {
    const binding = {
      apiVersion: "",
      kind: "ServerBinding",
      metadata: { name: server, labels: { "cluster.x-k8s.io/deployment-name": "d" } },
      spec: { metalMachineRef: { namespace: "default", name: holder ?? "" } },
    } as unknown as ServerBinding;
    const told = this.caches.put(ServerBinding, server, holder === undefined ? undefined : binding);
    if (told !== undefined) this.#wake(this.pools.bindingChanged(told, this.caches));
  }

  #named(name: string): string | undefined {
    return this.caches.of(MetalMachine).get(`default/${name}`)?.spec?.serverRef?.name;
  }

  #holder(server: string): string | undefined {
    return this.caches.of(ServerBinding).get(server)?.spec?.metalMachineRef.name;
  }

  run(each: Step): void {
    if (each.do === "server") {
      const { name, is, clean, cordoned } = each;
      const object = {
        apiVersion: "",
        kind: "Server",
        metadata: { name, labels: { zone: each.zone, "topology.kubernetes.io/zone": each.zone } },
        spec: { accepted: true, cordoned },
        status: { isClean: clean },
      } as unknown as Server;
      const told = this.caches.put(Server, name, is === "gone" ? undefined : object);
      if (told !== undefined) this.#wake(this.pools.serverChanged(told, this.caches));
      return this.#drain();
    }
    const { machine: name } = each;
    const key = `default/${name}`;
    const named = this.#named(name);
    if (each.do === "want" && named === undefined) {
      if (this.caches.of(MetalMachine).get(key) === undefined) this.#setMachine(name, {});
      const group = groupOf("default", { "cluster.x-k8s.io/deployment-name": "d" });
      this.wishes.set(key, { serverClass: each.serverClass, failureDomain: each.domain, group });
      this.#ask(key);
    }
    if (each.do === "pick" && this.offers.has(key)) {
      const server = this.offers.get(key)!;
      this.#setMachine(name, { server });
      // As the controller does in its next turn.
      this.#forget(key);
      this.pools.withdraw(key, this.caches);
    }
    if (each.do === "bind" && named !== undefined && this.#holder(named) === undefined) this.#bind(named, name);
    if (each.do === "release" && named !== undefined && this.#holder(named) === name) this.#bind(named, undefined);
    if (each.do === "lose" && named !== undefined && this.#holder(named) !== name)
      this.#setMachine(name, { server: named, isLost: true });
    if (each.do === "delete" && (named === undefined || this.#holder(named) !== name)) {
      this.#forget(key);
      this.#setMachine(name, undefined);
    }
    this.#drain();
  }

  #forget(key: string): void {
    this.wishes.delete(key);
    this.offers.delete(key);
  }

  /** Whoever is woken looks again, until nobody is. */
  #drain(): void {
    for (const key of this.#woken) {
      this.#woken.delete(key);
      if (this.wishes.has(key)) this.#ask(key);
    }
    for (const [key, wish] of this.wishes)
      if (!this.offers.has(key)) assert.deepEqual([...this.#free(key, wish).keys()], [], `${key} waits for nothing`);
  }

  #ask(key: string): void {
    const wish = this.wishes.get(key)!;
    const before = this.offers.get(key);
    const free = this.#free(key, wish);
    const isKept = before !== undefined && [...free.values()].flat().includes(before);
    this.offers.delete(key);
    const expected = isKept ? before : choose(free, wish.failureDomain, this.#used());
    const offer = this.pools.offer(key, wish, this.caches);
    const server = "server" in offer ? offer.server : undefined;
    assert.equal(server, expected);
    if (server !== undefined) this.offers.set(key, server);
  }

  /** Nobody's, and fit for the wish. */
  #free(key: string, wish: Wish): Map<string | undefined, string[]> {
    const membership = membershipOf(wish.serverClass, CLASSES[wish.serverClass as keyof typeof CLASSES]);
    const taken = new Set([...this.offers].flatMap(([other, server]) => (other === key ? [] : [server])));
    const named = new Set<string>();
    for (const { metadata, spec, status } of this.caches.of(MetalMachine).values())
      if (status?.failureReason === undefined && `default/${metadata.name}` !== key && spec?.serverRef?.name)
        named.add(spec.serverRef.name);
    const free = new Map<string | undefined, string[]>();
    for (const server of [...this.caches.of(Server).values()].toSorted((a, b) =>
      a.metadata.name! < b.metadata.name! ? -1 : 1,
    )) {
      const { name = "" } = server.metadata;
      const domain = failureDomainOf(server);
      const isHeld = taken.has(name) || named.has(name) || this.caches.of(ServerBinding).get(name) !== undefined;
      if (isHeld || exclusionOf(server) !== undefined || !membership.isMeant(server)) continue;
      if (wish.failureDomain === undefined || wish.failureDomain === domain)
        free.set(domain, [...(free.get(domain) ?? []), name]);
    }
    return free;
  }

  /** One group: all that is bound, named or offered. */
  #used(): Map<string | undefined, number> {
    const used = new Map<string | undefined, number>();
    for (const server of this.caches.of(Server).values()) {
      const { name = "" } = server.metadata;
      const isNamed = [...this.caches.of(MetalMachine).values()].some(
        ({ spec, status }) => status?.failureReason === undefined && spec?.serverRef?.name === name,
      );
      if (!isNamed && this.caches.of(ServerBinding).get(name) === undefined && ![...this.offers.values()].includes(name))
        continue;
      const domain = failureDomainOf(server);
      used.set(domain, (used.get(domain) ?? 0) + 1);
    }
    return used;
  }
}

test("pools are what looking at everything anew would be", () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), (steps) => {
      const model = new Model();
      for (const each of steps) model.run(each);
    }),
    { numRuns: 500 },
  );
});
