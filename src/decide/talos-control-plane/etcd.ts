/** What the machines say of etcd, put together: its members, whose they are, and which take part. */
import type { TalosControlPlaneStatus } from "#kinds/controlplane/v1alpha3/talos-control-plane.ts";
import type { ControlPlaneMachine, Member } from "./machine.ts";
import { isFresh } from "./machine.ts";

/** Members that were seen on Machines, as the status keeps them. */
export type Roster = NonNullable<TalosControlPlaneStatus["etcd"]>;
type Entry = Roster[number];
/** Machines that went, or are on their way out, as the status keeps them. */
export type Departed = NonNullable<TalosControlPlaneStatus["departed"]>;

/** What is on record of machines that may not be there any more. */
export interface Records {
  readonly roster: Roster;
  readonly departed: Departed;
}

export interface Etcd {
  readonly members: readonly Member[];
  /** Ids of those that take part. */
  readonly healthy: ReadonlySet<string>;
  /** By id, the Machine that a member is on, of those there are. */
  readonly owners: ReadonlyMap<string, ControlPlaneMachine>;
  /** Members whose Machine is gone: it was seen that they were its, and nobody else claims them. */
  readonly stale: readonly Entry[];
  /** Members that were never seen on a Machine. Nobody may remove them but a person. */
  readonly strangers: readonly Member[];
}

/** Undefined while no machine says anything, or when they speak of different clusters, which nobody can mend but a person. */
export function etcdOf(machines: readonly ControlPlaneMachine[], { roster, departed }: Records, now: number): Etcd | undefined {
  const speaking = machines.filter((machine) => isFresh(machine, now) && machine.facts.etcd?.hasLeader === true);
  const latest = speaking.toSorted((a, b) => b.facts.answeredAt! - a.facts.answeredAt!)[0]?.facts.etcd;
  if (latest === undefined || isSplit(machines, now)) return undefined;
  const { members } = latest;
  const entries = new Map(roster.map((entry) => [entry.id, entry]));
  const owners = new Map<string, ControlPlaneMachine>();
  for (const member of members) {
    const owner = ownerOf(member, machines, entries.get(member.id), now);
    if (owner !== undefined) owners.set(member.id, owner);
  }
  const healthy = members.filter((member) => takesPart(member, owners.get(member.id), now)).map(({ id }) => id);
  const ownerless = members.filter(({ id }) => !owners.has(id));
  const stale = ownerless.flatMap((member) => {
    const entry = entries.get(member.id) ?? departedOf(member, departed);
    return entry !== undefined && isProven(member, entry, machines, now) ? [entry] : [];
  });
  const strangers = ownerless.filter(({ id }) => !stale.some((entry) => entry.id === id));
  return { members, healthy: new Set(healthy), owners, stale, strangers };
}

/** Machines that answer speak of clusters that have no member in common. */
export function isSplit(machines: readonly ControlPlaneMachine[], now: number): boolean {
  const lists = machines
    .filter((machine) => isFresh(machine, now))
    .flatMap(({ facts }) => (facts.etcd ? [facts.etcd.members] : []));
  const [first, ...others] = lists;
  if (first === undefined) return false;
  const ids = new Set(first.map(({ id }) => id));
  return others.some((members) => members.length > 0 && ids.size > 0 && !members.some(({ id }) => ids.has(id)));
}

/** The machine says so itself; or it was seen; or both its name and an address are the member's, and no other machine's. */
function ownerOf(
  member: Member,
  machines: readonly ControlPlaneMachine[],
  entry: Entry | undefined,
  now: number,
): ControlPlaneMachine | undefined {
  const saying = machines.find((machine) => isFresh(machine, now) && machine.facts.etcd?.memberId === member.id);
  if (saying !== undefined) return saying;
  const silent = machines.filter((machine) => !isFresh(machine, now) || machine.facts.etcd === undefined);
  if (entry !== undefined) return silent.find(({ uid }) => uid === entry.uid);
  const alike = silent.filter((machine) => isCalled(machine, member.hostname) && shares(machine.addresses, member.addresses));
  return alike.length === 1 ? alike[0] : undefined;
}

function takesPart({ id, isLearner }: Member, owner: ControlPlaneMachine | undefined, now: number): boolean {
  if (owner === undefined || isLearner || !isFresh(owner, now)) return false;
  const { etcd, services = [] } = owner.facts;
  if (etcd?.memberId !== id || !etcd.hasLeader || etcd.errors.length > 0) return false;
  const service = services.find((each) => each.id === "etcd");
  return service !== undefined && service.state === "Running" && service.isHealthy !== false;
}

/**
 * The member is what was seen on a Machine that is gone, and no Machine there is could be meant: one at its address says that it is another
 * member, or that it has never been one.
 */
function isProven(member: Member, entry: Entry, machines: readonly ControlPlaneMachine[], now: number): boolean {
  if (machines.some(({ uid }) => uid === entry.uid)) return false;
  // A member that has not started yet has no name.
  if (member.hostname !== "" && member.hostname.toLowerCase() !== entry.hostname.toLowerCase()) return false;
  const isByName = (entry.addresses ?? []).length === 0 && member.hostname === entry.machine;
  if (!isByName && !shares(entry.addresses ?? [], member.addresses)) return false;
  return !machines.some((machine) => {
    const isAnother = isFresh(machine, now) && (machine.facts.etcd !== undefined || machine.facts.hasEtcdData === false);
    return !isAnother && shares(machine.addresses, member.addresses);
  });
}

/**
 * The Machine that had its name and an address of it, if it was never seen on one: it joined while it was on its way out. Of one that went before
 * anybody knew its address or its host name, its own name has to do, which is like no other Machine's.
 */
function departedOf({ id, hostname, addresses }: Member, departed: Departed): Entry | undefined {
  const short = (name: string): string => name.toLowerCase().split(".")[0]!;
  const isNamed = ({ machine, hostnames = [] }: Departed[number]): boolean =>
    hostnames.length === 0 ? hostname === machine : hostnames.some((name) => short(name) === short(hostname));
  const machine = departed.find((each) =>
    (each.addresses ?? []).length === 0
      ? hostname === each.machine
      : shares(each.addresses!, addresses) && (hostname === "" || isNamed(each)),
  );
  return machine && { id, hostname, addresses: machine.addresses ?? [], machine: machine.machine, uid: machine.uid };
}

/** With those that are being deleted now; so many are kept. */
export function departedWith(machines: readonly ControlPlaneMachine[], before: Departed): Departed {
  const leaving = machines.filter(({ uid, isDeleting }) => isDeleting && !before.some((each) => each.uid === uid));
  if (leaving.length === 0) return before;
  const entries = leaving.map(({ name, uid, hostnames, nodeName, addresses }) => ({
    machine: name,
    uid,
    hostnames: [...new Set([...hostnames, ...(nodeName === undefined ? [] : [nodeName])])],
    addresses: [...addresses],
  }));
  return [...before, ...entries].slice(-DEPARTED);
}

const DEPARTED = 16;

/** Members with the Machines they are on; those of Machines that are gone stay until they are out. Sorted by id. */
export function rosterOf({ members, owners }: Etcd, before: Roster): Roster {
  const entries = members.flatMap(({ id, hostname, addresses }): Entry[] => {
    const owner = owners.get(id);
    if (owner !== undefined) return [{ id, hostname, addresses: [...addresses], machine: owner.name, uid: owner.uid }];
    return before.filter((entry) => entry.id === id);
  });
  return entries.toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

/** The member that is on a Machine; undefined: none is known to be. */
export function memberOf({ owners }: Etcd, uid: string): string | undefined {
  return [...owners].find(([, owner]) => owner.uid === uid)?.[0];
}

function isCalled({ hostnames, nodeName }: ControlPlaneMachine, hostname: string): boolean {
  const short = (name: string): string => name.toLowerCase().split(".")[0]!;
  return (
    hostname !== "" &&
    [...hostnames, ...(nodeName === undefined ? [] : [nodeName])].some((name) => short(name) === short(hostname))
  );
}

function shares(a: readonly string[], b: readonly string[]): boolean {
  return a.some((address) => b.includes(address));
}
