/** One look at a machine through Talos' API. */
import type { EtcdFacts, Member, TalosFacts } from "#decide/talos-control-plane/machine.ts";
import { Fault } from "#std/fault.ts";
import type { EtcdMember, TalosApi } from "#talos/api.ts";

/** Where etcd keeps its data: there is something in it once the machine has been a member. */
export const ETCD_DATA = "/var/lib/etcd/member";
/** What a machine says ends up in a status: so many things of each sort, and so much text, are more than any has. */
const MOST = 64;
const LONGEST = 253;
const NO_LEADER = "0000000000000000";

/** Rejects when the machine does not answer; what it answers of etcd alone may be missing. */
export async function readFacts(api: TalosApi): Promise<TalosFacts> {
  const [{ tag }, services] = [await api.version(), await api.services()];
  const runs = services.some(({ id, state }) => id === "etcd" && state === "Running");
  const etcd = runs ? await readEtcd(api).catch(unanswered) : undefined;
  const hasEtcdData = etcd !== undefined || (await api.list(ETCD_DATA).then((names) => names.length > 0, unanswered));
  return {
    version: short(tag),
    services: services
      .slice(0, MOST)
      .map(({ id, state, isHealthy, message }) => ({ id: short(id), state: short(state), isHealthy, message: short(message) })),
    ...(etcd !== undefined && { etcd }),
    ...(hasEtcdData !== undefined && { hasEtcdData }),
  };
}

/** As the machine sees it, with a list of members that a quorum agrees on. */
export async function readEtcd(api: TalosApi): Promise<EtcdFacts> {
  const [status, members] = [await api.etcdStatus(), await api.etcdMembers()];
  return {
    memberId: status.memberId,
    hasLeader: status.leader !== NO_LEADER && status.leader !== "",
    errors: status.errors.slice(0, MOST).map(short),
    members: members
      .slice(0, MOST)
      .map(memberOf)
      .toSorted((a, b) => (a.id < b.id ? -1 : 1)),
  };
}

function memberOf({ id, hostname, peerUrls, clientUrls, isLearner }: EtcdMember): Member {
  const hosts = [...peerUrls, ...clientUrls].flatMap((url) => hostOf(url) ?? []);
  return { id: short(id), hostname: short(hostname), addresses: [...new Set(hosts)].sort().slice(0, MOST), isLearner };
}

function hostOf(url: string): string | undefined {
  const host = URL.parse(url)?.hostname;
  return host === undefined ? undefined : short(host.replace(/^\[(.*)\]$/, "$1"));
}

function short(text: string): string {
  return text.slice(0, LONGEST);
}

/** It answered before: that it does not speak of etcd is no news of the machine. */
function unanswered(error: unknown): undefined {
  if (Fault.is(error)) return undefined;
  throw error;
}
