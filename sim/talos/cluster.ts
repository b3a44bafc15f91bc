/** A cluster of simulated machines: one etcd, and a Kubernetes API that answers while that has a quorum and a control plane machine serves it. */
import type { Clock } from "#io/clock.ts";
import { sleep } from "#io/clock.ts";
import type { SeededEntropy } from "#io/memory/entropy.ts";
import type { KeyPair, Pki } from "#io/pki.ts";
import type { Listen, Listener } from "#io/serve.ts";
import type { Client } from "#kube/client.ts";
import { Etcd } from "./etcd.ts";
import type { Member } from "./etcd.ts";
import type { MachineFacts } from "./facts.ts";
import { Nodes, startKubernetes } from "./kubernetes.ts";
import type { Kubernetes } from "./kubernetes.ts";
import { silenced } from "./silence.ts";

export interface ClusterPorts {
  readonly clock: Clock;
  readonly entropy: SeededEntropy;
  readonly pki: Pki;
  /** The listening door of a host. */
  readonly listenAt: (address: string) => Listen;
  /** Whether some machine has this address. */
  readonly isMachine: (address: string) => boolean;
  readonly tell: (what: string) => void;
  /** More of its etcd is gone than it can bear. */
  readonly onLost: (cluster: SimCluster, member: Member) => void;
}

const LIMITS = { headers: 10_000, idle: 120_000, buffered: 1024 * 1024, stalled: 30_000 };
/** Milliseconds until a shared address has moved to another machine. */
const MOVING = 3_000;
/** Milliseconds until a node that says nothing any more is taken for lost. */
const GRACE = 40_000;
const DAY = 86_400_000;

export class SimCluster {
  readonly name: string;
  readonly endpoint: string;
  readonly facts: MachineFacts;
  readonly etcd = new Etcd();
  readonly #ports: ClusterPorts;
  #kubernetes: Kubernetes | undefined;
  /** Addresses of machines whose API server runs. */
  readonly #servers = new Set<string>();
  /** `host:port` → who listens there. */
  readonly #doors = new Map<string, Promise<Listener>>();
  /** The machine that has the endpoint's address, where that is nobody's own. */
  #holder: string | undefined;
  #serving: KeyPair | undefined;
  /** Names of nodes whose kubelet runs. */
  readonly #kubelets = new Set<string>();

  constructor(facts: MachineFacts, ports: ClusterPorts) {
    this.name = facts.clusterName;
    this.endpoint = facts.endpoint;
    this.facts = facts;
    this.#ports = ports;
    this.etcd.onChange = () => this.#refresh();
    this.etcd.onLost = (member) => {
      ports.tell(`etcd of ${this.name} is lost with ${member.hostname}`);
      ports.onLost(this, member);
    };
  }

  get isServing(): boolean {
    return this.#kubernetes !== undefined && this.#servers.size > 0 && this.etcd.hasQuorum;
  }

  /** The cluster's own client; undefined before there is anything to talk to. */
  get client(): Client | undefined {
    return this.#kubernetes?.client;
  }

  get kubernetes(): Kubernetes | undefined {
    return this.#kubernetes;
  }

  /** The API server of the machine at this address runs from now on. */
  async serve(address: string, version: string, authority: KeyPair): Promise<void> {
    const { clock, entropy, pki } = this.#ports;
    this.#serving ??= await pki.issue(
      {
        algorithm: "ecdsa-p256",
        subject: [{ type: "CN", value: "kube-apiserver" }],
        notBefore: clock.now() - DAY,
        notAfter: clock.now() + 3650 * DAY,
        isAuthority: false,
        usages: ["server"],
      },
      authority,
    );
    this.#kubernetes ??= await startKubernetes({ clock, entropy, version, isServing: () => this.isServing });
    this.#servers.add(address);
    this.#refresh();
  }

  withdraw(address: string): void {
    this.#servers.delete(address);
    this.#refresh();
  }

  /** A kubelet runs under this name, until what is returned is called. */
  hold(name: string): () => void {
    this.#kubelets.add(name);
    return () => {
      this.#kubelets.delete(name);
      void this.#lose(name);
    };
  }

  async stop(): Promise<void> {
    this.#servers.clear();
    this.#refresh();
    await this.#kubernetes?.stop();
    this.#kubernetes = undefined;
  }

  /** What its node controller does about a node that says nothing. */
  async #lose(name: string): Promise<void> {
    const { clock } = this.#ports;
    for (;;) {
      await sleep(clock, GRACE);
      if (this.#kubelets.has(name) || this.etcd.isLost || this.#kubernetes === undefined) return;
      if (await this.#markLost(name).catch(() => false)) return;
    }
  }

  async #markLost(name: string): Promise<boolean> {
    if (!this.isServing) return false;
    const nodes = this.#kubernetes!.client.for(Nodes);
    const node = (await nodes.list()).items.find(({ metadata }) => metadata.name === name);
    const now = new Date(this.#ports.clock.now()).toISOString().replace(/\.\d+/, "");
    const conditions = node && silenced(node.status?.conditions, now);
    if (conditions === undefined) return true;
    await nodes.patch(name, { status: { conditions } }, { subresource: "status" });
    return true;
  }

  /** Doors where somebody serves, and no others. */
  #refresh(): void {
    const { host, port } = endpointOf(this.endpoint);
    const wanted = new Set(this.isServing ? [...this.#servers].map((address) => `${address}:${port}`) : []);
    const shared = `${host}:${port}`;
    const isShared = !wanted.has(shared) && !this.#ports.isMachine(host);
    const holder = this.isServing
      ? this.#holder !== undefined && this.#servers.has(this.#holder)
        ? this.#holder
        : first(this.#servers)
      : undefined;
    if (isShared && holder !== undefined) {
      wanted.add(shared);
      if (this.#holder !== undefined && this.#holder !== holder && this.#doors.has(shared)) {
        this.#close(shared);
        wanted.delete(shared);
        this.#ports.clock.after(MOVING, () => this.#refresh());
      }
    }
    this.#holder = holder;
    for (const key of this.#doors.keys()) if (!wanted.has(key)) this.#close(key);
    for (const key of wanted) if (!this.#doors.has(key)) this.#open(key);
  }

  #open(key: string): void {
    const kubernetes = this.#kubernetes!;
    const at = key.lastIndexOf(":");
    const { certificate, key: secret } = this.#serving!;
    const tls = { certificate, key: secret, clientCa: this.facts.kubernetes.certificate };
    const options = { host: "", port: Number(key.slice(at + 1)), limits: LIMITS, tls };
    const opening = this.#ports.listenAt(key.slice(0, at))(options, kubernetes.handler);
    opening.catch(() => this.#doors.delete(key));
    this.#doors.set(key, opening);
  }

  #close(key: string): void {
    const door = this.#doors.get(key);
    this.#doors.delete(key);
    void door?.then((listener) => listener.close()).catch(() => {});
  }
}

export function endpointOf(endpoint: string): { host: string; port: number } {
  const { hostname, port } = new URL(endpoint);
  return { host: hostname.replaceAll(/[[\]]/g, ""), port: port === "" ? 443 : Number(port) };
}

function first<T>(set: ReadonlySet<T>): T | undefined {
  const [one] = set;
  return one;
}
