/**
 * What is done to etcd, each time after asking the machines themselves once more: what was decided from a minute ago must be true now. Only machines that
 * answer count, so that in doubt nothing is done.
 */
import type { EtcdFacts, Proof, Seat } from "#decide/talos-control-plane/machine.ts";
import { whyKept } from "#decide/talos-control-plane/quorum.ts";
import { CLUSTER_NAME, CONTROL_PLANE } from "#kinds/cluster/keys.ts";
import { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import type { Acting } from "#kube/controller.ts";
import { Secret } from "#kube/secret.ts";
import { ifThere } from "#kube/status.ts";
import { Fault } from "#std/fault.ts";
import type { TalosApi } from "#talos/api.ts";
import type { Plane } from "./plane.ts";
import { planeKeyOf } from "./plane.ts";
import type { Credentials, Talos } from "./ports.ts";
import { ETCD_DATA, readEtcd } from "./reading.ts";
import { credentialsOf } from "./secrets.ts";

/** Of this moment. Fault `talos.no-credentials` while there are none. */
export async function credentialsFor({ namespace, cluster }: Plane, { client, signal }: Acting): Promise<Credentials> {
  const credentials = credentialsOf(await ifThere(client.for(Secret).in(namespace).get(`${cluster}-talosconfig`, { signal })));
  if (credentials !== undefined) return credentials;
  throw new Fault("talos.no-credentials", `there is no Secret ${cluster}-talosconfig that can be used`, {
    fault: "world",
    retry: "later",
  });
}

/** With one machine, and the line closed when it is over. */
export async function withMachine<T>(
  seat: Seat,
  credentials: Credentials,
  talos: Talos,
  work: (api: TalosApi) => Promise<T>,
): Promise<T> {
  const api = talos.dial(seat, credentials);
  try {
    return await work(api);
  } finally {
    api.close();
  }
}

/** Tells the machine to bring up etcd. Does nothing where any of them that answers has been a member. */
export async function bootstrap(seat: Seat, others: readonly Seat[], plane: Plane, talos: Talos, acting: Acting): Promise<void> {
  const credentials = await credentialsFor(plane, acting);
  const seen = await Promise.allSettled(others.map((other) => dataOf(other, credentials, talos)));
  const isThere = seen.some((result) => result.status === "fulfilled" && result.value.length > 0);
  if (!isThere && (await dataOf(seat, credentials, talos)).length === 0)
    await withMachine(seat, credentials, talos, (api) => api.bootstrap());
  talos.poke(planeKeyOf(plane));
}

/** The machine takes itself out, having handed over the lead. */
export async function leave(
  member: string,
  seat: Seat,
  others: readonly Seat[],
  plane: Plane,
  talos: Talos,
  acting: Acting,
): Promise<void> {
  const credentials = await credentialsFor(plane, acting);
  await withMachine(seat, credentials, talos, async (api) => {
    const own = await readEtcd(api);
    if (own.memberId !== member) throw notNow(`Machine ${seat.machine} is another member of etcd than it was`);
    await spare(member, [...others, seat], credentials, talos);
    await api.etcdForfeitLeadership();
    await api.etcdLeave();
  });
  talos.poke(planeKeyOf(plane));
}

/** Another machine takes out the member of one that is gone, or on its way out. */
export async function remove(
  member: string,
  gone: { readonly machine: string; readonly uid: string },
  others: readonly Seat[],
  plane: Plane,
  talos: Talos,
  acting: Acting,
): Promise<void> {
  const { client, signal } = acting;
  const present = await ifThere(client.for(Machine).in(plane.namespace).get(gone.machine, { signal }));
  if (present?.metadata.uid === gone.uid && present.metadata.deletionTimestamp === undefined)
    throw notNow(`Machine ${gone.machine} is there to stay`);
  const credentials = await credentialsFor(plane, acting);
  const { members, seats } = await spare(member, others, credentials, talos);
  if (members.some(({ id }) => id === member))
    await withMachine(seats[0]!, credentials, talos, (api) => api.etcdRemoveMember(member));
  talos.poke(planeKeyOf(plane));
}

/** Fault `etcd.needed` when another Machine of the control plane is on its way out, which the caches may not show yet. */
export async function confirmAlone(machine: string, { namespace, cluster }: Plane, { client, signal }: Acting): Promise<void> {
  const labelSelector = `${CLUSTER_NAME}=${cluster},${CONTROL_PLANE}`;
  const { items } = await client.for(Machine).in(namespace).listAll({ labelSelector, signal });
  const other = items.find(({ metadata }) => metadata.name !== machine && metadata.deletionTimestamp !== undefined);
  if (other !== undefined) throw notNow(`Machine ${other.metadata.name} is on its way out`);
}

/** Fault `etcd.needed` when etcd cannot do without the member. */
export async function confirmSpare(
  member: string,
  others: readonly Seat[],
  plane: Plane,
  talos: Talos,
  acting: Acting,
): Promise<void> {
  await spare(member, others, await credentialsFor(plane, acting), talos);
}

/** Fault `etcd.needed` when what lets a machine go turns out not to be so. */
export async function confirm(machine: string, proof: Proof, plane: Plane, talos: Talos, acting: Acting): Promise<void> {
  if (proof.of === "none") return;
  if (proof.of === "blank") return await confirmBlank(proof.seats, plane, talos, acting);
  const { addresses, others } = proof;
  const members = latest(await ask(others, await credentialsFor(plane, acting), talos));
  const member = members.find((each) => each.addresses.some((address) => addresses.includes(address)));
  if (member !== undefined) throw notNow(`Machine ${machine} has become a member of etcd`);
}

async function confirmBlank(seats: readonly Seat[], plane: Plane, talos: Talos, acting: Acting): Promise<void> {
  // Before there are credentials, no machine can have been told anything.
  const secret = await ifThere(
    acting.client.for(Secret).in(plane.namespace).get(`${plane.cluster}-talosconfig`, { signal: acting.signal }),
  );
  const credentials = credentialsOf(secret);
  if (credentials === undefined) return;
  const looks = await Promise.allSettled(seats.map((seat) => dataOf(seat, credentials, talos)));
  const seen = seats.find(
    (_, i) => looks[i]!.status === "fulfilled" && (looks[i] as PromiseFulfilledResult<string[]>).value.length > 0,
  );
  if (seen !== undefined) throw notNow(`Machine ${seen.machine} has become a member of etcd`);
}

function dataOf(seat: Seat, credentials: Credentials, talos: Talos): Promise<string[]> {
  return withMachine(seat, credentials, talos, (api) => api.list(ETCD_DATA));
}

interface Answer {
  readonly seat: Seat;
  readonly etcd: EtcdFacts;
}

/** Whoever does not answer does not count. */
async function ask(seats: readonly Seat[], credentials: Credentials, talos: Talos): Promise<Answer[]> {
  const asked = seats.map(async (seat) => ({ seat, etcd: await withMachine(seat, credentials, talos, readEtcd) }));
  const answers = await Promise.allSettled(asked);
  return answers.flatMap((answer) => (answer.status === "fulfilled" && answer.value.etcd.hasLeader ? [answer.value] : []));
}

/** All lists were agreed on by a quorum: where they differ, a change is under way, and it is not the time for another. */
function latest(answers: readonly Answer[]): EtcdFacts["members"] {
  const [first, ...rest] = answers;
  if (first === undefined) throw notNow("no machine that is to stay answers for etcd");
  const listOf = ({ etcd }: Answer): string => etcd.members.map(({ id, isLearner }) => `${id}${isLearner ? "?" : ""}`).join(" ");
  if (rest.some((answer) => listOf(answer) !== listOf(first))) throw notNow("the members of etcd are changing");
  return first.etcd.members;
}

async function spare(
  member: string,
  seats: readonly Seat[],
  credentials: Credentials,
  talos: Talos,
): Promise<{ members: EtcdFacts["members"]; seats: Seat[] }> {
  const answers = await ask(seats, credentials, talos);
  const members = latest(answers);
  const healthy = new Set(answers.filter(({ etcd }) => etcd.errors.length === 0).map(({ etcd }) => etcd.memberId));
  const why = whyKept(members, healthy, member);
  if (why !== undefined) throw notNow(`member ${member} stays in etcd: ${why}`);
  return { members, seats: answers.map(({ seat }) => seat) };
}

function notNow(message: string): Fault {
  return new Fault("etcd.needed", message, { fault: "world", retry: "soon" });
}
