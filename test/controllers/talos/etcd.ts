/** A model of etcd: members with and without a vote, and nothing that changes without a quorum. */
import { Fault } from "#std/fault.ts";

export interface ModelMember {
  readonly id: string;
  readonly hostname: string;
  readonly address: string;
  isLearner: boolean;
  isUp: boolean;
}

export class EtcdModel {
  readonly members = new Map<string, ModelMember>();
  #made = 0;

  get voters(): ModelMember[] {
    return [...this.members.values()].filter(({ isLearner }) => !isLearner);
  }

  get hasQuorum(): boolean {
    const { voters } = this;
    return voters.length > 0 && voters.filter(({ isUp }) => isUp).length >= Math.floor(voters.length / 2) + 1;
  }

  /** The first one that is up; nobody leads without a quorum. */
  get leader(): string {
    return (this.hasQuorum && this.voters.find(({ isUp }) => isUp)?.id) || "0000000000000000";
  }

  begin(hostname: string, address: string): string {
    return this.#add(hostname, address, false);
  }

  /** As a learner; etcd takes none while a member with a vote does not answer (strict reconfiguration check). */
  join(hostname: string, address: string): string {
    this.#agree();
    if (this.voters.some(({ isUp }) => !isUp)) throw refused("unhealthy cluster");
    return this.#add(hostname, address, true);
  }

  promote(id: string): void {
    this.#agree();
    this.members.get(id)!.isLearner = false;
  }

  remove(id: string): void {
    this.#agree();
    if (!this.members.delete(id)) throw refused("member not found");
  }

  list(): ModelMember[] {
    this.#agree();
    return [...this.members.values()];
  }

  toString(): string {
    return [...this.members.values()]
      .map(({ address, isUp, isLearner }) => `${address}${isUp ? "" : " down"}${isLearner ? " learns" : ""}`)
      .join(", ");
  }

  #agree(): void {
    if (!this.hasQuorum) throw refused("etcdserver: no leader");
  }

  #add(hostname: string, address: string, isLearner: boolean): string {
    const id = (0xabc000 + ++this.#made).toString(16).padStart(16, "0");
    this.members.set(id, { id, hostname, address, isLearner, isUp: true });
    return id;
  }
}

function refused(message: string): Fault {
  return new Fault("talos.not-ready", message, { fault: "peer", retry: "soon" });
}
