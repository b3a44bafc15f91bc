/** A machine that has its configuration: its API, trustd, etcd and Kubernetes on control planes, and a kubelet everywhere. */
import { hash, randomUUID } from "node:crypto";
import type { Log } from "#io/log.ts";
import { runControllers } from "../kubernetes/controllers.ts";
import { startCluster } from "../kubernetes/cluster.ts";
import { runKubelet } from "../kubernetes/kubelet.ts";
import type { NodeFacts } from "../kubernetes/kubelet.ts";
import { Nodes } from "../kubernetes/kinds.ts";
import type { Client } from "#kube/client.ts";
import type { KeyPair } from "#talos/pki.ts";
import { retried } from "./acquire.ts";
import { startApid } from "./apid.ts";
import { callsOf } from "./calls.ts";
import { problemOf } from "./console.ts";
import { openEtcd } from "./etcd.ts";
import { isControlPlane, pairOf } from "../../../sim/talos/facts.ts";
import { addressesOf, sequence, tellAddresses } from "./host.ts";
import type { Host } from "./host.ts";
import { hostnameOf } from "./hostname.ts";
import type { Running } from "./running.ts";
import { issueServer } from "./signing.ts";
import { applyToTrustd, startTrustd } from "./trustd.ts";
import { checkConfig } from "../../../sim/talos/check.ts";
import { takeShared } from "./vip.ts";
import { readConfig, writeConfig } from "./volumes.ts";

/** Of Talos' own services those that the stand-in has nothing of; they are shown as running, since nobody could miss them here. */
const HOLLOW = ["auditd", "containerd", "cri", "dashboard", "machined", "syslogd", "udevd"];

/** Does not come back. */
export async function runConfigured(host: Host, text: string, networking: Promise<unknown>): Promise<void> {
  const facts = checkConfig(text);
  if (facts === undefined) throw new Error("the configuration on the disk has no machine section");
  const etcd = await openEtcd();
  const started = Promise.withResolvers<void>();
  let inForce = facts;
  let cluster: Client | undefined;
  const running: Running = {
    host,
    etcd,
    get facts() {
      return inForce;
    },
    addresses: () => addressesOf(host),
    etcdStarted: () => started.resolve(),
    async apply(next, nextFacts, now) {
      await writeConfig(next);
      if (now) inForce = nextFacts;
    },
    async leave() {
      await cluster?.for(Nodes).delete(host.hostname);
    },
  };
  if (etcd.memberId !== undefined) started.resolve();
  await sequence(host, "boot", async () => {
    for (const id of HOLLOW) host.services.set(id, "Running", "Service is a name only in the stand-in");
    await networking;
    host.hostname = await hostnameOf(host, facts.hostname);
    tellAddresses(host);
    host.say(`${host.hostname} is a ${facts.type} of ${facts.clusterName || "its cluster"} at ${addressesOf(host).join(", ")}`);
    await startApis(running);
  });
  if (isControlPlane(facts)) void started.promise.then(async () => void (cluster = await serveKubernetes(running)));
  await runKubelet({
    name: host.hostname,
    server: isControlPlane(facts) ? `https://127.0.0.1:${facts.apiServer.port}` : facts.endpoint,
    authority: facts.kubernetes.certificate,
    bootstrapToken: facts.bootstrapToken,
    describe: () => nodeFacts(running),
    tell: createTeller(host),
  });
}

/** apid, and trustd beside it where the OS authority's key is. */
async function startApis(running: Running): Promise<void> {
  const { host, facts } = running;
  const names = [host.hostname, ...addressesOf(host), ...facts.shared.map(({ ip }) => ip), "127.0.0.1", ...facts.certSans];
  host.services.set("apid", "Waiting", "Waiting for api certificates");
  const authority = pairOf(facts.os);
  const serving = await (authority === undefined ? applyFor(running, names) : issueServer(authority, "ed25519", names));
  if (authority !== undefined) {
    await startTrustd({ token: facts.token, authority, serving });
    host.services.set("trustd", "Running", "Health check successful");
  }
  const isHere = (node: string): boolean => node === host.hostname || names.includes(node);
  await startApid({ serving, authority: facts.os.certificate, calls: callsOf(running), configuration: readConfig, isHere });
  host.services.set("apid", "Running", "Health check successful");
  host.say("apid is running");
  if (isControlPlane(facts)) host.services.set("etcd", "Preparing", "Running pre state: waiting to be bootstrapped");
}

/** Workers ask a control plane machine; there need not be one yet. */
function applyFor({ host, facts }: Running, names: readonly string[]): Promise<KeyPair> {
  const { hostname } = new URL(facts.endpoint);
  const applicant = { host: hostname.replaceAll(/[[\]]/g, ""), token: facts.token, authority: facts.os.certificate, names };
  host.services.set("apid", "Waiting", "Waiting for a certificate from trustd");
  return retried(() => applyToTrustd(applicant), { say: host.say, failed: () => {}, most: 3_000 });
}

async function serveKubernetes(running: Running): Promise<Client> {
  const { host, etcd, facts } = running;
  const { services, say } = host;
  const authority = pairOf(facts.kubernetes);
  if (authority === undefined) throw new Error("the configuration has no key of the Kubernetes authority");
  services.set("etcd", "Running", "Health check successful");
  await takeShared(host, facts.shared);
  const { hostname } = new URL(facts.endpoint);
  const own = [hostname, host.hostname, ...addressesOf(host), ...facts.shared.map(({ ip }) => ip), "127.0.0.1", "localhost"];
  const names = [...new Set([...own, ...facts.apiServer.certSans, "kubernetes", "kubernetes.default", "kubernetes.default.svc"])];
  const serving = await issueServer(authority, "ecdsa-p256", names);
  const { bootstrapToken, apiServer } = facts;
  const log: Log = { error: say, warn: say, info: () => {}, debug: () => {}, with: () => log };
  const client = await startCluster({ directory: etcd.directory, port: apiServer.port, authority, serving, bootstrapToken, log });
  say(`Kubernetes' API is at ${facts.endpoint}`);
  void runControllers({ client, authority, failed: (error) => say(`controller-manager: ${problemOf(error)}`) });
  return client;
}

const BOOT_ID = randomUUID();

function nodeFacts({ host, facts }: Running): NodeFacts {
  const { extraArgs, labels, taints, image } = facts.kubelet;
  const given = (extraArgs["node-labels"] ?? "").split(",").filter((each) => each.includes("="));
  const { uuid, serial, macs } = host.identity;
  return {
    addresses: addressesOf(host),
    labels: { ...Object.fromEntries(given.map((each) => [each.split("=")[0]!, each.slice(each.indexOf("=") + 1)])), ...labels },
    taints,
    providerId: extraArgs["provider-id"],
    kubeletVersion: /:(v[\w.-]+)(?:@|$)/.exec(image)?.[1] ?? "v0.0.0",
    osImage: `Talos stand-in (${host.version})`,
    systemUuid: uuid,
    machineId: hash("md5", `${uuid}${serial}${macs.join()}`, "hex"),
    bootId: BOOT_ID,
  };
}

/** Says the first time, and when it changes. */
function createTeller(host: Host): (state: "running" | "waiting", message: string) => void {
  let said = "";
  return (state, message) => {
    host.services.set("kubelet", state === "running" ? "Running" : "Waiting", message);
    if (said === message) return;
    said = message;
    host.say(`kubelet: ${message}`);
  };
}
