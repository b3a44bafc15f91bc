/**
 * The members of one etcd, and what it lets be done to them: changes need a quorum, and are refused where they would leave none (etcd's
 * strict-reconfig-check). What nothing can refuse is that a member's disk is erased; when more have gone so than it can bear, it is lost.
 */
export interface Member {
  /** Hexadecimal, 16 digits. */
  readonly id: string;
  readonly hostname: string;
  readonly address: string;
  isLearner: boolean;
  /** Its process runs. */
  isUp: boolean;
  /** Its data is still on its disk. */
  hasData: boolean;
}

/** Why it will not; the words are etcd's own, as far as programs know them. */
export class EtcdRefusal extends Error {}

export class Etcd {
  readonly members = new Map<string, Member>();
  /** What was kept in it is gone for good. */
  isLost = false;
  revision = 1n;
  /** Called after every change. */
  onChange: () => void = () => {};
  /** Called with the member that was one too many. */
  onLost: (member: Member) => void = () => {};
  #leader: string | undefined;

  get voters(): Member[] {
    return [...this.members.values()].filter(({ isLearner }) => !isLearner);
  }

  get hasQuorum(): boolean {
    const up = this.voters.filter(({ isUp }) => isUp).length;
    return !this.isLost && this.voters.length > 0 && up >= quorumOf(this.voters.length);
  }

  /** Undefined while there is no quorum. */
  get leader(): Member | undefined {
    return this.#leader === undefined ? undefined : this.members.get(this.#leader);
  }

  /** The first of all. */
  bootstrap(member: Pick<Member, "id" | "hostname" | "address">): Member {
    if (this.members.size > 0) throw new EtcdRefusal("etcdserver: it has members already");
    return this.#add(member, false);
  }

  /** As a learner; it votes when it is promoted. */
  join(member: Pick<Member, "id" | "hostname" | "address">): Member {
    this.#needQuorum();
    if ([...this.members.values()].some(({ isLearner }) => isLearner))
      throw new EtcdRefusal("etcdserver: too many learner members in cluster");
    return this.#add(member, true);
  }

  promote(id: string): void {
    this.#needQuorum();
    const member = this.#find(id);
    if (!member.isUp) throw new EtcdRefusal("etcdserver: can only promote a learner member which is in sync with leader");
    member.isLearner = false;
    this.#changed();
  }

  remove(id: string): void {
    this.#needQuorum();
    const gone = this.#find(id);
    const rest = this.voters.filter((member) => member !== gone);
    const up = rest.filter(({ isUp }) => isUp).length;
    if (!gone.isLearner && (rest.length === 0 || up < quorumOf(rest.length)))
      throw new EtcdRefusal("etcdserver: re-configuration failed due to not enough started members");
    this.members.delete(id);
    this.#changed();
  }

  /** Another one leads from now on; undefined: nobody could. */
  moveLeader(from: string): Member | undefined {
    const next = this.voters.find(({ id, isUp }) => isUp && id !== from);
    if (this.#leader !== from || next === undefined) return undefined;
    this.#leader = next.id;
    return next;
  }

  start(id: string): void {
    const member = this.members.get(id);
    if (member === undefined || !member.hasData) return;
    member.isUp = true;
    this.#changed();
  }

  stop(id: string): void {
    const member = this.members.get(id);
    if (member === undefined) return;
    member.isUp = false;
    this.#changed();
  }

  /** Its disk is erased. */
  erase(id: string): void {
    const member = this.members.get(id);
    if (member === undefined || !member.hasData) return;
    member.hasData = false;
    member.isUp = false;
    const left = this.voters.filter(({ hasData }) => hasData).length;
    if (!this.isLost && left < quorumOf(this.voters.length)) {
      this.isLost = true;
      this.onLost(member);
    }
    this.#changed();
  }

  #add({ id, hostname, address }: Pick<Member, "id" | "hostname" | "address">, isLearner: boolean): Member {
    const member: Member = { id, hostname, address, isLearner, isUp: true, hasData: true };
    this.members.set(id, member);
    this.#changed();
    return member;
  }

  #find(id: string): Member {
    const member = this.members.get(id);
    if (member === undefined) throw new EtcdRefusal("etcdserver: member not found");
    return member;
  }

  #needQuorum(): void {
    if (!this.hasQuorum) throw new EtcdRefusal("etcdserver: no leader");
  }

  #changed(): void {
    this.revision++;
    const leader = this.leader;
    const canLead = leader !== undefined && leader.isUp && !leader.isLearner;
    if (!this.hasQuorum) this.#leader = undefined;
    else if (!canLead) this.#leader = this.voters.find(({ isUp }) => isUp)?.id;
    this.onChange();
  }
}

/** Of so many voters. */
export function quorumOf(voters: number): number {
  return Math.floor(voters / 2) + 1;
}
