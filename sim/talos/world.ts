/** Every simulated Talos there is: who answers at which address, and the clusters that they make. */
import type { Clock } from "#io/clock.ts";
import type { SeededEntropy } from "#io/memory/entropy.ts";
import type { Pki } from "#io/pki.ts";
import type { Listen } from "#io/serve.ts";
import type { TalosEvent } from "#talos/api.ts";
import { SimCluster } from "./cluster.ts";
import type { Etcd } from "./etcd.ts";
import { isControlPlane } from "./facts.ts";
import type { MachineFacts } from "./facts.ts";
import type { Talos } from "./talos.ts";

export interface WorldPorts {
  readonly clock: Clock;
  readonly entropy: SeededEntropy;
  /** The same one that the cluster's secrets were made with, where keys of it are to be known. */
  readonly pki: Pki;
  readonly listenAt: (address: string) => Listen;
  /** Whether some machine has this address, whatever it runs. */
  readonly isMachine: (address: string) => boolean;
  readonly tell: (who: string, what: string) => void;
}

/** What happened to a cluster that can never be undone. */
export type Misfortune = "lost" | "split";

export class TalosWorld {
  readonly ports: WorldPorts;
  /** By the certificate of their Kubernetes authority, which no two share. */
  readonly clusters = new Map<string, SimCluster>();
  readonly #running = new Map<string, Talos>();
  /** Called when a cluster has lost its etcd, or a second one has been started beside it. */
  onMisfortune: (cluster: SimCluster, what: Misfortune) => void = () => {};
  /** Called with what machines say of themselves: there is no tunnel here. */
  onEvent: (uuid: string, event: TalosEvent) => void = () => {};

  constructor(ports: WorldPorts) {
    this.ports = ports;
  }

  /** Whose apid answers at this address. */
  at(address: string): Talos | undefined {
    return this.#running.get(address);
  }

  /** By any name that a machine of a cluster has in it. */
  named(name: string, authority: string): Talos | undefined {
    const isIt = (talos: Talos): boolean => talos.facts?.os.certificate === authority && talos.hostname === name;
    return this.at(name) ?? [...this.#running.values()].find(isIt);
  }

  /** Its apid answers from now on, as long as it lives. */
  answer(address: string, talos: Talos): void {
    this.#running.set(address, talos);
    talos.body.life.onEnd(() => {
      if (this.#running.get(address) === talos) this.#running.delete(address);
    });
  }

  /** Whether somebody of the cluster signs the certificates of workers. */
  hasTrustd({ token }: MachineFacts): boolean {
    return [...this.#running.values()].some(({ facts }) => facts !== undefined && isControlPlane(facts) && facts.token === token);
  }

  clusterOf(facts: MachineFacts): SimCluster {
    const key = facts.kubernetes.certificate;
    const known = this.clusters.get(key);
    if (known !== undefined) return known;
    const { tell, ...ports } = this.ports;
    const cluster: SimCluster = new SimCluster(facts, {
      ...ports,
      tell: (what) => tell(facts.clusterName, what),
      onLost: (lost) => this.onMisfortune(lost, "lost"),
    });
    this.clusters.set(key, cluster);
    return cluster;
  }

  /** A member's disk is erased: with the last of them goes the cluster. */
  erased(cluster: SimCluster, member: string): void {
    cluster.etcd.erase(member);
    if (hasData(cluster.etcd)) return;
    this.clusters.delete(cluster.facts.kubernetes.certificate);
    void cluster.stop();
  }
}

function hasData({ members }: Etcd): boolean {
  return [...members.values()].some((member) => member.hasData);
}
