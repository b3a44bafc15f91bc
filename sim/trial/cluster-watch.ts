/** What must never be of clusters: their etcd lost by us, a Server given to two, or the machine of one cluster told what is another's. */
import type { StoreEvent } from "#apiserver/store/store.ts";
import type { SimCluster } from "../talos/cluster.ts";
import type { Misfortune } from "../talos/world.ts";
import { KINDS } from "./tenant.ts";
import type { Loose } from "./tenant.ts";

export interface ClusterWatchOptions {
  readonly violation: (what: string) => void;
}

interface Binding {
  readonly spec?: { readonly metalMachineRef?: { readonly uid?: string; readonly name: string } };
}

export class ClusterWatch {
  readonly #options: ClusterWatchOptions;
  /** Names of Clusters that somebody wants. */
  readonly #wanted = new Set<string>();
  /** Name of a MetalMachine that is there and not being deleted → its Server. */
  readonly #servers = new Map<string, string>();
  /** Uid of a MetalMachine → the ServerBinding that is its own. */
  readonly #bindings = new Map<string, string>();

  constructor(options: ClusterWatchOptions) {
    this.#options = options;
  }

  onEvent({ type, entry }: StoreEvent): void {
    const isGone = type === "DELETED";
    if (entry.resource === `${KINDS.cluster.group}/${KINDS.cluster.plural}`) {
      const { metadata } = entry.object() as Loose;
      if (isGone || metadata.deletionTimestamp !== undefined) this.#wanted.delete(entry.name);
      else this.#wanted.add(entry.name);
    }
    if (entry.resource === `${KINDS.metalMachine.group}/${KINDS.metalMachine.plural}`)
      this.#onMetalMachine(entry.name, entry.object(), isGone);
    if (entry.resource === "infrastructure.cluster.x-k8s.io/serverbindings")
      this.#onBinding(entry.name, entry.object() as Binding, isGone);
  }

  onMisfortune({ name }: SimCluster, what: Misfortune): void {
    if (what === "split") return this.#options.violation(`cluster ${name}: etcd is started a second time`);
    if (this.#wanted.has(name)) this.#options.violation(`cluster ${name}: more of its etcd is erased than it can bear`);
  }

  #onMetalMachine(name: string, { metadata, spec }: Loose, isGone: boolean): void {
    this.#servers.delete(name);
    const server = (spec?.["serverRef"] as { name?: string } | undefined)?.name;
    if (isGone || metadata.deletionTimestamp !== undefined || server === undefined) return;
    for (const [other, its] of this.#servers)
      if (its === server) this.#options.violation(`Server ${server} is that of MetalMachines ${other} and ${name}`);
    this.#servers.set(name, server);
  }

  #onBinding(server: string, { spec }: Binding, isGone: boolean): void {
    const { uid = "", name = "" } = spec?.metalMachineRef ?? {};
    const other = this.#bindings.get(uid);
    if (isGone) {
      if (other === server) this.#bindings.delete(uid);
      return;
    }
    if (other !== undefined && other !== server)
      this.#options.violation(`MetalMachine ${name} holds Servers ${other} and ${server}`);
    this.#bindings.set(uid, server);
  }
}
