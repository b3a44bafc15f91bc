/** A kubelet's outside: it gets itself a certificate, registers its node, and says every ten seconds that it lives. */
import { mkdir, readFile } from "node:fs/promises";
import { availableParallelism, release, totalmem } from "node:os";
import { setTimeout } from "node:timers/promises";
import { systemClock as clock } from "#io/node/clock.ts";
import { systemEntropy as entropy } from "#io/node/entropy.ts";
import { createHttpClient } from "#io/node/http-client.ts";
import { createClient } from "#kube/client.ts";
import type { Client } from "#kube/client.ts";
import { Fault } from "#std/fault.ts";
import type { KeyPair } from "#talos/pki.ts";
import { createRequest, isGood } from "../machine/signing.ts";
import { EPHEMERAL, writeDurably } from "../machine/volumes.ts";
import { NODE_PREFIX, NODES } from "./authorize.ts";
import { KUBELET_SIGNER, Leases, NODE_LEASES, Nodes, Requests } from "./kinds.ts";
import type { Node } from "./kinds.ts";

const BEAT = 10_000;
const PKI = `${EPHEMERAL}/lib/kubelet/pki`;
const DAY = 86_400_000;

export interface Kubelet {
  readonly name: string;
  /** `https://host:port` of the API. */
  readonly server: string;
  /** PEM. */
  readonly authority: string;
  readonly bootstrapToken: string;
  /** What it says of itself; asked for with each beat, as a configuration may change. */
  describe(): NodeFacts;
  /** The first time that the node is there, and whenever it is not any more. */
  tell(state: "running" | "waiting", message: string): void;
}

export interface NodeFacts {
  readonly addresses: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: Readonly<Record<string, string>>;
  readonly providerId: string | undefined;
  /** `v1.36.0` */
  readonly kubeletVersion: string;
  readonly osImage: string;
  readonly systemUuid: string;
  readonly machineId: string;
  readonly bootId: string;
}

/** For ever: what fails is tried again. */
export async function runKubelet(kubelet: Kubelet): Promise<void> {
  for (;;) {
    try {
      const client = await connect(kubelet);
      for (;;) {
        await beat(client, kubelet);
        await setTimeout(BEAT);
      }
    } catch (error) {
      kubelet.tell("waiting", Fault.from(error).message);
      await setTimeout(1_000);
    }
  }
}

async function connect(kubelet: Kubelet): Promise<Client> {
  const pair = (await kept(kubelet)) ?? (await ask(kubelet));
  const { server, authority: ca } = kubelet;
  return clientOf({ server, ca, certificate: pair.certificate, key: pair.key });
}

function clientOf(options: Parameters<typeof createHttpClient>[0]): Client {
  return createClient({ transport: createHttpClient(options), clock, entropy, userAgent: "kubelet", timeout: 10_000 });
}

async function kept({ authority }: Kubelet): Promise<KeyPair | undefined> {
  const [certificate, key] = await Promise.all(
    ["crt", "key"].map((kind) => readFile(`${PKI}/kubelet-client.${kind}`, "utf8").catch(() => undefined)),
  );
  if (certificate === undefined || key === undefined) return undefined;
  return isGood({ certificate, key }, authority, Date.now() + DAY) ? { certificate, key } : undefined;
}

/** TLS bootstrap: with the token, for a certificate that the cluster signs. */
async function ask({ name, server, authority: ca, bootstrapToken: token }: Kubelet): Promise<KeyPair> {
  const requests = clientOf({ server, ca, token }).for(Requests);
  const { csr, key } = await createRequest({
    subject: [
      { type: "O", value: NODES },
      { type: "CN", value: `${NODE_PREFIX}${name}` },
    ],
    names: [],
  });
  const usages = ["digital signature", "client auth"];
  const draft = { metadata: { generateName: "csr-" }, spec: { request: btoa(csr), signerName: KUBELET_SIGNER, usages } };
  const { metadata } = await requests.create(draft);
  for (let tries = 0; tries < 60; tries++) {
    const { status } = await requests.get(metadata.name!);
    if (status?.conditions?.some(({ type }) => type === "Denied")) throw new Error("the cluster denies it a certificate");
    if (status?.certificate) {
      const certificate = atob(status.certificate);
      await mkdir(PKI, { recursive: true });
      await writeDurably(`${PKI}/kubelet-client.key`, key);
      await writeDurably(`${PKI}/kubelet-client.crt`, certificate);
      return { certificate, key };
    }
    await setTimeout(500);
  }
  throw new Error("the cluster does not sign its certificate");
}

async function beat(client: Client, kubelet: Kubelet): Promise<void> {
  const nodes = client.for(Nodes);
  const { name } = kubelet;
  const facts = kubelet.describe();
  const found = await nodes.get(name).catch((error: unknown) => {
    if (Fault.is(error, "api.not-found")) return undefined;
    throw error;
  });
  const node = found ?? (await nodes.create({ metadata: { name, labels: labelsOf(name, facts) }, spec: specOf(facts) }));
  // The provider may be known later than the node, and labels may be given by a changed configuration; nobody's are taken away.
  const missing = Object.entries(labelsOf(name, facts)).some(([key, value]) => node.metadata.labels?.[key] !== value);
  if (missing || (facts.providerId !== undefined && node.spec?.providerID === undefined))
    await nodes.patch(name, {
      metadata: { labels: labelsOf(name, facts) },
      ...(facts.providerId === undefined ? {} : { spec: { providerID: facts.providerId } }),
    });
  if (!isSaid(node, facts)) await nodes.patch(name, { status: statusOf(node, facts, name) }, { subresource: "status" });
  await renew(client, name);
  kubelet.tell("running", "the node is registered");
}

async function renew(client: Client, name: string): Promise<void> {
  const leases = client.for(Leases).in(NODE_LEASES);
  const renewTime = new Date().toISOString().replace("Z", "000Z");
  await leases.patch(name, { spec: { renewTime } }).catch(async (error: unknown) => {
    if (!Fault.is(error, "api.not-found")) throw error;
    await leases.create({ metadata: { name }, spec: { holderIdentity: name, leaseDurationSeconds: 40, renewTime } });
  });
}

function labelsOf(name: string, { labels }: NodeFacts): Record<string, string> {
  return { "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64", ...labels };
}

function specOf({ providerId, taints }: NodeFacts): NonNullable<Node["spec"]> {
  const all = Object.entries(taints).map(([key, text]) => {
    const [value, effect] = text.includes(":") ? text.split(":", 2) : ["", text];
    return { key, ...(value === "" ? {} : { value: value! }), effect: effect! };
  });
  return { ...(providerId === undefined ? {} : { providerID: providerId }), ...(all.length === 0 ? {} : { taints: all }) };
}

/** A status that has not changed is not written again; the lease says that the node lives. */
function isSaid({ status }: Node, facts: NodeFacts): boolean {
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  const internal = status?.addresses?.filter(({ type }) => type === "InternalIP").map(({ address }) => address);
  const { kubeletVersion, bootID, osImage } = status?.nodeInfo ?? {};
  return (
    ready?.status === "True" &&
    internal?.join() === facts.addresses.join() &&
    kubeletVersion === facts.kubeletVersion &&
    bootID === facts.bootId &&
    osImage === facts.osImage
  );
}

function statusOf({ status }: Node, facts: NodeFacts, name: string): NonNullable<Node["status"]> {
  const now = new Date().toISOString().replace(/\.\d+/, "");
  const was = status?.conditions?.find(({ type }) => type === "Ready");
  const since = was?.status === "True" ? (was.lastTransitionTime ?? now) : now;
  const resources = { cpu: String(availableParallelism()), memory: `${Math.floor(totalmem() / 1024)}Ki`, pods: "0" };
  const ready = {
    type: "Ready",
    status: "True",
    reason: "KubeletReady",
    message: "the stand-in for a kubelet is posting ready status",
  };
  return {
    conditions: [{ ...ready, lastHeartbeatTime: now, lastTransitionTime: since }],
    addresses: [...facts.addresses.map((address) => ({ type: "InternalIP", address })), { type: "Hostname", address: name }],
    nodeInfo: {
      machineID: facts.machineId,
      systemUUID: facts.systemUuid,
      bootID: facts.bootId,
      kernelVersion: release(),
      osImage: facts.osImage,
      containerRuntimeVersion: "none://0",
      kubeletVersion: facts.kubeletVersion,
      kubeProxyVersion: "",
      operatingSystem: "linux",
      architecture: "amd64",
    },
    capacity: resources,
    allocatable: resources,
  };
}
