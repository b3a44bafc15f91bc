/** What a running machine answers to whom its API lets call (facts §6.6). */
import { randomUUID } from "node:crypto";
import { readdir, stat } from "node:fs/promises";
import { Code, ConnectError } from "@connectrpc/connect";
import { issueKubernetesAdmin, printKubeconfig } from "#talos/kubeconfig.ts";
import { ApplyConfigurationRequest_Mode as Mode } from "#proto/talos/machine_pb.js";
import { systemPki } from "#io/node/pki.ts";
import type { Calls } from "./apid.ts";
import { problemOf } from "./console.ts";
import { end } from "./ending.ts";
import { isControlPlane } from "../../../sim/talos/facts.ts";
import { sequence } from "./host.ts";
import { resetSystem } from "./reset.ts";
import type { Running } from "./running.ts";
import { archiveOf } from "./tar.ts";
import { checkConfig, versionOf } from "../../../sim/talos/check.ts";
import { versionOfMachine } from "./version-call.ts";
import { EPHEMERAL, writeMeta } from "./volumes.ts";

/** Milliseconds in which an answer leaves before the machine does. */
const ANSWER = 500;

export function callsOf(running: Running): Partial<Calls> {
  const { host, etcd } = running;
  const { services, events, say } = host;
  /** Once the answer is out. */
  const later = (name: string, run: () => Promise<unknown>): string => {
    const actorId = randomUUID();
    setTimeout(() => void sequence(host, name, run, actorId).catch(() => {}), ANSWER);
    return actorId;
  };
  return {
    version: () => versionOfMachine(host),
    bootstrap: async ({ recoverEtcd }) => {
      if (!isControlPlane(running.facts)) throw unimplemented("bootstrap is only available on control plane nodes");
      if (recoverEtcd) throw unimplemented("the stand-in's etcd has no snapshots to recover from");
      if (running.facts.etcd.certificate === "") throw new ConnectError("etcd CA is missing", Code.InvalidArgument);
      if (services.get("etcd") === undefined) throw new ConnectError("bootstrap is not available yet", Code.FailedPrecondition);
      if (!(await etcd.bootstrap())) throw new ConnectError("etcd data directory is not empty", Code.AlreadyExists);
      say("bootstrap request received");
      running.etcdStarted();
      return { messages: [{}] };
    },
    serviceList: () => ({
      messages: [
        {
          services: services.all().map(({ id, state, message, isHealthy, since, history }) => ({
            id,
            state,
            events: { events: history.map((each) => ({ msg: each.message, state: each.state, ts: timestamp(each.at) })) },
            health: {
              unknown: isHealthy === undefined,
              healthy: isHealthy === true,
              lastMessage: isHealthy === undefined ? "" : message,
              lastChange: timestamp(since),
            },
          })),
        },
      ],
    }),
    etcdMemberList: () => {
      const id = member(running);
      const [address = ""] = running.addresses();
      const urls = { peerUrls: [`https://${address}:2380`], clientUrls: [`https://${address}:2379`] };
      return { messages: [{ members: [{ id, hostname: host.hostname, ...urls, isLearner: false }] }] };
    },
    etcdStatus: () => {
      const memberId = member(running);
      const revision = 1n;
      const raft = { raftIndex: revision, raftTerm: 2n, raftAppliedIndex: revision };
      return {
        messages: [{ memberStatus: { protocolVersion: "3.6.0", storageVersion: "3.6.0", leader: memberId, memberId, ...raft } }],
      };
    },
    etcdForfeitLeadership: () => {
      member(running);
      throw new ConnectError("there is no other member to lead", Code.FailedPrecondition);
    },
    etcdLeaveCluster: () => {
      member(running);
      throw new ConnectError("etcdserver: re-configuration failed due to not enough started members", Code.FailedPrecondition);
    },
    etcdRemoveMemberByID: ({ memberId }) => {
      if (memberId !== member(running)) throw new ConnectError("etcdserver: member not found", Code.NotFound);
      throw new ConnectError("etcdserver: re-configuration failed due to not enough started members", Code.FailedPrecondition);
    },
    list: async function* ({ root }) {
      // The machine's /var is where its disk is mounted.
      const path = root.replace(/^\/var(?=\/|$)/, EPHEMERAL).replace(/\/+$/, "") || "/";
      const names = await readdir(path).catch(() => undefined);
      if (names === undefined || path.includes(".."))
        throw new ConnectError(`stat ${root}: no such file or directory`, Code.Unknown);
      yield { name: root, relativeName: ".", isDir: true };
      for (const name of names.toSorted()) {
        const found = await stat(`${path}/${name}`).catch(() => undefined);
        yield {
          name: `${root}/${name}`,
          relativeName: name,
          size: BigInt(found?.size ?? 0),
          isDir: found?.isDirectory() ?? false,
        };
      }
    },
    events: async function* ({ tailEvents }, { signal }) {
      for await (const { id, typeUrl, value, actorId } of events.follow(tailEvents, signal))
        yield { id, actorId, data: { typeUrl, value } };
    },
    reset: (request) => {
      say(`reset request received${request.graceful ? " (graceful)" : ""}`);
      const labels = request.systemPartitionsToWipe.flatMap(({ label, wipe }) => (wipe ? [label] : []));
      const run = async (): Promise<void> => {
        await resetSystem(host, labels, request.graceful ? () => running.leave() : undefined);
        await end(host, request.reboot ? "reboot" : "halt");
      };
      return { messages: [{ actorId: later("reset", run) }] };
    },
    upgrade: async ({ image }) => {
      const version = versionOf(image);
      const meta = host.volumes?.partitions.get("META");
      if (version === undefined) throw new ConnectError(`${image} has no version for a tag`, Code.InvalidArgument);
      if (meta === undefined) throw new ConnectError("nothing is installed that could be upgraded", Code.FailedPrecondition);
      say(`upgrade request received: ${image}`);
      const run = async (): Promise<void> => {
        await writeMeta(meta, { version, uniqueToken: host.uniqueToken });
        await end(host, "reboot");
      };
      return { messages: [{ ack: "Upgrade request received", actorId: later("upgrade", run) }] };
    },
    reboot: () => {
      say("reboot via API received");
      return { messages: [{ actorId: later("reboot", () => end(host, "reboot")) }] };
    },
    applyConfiguration: async ({ data, mode, dryRun }) => {
      const text = Buffer.from(data).toString();
      const facts = checked(text);
      if (facts.type !== running.facts.type) throw new ConnectError("the machine's type cannot be changed", Code.InvalidArgument);
      if (mode === Mode.TRY) throw unimplemented("the stand-in does not try configurations");
      const reboots = mode === Mode.REBOOT;
      const details = reboots
        ? "Applied configuration with a reboot"
        : mode === Mode.STAGED
          ? "Staged configuration to be applied after the next reboot"
          : "Applied configuration without a reboot";
      if (dryRun) return { messages: [{ mode, modeDetails: `Dry run summary: ${details}` }] };
      await running.apply(text, facts, mode !== Mode.STAGED);
      if (reboots) later("reboot", () => end(host, "reboot"));
      return { messages: [{ mode, modeDetails: details }] };
    },
    kubeconfig: async function* () {
      const { facts } = running;
      const { certificate, key } = facts.kubernetes;
      if (key === undefined) throw unimplemented("kubeconfig is only available on control plane nodes");
      const client = await issueKubernetesAdmin({ certificate, key }, { pki: systemPki, now: Date.now() });
      const text = printKubeconfig({ clusterName: facts.clusterName, server: facts.endpoint, ca: certificate, client });
      yield { bytes: archiveOf("kubeconfig", Buffer.from(text)) };
    },
  };
}

/** Throws what Talos' client is told: a machine without etcd has none to ask. */
function member({ facts, etcd, host }: Running): bigint {
  if (!isControlPlane(facts)) throw unimplemented("etcd is only available on control plane nodes");
  const { memberId } = etcd;
  if (memberId === undefined || host.services.get("etcd")?.state !== "Running")
    throw new ConnectError("etcd is not running", Code.FailedPrecondition);
  return memberId;
}

function checked(text: string): NonNullable<ReturnType<typeof checkConfig>> {
  try {
    const facts = checkConfig(text);
    if (facts === undefined) throw new Error("a configuration without a machine section");
    return facts;
  } catch (error) {
    throw new ConnectError(problemOf(error), Code.InvalidArgument);
  }
}

function unimplemented(problem: string): ConnectError {
  return new ConnectError(problem, Code.Unimplemented);
}

function timestamp(at: number): { seconds: bigint; nanos: number } {
  return { seconds: BigInt(Math.floor(at / 1000)), nanos: Math.floor(at % 1000) * 1_000_000 };
}
