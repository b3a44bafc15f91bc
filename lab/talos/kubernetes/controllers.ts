/** As much of kube-controller-manager as a cluster without pods needs: certificates for kubelets, and nodes that are no longer heard of. */
import { setInterval } from "node:timers/promises";
import type { Client } from "#kube/client.ts";
import type { KeyPair } from "#talos/pki.ts";
import { silenced } from "../../../sim/talos/silence.ts";
import { readRequest, sign } from "../machine/signing.ts";
import { KUBELET_SIGNER, Leases, NODE_LEASES, Nodes, Requests } from "./kinds.ts";
import type { Node, Request } from "./kinds.ts";
import { NODE_PREFIX, NODES } from "./authorize.ts";

const LOOK = 500;
const YEAR = 8_760 * 3_600_000;
/** Milliseconds after its last sign of life until a node is not ready (node-monitor-grace-period). */
const GRACE = 40_000;

export interface Controllers {
  readonly client: Client;
  readonly authority: KeyPair;
  /** Told of what could not be done; it is tried again. */
  failed(error: unknown): void;
}

/** For ever. */
export async function runControllers({ client, authority, failed }: Controllers): Promise<void> {
  for await (const _ of setInterval(LOOK)) {
    try {
      for (const request of (await client.for(Requests).list()).items) await answer(client, authority, request);
      for (const node of (await client.for(Nodes).list()).items) await watchOver(client, node);
    } catch (error) {
      failed(error);
    }
  }
}

/** Approves and signs what a kubelet may have: a client certificate for a node's name. */
async function answer(client: Client, authority: KeyPair, { metadata, spec, status }: Request): Promise<void> {
  if (spec.signerName !== KUBELET_SIGNER || (status?.conditions ?? []).length > 0) return;
  const write = (type: string, reason: string, certificate?: string): Promise<unknown> => {
    const now = new Date().toISOString().replace(/\.\d+/, "");
    const condition = { type, status: "True", reason, message: "", lastUpdateTime: now, lastTransitionTime: now };
    const said = { conditions: [condition], ...(certificate === undefined ? {} : { certificate: btoa(certificate) }) };
    return client.for(Requests).patch(metadata.name!, { status: said }, { subresource: "status" });
  };
  const asked = await readRequest(atob(spec.request)).catch(() => undefined);
  if (asked === undefined || !asked.name.startsWith(NODE_PREFIX) || asked.groups.join() !== NODES) {
    await write("Denied", "NotAKubelet");
    return;
  }
  await write("Approved", "AutoApproved", await sign(asked.request, authority, { usage: "client", lifetime: YEAR }));
}

async function watchOver(client: Client, { metadata, status }: Node): Promise<void> {
  const conditions = silenced(status?.conditions, new Date().toISOString().replace(/\.\d+/, ""));
  if (conditions === undefined) return;
  const lease = await client
    .for(Leases)
    .in(NODE_LEASES)
    .get(metadata.name!)
    .catch(() => undefined);
  const renewed = Date.parse(lease?.spec.renewTime ?? metadata.creationTimestamp ?? "");
  if (Date.now() - renewed < GRACE) return;
  await client.for(Nodes).patch(metadata.name!, { status: { conditions } }, { subresource: "status" });
}
