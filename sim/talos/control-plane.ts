/** What a control plane machine does besides: its member of etcd, and the API server on top of it. */
import type { EtcdMember, EtcdStatus } from "#talos/api.ts";
import type { Installation } from "./body.ts";
import type { SimCluster } from "./cluster.ts";
import { EtcdRefusal } from "./etcd.ts";
import type { Member } from "./etcd.ts";
import { versionOf } from "./check.ts";
import { pairOf } from "./facts.ts";
import type { Talos } from "./talos.ts";

/** Milliseconds: between two looks for somebody to join, until a learner has everything, and until the API server answers. */
const LOOK = 4_000;
const SYNC = 6_000;
const API_SERVER = 12_000;
const NOBODY = "0000000000000000";

export class ControlPlane {
  readonly cluster: SimCluster;
  readonly #talos: Talos;
  readonly #installation: Installation;
  #start: () => void = () => {};
  /** It has left, and does not come back before the next start. */
  #hasLeft = false;

  constructor(talos: Talos, cluster: SimCluster, installation: Installation) {
    this.#talos = talos;
    this.cluster = cluster;
    this.#installation = installation;
  }

  /** Of this machine; undefined before it is in etcd, and when it is not any more. */
  get member(): Member | undefined {
    const { member } = this.#installation;
    return member === undefined ? undefined : this.cluster.etcd.members.get(member);
  }

  get hasData(): boolean {
    return this.#installation.member !== undefined;
  }

  async run(): Promise<void> {
    const { body, services, facts } = this.#talos;
    services.set("etcd", "Preparing", "Running pre state");
    body.life.onEnd(() => this.#end());
    if (!this.hasData) await this.#find(facts!.type === "init");
    const { member } = this.#installation;
    this.cluster.etcd.start(member!);
    // It may have been reset before it had everything.
    while (this.member?.isLearner === true && !this.#promote(member!)) await body.life.sleep(LOOK);
    services.set("etcd", "Running", "Health check successful");
    const kubelet = versionOf(facts!.kubelet.image) ?? "v1.36.0";
    await body.life.sleep(API_SERVER);
    if (this.member?.isUp !== true) return this.#failed();
    await this.cluster.serve(body.address, kubelet, pairOf(facts!.kubernetes)!);
    if (!body.life.alive) this.cluster.withdraw(body.address);
  }

  bootstrap(): "started" | "already" {
    if (this.hasData) return "already";
    const { etcd } = this.cluster;
    // As a real one would: it knows of its own disk alone. What comes of it is for whoever watches the world.
    if (etcd.members.size > 0) {
      this.#talos.world.onMisfortune(this.cluster, "split");
      return "started";
    }
    this.#installation.member = etcd.bootstrap(this.#self()).id;
    this.#talos.body.tell("starts etcd, as the first");
    this.#start();
    return "started";
  }

  leave(): void {
    const { etcd } = this.cluster;
    const member = this.member;
    if (member === undefined) throw new EtcdRefusal("etcdserver: member not found");
    etcd.remove(member.id);
    this.#talos.body.tell("leaves etcd");
    this.#gone("Finished", "Service finished successfully");
  }

  remove(id: string): void {
    this.cluster.etcd.remove(id);
    this.#talos.body.tell(`removes member ${id} from etcd`);
  }

  members(): EtcdMember[] {
    if (!this.cluster.etcd.hasQuorum || this.member?.isUp !== true) throw new EtcdRefusal("etcdserver: no leader");
    return [...this.cluster.etcd.members.values()].map(({ id, hostname, address, isLearner }) => ({
      id,
      hostname,
      peerUrls: [`https://${address}:2380`],
      clientUrls: [`https://${address}:2379`],
      isLearner,
    }));
  }

  status(): EtcdStatus {
    const { member } = this;
    const { leader, revision, hasQuorum } = this.cluster.etcd;
    if (member === undefined) throw new EtcdRefusal("etcdserver: server stopped");
    return {
      memberId: member.id,
      leader: leader?.id ?? NOBODY,
      isLearner: member.isLearner,
      raftIndex: revision,
      raftAppliedIndex: revision,
      errors: hasQuorum ? [] : ["etcdserver: no leader"],
    };
  }

  forfeit(): string {
    const { member } = this;
    if (member === undefined) throw new EtcdRefusal("etcdserver: member not found");
    return this.cluster.etcd.moveLeader(member.id)?.hostname ?? "";
  }

  /** A member of the others, or the first when it is told so. */
  async #find(isInit: boolean): Promise<void> {
    const { life, tell } = this.#talos.body;
    const { etcd } = this.cluster;
    const started = new Promise<void>((resolve) => (this.#start = resolve));
    let isStarted = false;
    void started.then(() => (isStarted = true));
    if (isInit && etcd.members.size === 0) this.bootstrap();
    while (!isStarted && this.#installation.member === undefined) {
      await life.live(Promise.race([started, life.sleep(LOOK)]));
      if (isStarted || !this.cluster.isServing) continue;
      try {
        const { id } = etcd.join(this.#self());
        this.#installation.member = id;
        tell("joins etcd");
        await life.sleep(SYNC);
        while (!this.#promote(id)) await life.sleep(LOOK);
      } catch (error) {
        if (!(error instanceof EtcdRefusal)) throw error;
      }
    }
  }

  #promote(id: string): boolean {
    try {
      this.cluster.etcd.promote(id);
      return true;
    } catch {
      return this.cluster.etcd.members.get(id) === undefined;
    }
  }

  #self(): Pick<Member, "id" | "hostname" | "address"> {
    const { world, body, hostname } = this.#talos;
    const id = Buffer.from(world.ports.entropy.bytes(8)).toString("hex");
    return { id, hostname, address: body.address };
  }

  /** The others have taken it out. */
  #failed(): void {
    this.#gone("Failed", "the member has been permanently removed from the cluster");
  }

  #gone(state: string, message: string): void {
    const { services, body } = this.#talos;
    this.#hasLeft = true;
    this.#installation.member = undefined;
    services.set("etcd", state, message);
    this.cluster.withdraw(body.address);
  }

  #end(): void {
    const { member } = this.#installation;
    if (member !== undefined && !this.#hasLeft) this.cluster.etcd.stop(member);
    this.cluster.withdraw(this.#talos.body.address);
  }
}
