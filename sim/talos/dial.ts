/** The way to the simulated machines: `TalosDial` on a virtual network, with what TLS would check and what gets lost. */
import type { Clock } from "#io/clock.ts";
import { sleep } from "#io/clock.ts";
import type { SeededEntropy } from "#io/memory/entropy.ts";
import { verifyMemoryPair } from "#io/memory/pki.ts";
import { talosFault } from "#main/talos/faults.ts";
import type { MaintenanceTarget, TalosApi, TalosDial, TalosTarget } from "#talos/api.ts";
import { callsOf, guard, mayCall } from "./apid.ts";
import type { Calls } from "./apid.ts";
import type { Talos } from "./talos.ts";
import type { TalosWorld } from "./world.ts";

export interface DialPorts {
  readonly world: TalosWorld;
  readonly clock: Clock;
  readonly entropy: SeededEntropy;
  /** Probability that a call does not arrive, and again that its answer does not. */
  readonly loss: () => number;
}

/** Milliseconds: a call, and until nobody has answered. */
const TRAVEL = 5;
const PATIENCE = 10_000;
const PORT = 50_000;

export function dialSimulated({ world, clock, entropy, loss }: DialPorts): TalosDial {
  return (target): TalosApi => {
    const unreachable = (why: string): Error => talosFault("talos.unreachable", why);
    const call = async <T>(name: keyof Calls, act: (calls: Calls) => T | Promise<T>): Promise<T> => {
      const isLost = entropy.chance(loss());
      await sleep(clock, isLost ? PATIENCE : TRAVEL);
      if (isLost) throw unreachable(`${name}: nothing came back`);
      const talos = find(world, target, name, clock.now());
      if (talos === undefined) {
        await sleep(clock, PATIENCE);
        throw unreachable(`${name} at ${target.endpoints.join(", ")}: nobody answers`);
      }
      const answer = await act(callsOf(talos));
      await sleep(clock, entropy.chance(loss()) ? PATIENCE : TRAVEL);
      // A machine that went meanwhile answers nobody.
      if (!talos.body.life.alive) throw unreachable(`${name}: the connection broke`);
      return answer;
    };
    return {
      version: () => call("version", (calls) => calls.version()),
      bootstrap: () => call("bootstrap", (calls) => calls.bootstrap()),
      services: () => call("services", (calls) => calls.services()),
      etcdMembers: () => call("etcdMembers", (calls) => calls.etcdMembers()),
      etcdStatus: () => call("etcdStatus", (calls) => calls.etcdStatus()),
      etcdForfeitLeadership: () => call("etcdForfeitLeadership", (calls) => calls.etcdForfeitLeadership()),
      etcdLeave: () => call("etcdLeave", (calls) => calls.etcdLeave()),
      etcdRemoveMember: (id) => call("etcdRemoveMember", (calls) => calls.etcdRemoveMember(id)),
      list: (path) => call("list", (calls) => calls.list(path)),
      async *events(options) {
        yield* await call("events", (calls) => calls.events(options));
      },
      reset: (options) => call("reset", (calls) => calls.reset(options)),
      upgrade: (options) => call("upgrade", (calls) => calls.upgrade(options)),
      reboot: (options) => call("reboot", (calls) => calls.reboot(options)),
      applyConfiguration: (options) => call("applyConfiguration", (calls) => calls.applyConfiguration(options)),
      configuration: () => call("configuration", (calls) => calls.configuration()),
      kubeconfig: () => call("kubeconfig", (calls) => calls.kubeconfig()),
      close: () => {},
    };
  };
}

/** The first endpoint that answers, or the node behind it. Throws what TLS and roles say against the caller. */
function find(world: TalosWorld, target: TalosTarget | MaintenanceTarget, name: keyof Calls, now: number): Talos | undefined {
  for (const endpoint of target.endpoints) {
    const { host, port } = partsOf(endpoint);
    const talos = port === PORT ? world.at(host) : undefined;
    if (talos === undefined) continue;
    check(talos, target, name, now);
    if ("maintenance" in target || target.node === undefined) return talos;
    const node = world.named(target.node, target.ca);
    if (node === undefined) throw talosFault("talos.unreachable", `${name}: ${host} does not reach ${target.node}`);
    check(node, target, name, now);
    return node;
  }
  return undefined;
}

function check(talos: Talos, target: TalosTarget | MaintenanceTarget, name: keyof Calls, now: number): void {
  const authority = talos.facts?.os.certificate;
  if ("maintenance" in target) {
    // Whoever is configured wants a certificate.
    if (authority !== undefined) throw talosFault("talos.denied", `${name}: a client certificate is wanted`);
    return guard(talos, name);
  }
  if (authority !== target.ca)
    throw talosFault("talos.unreachable", `${name}: what answers has no certificate of this cluster`, { reason: "certificate" });
  const shown = verifyMemoryPair({ certificate: target.crt, key: target.key }, { authority, now });
  if (shown === undefined) throw talosFault("talos.denied", `${name}: it does not take our certificate`);
  if (!mayCall(shown.organizations, name)) throw talosFault("talos.denied", `${name}: not authorized`);
}

function partsOf(endpoint: string): { host: string; port: number } {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(endpoint) ?? [];
  return { host: bracketed ?? plain ?? endpoint, port: port === undefined ? PORT : Number(port) };
}
