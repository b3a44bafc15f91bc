/** Kinds of a cluster that Sidero's own API does without: what a kubelet asks for its certificate with, and pods, of which there are none. */
import type { Definition } from "#schema/definition.ts";
import type { KubeObject } from "#schema/meta.ts";
import { coreDefinitions } from "#kinds/core/definitions.ts";
import { AGE } from "#kinds/core/column.ts";
import { define } from "#kinds/core/define.ts";
import { bytes, field, int32, list, struct, text, time } from "#kinds/core/go.ts";
import { kindRef } from "#kube/kind.ts";
import { pod } from "../../../sim/talos/pod.ts";

export interface Request extends KubeObject {
  spec: { request: string; signerName: string; usages?: string[]; username?: string; groups?: string[] };
  status?: { certificate?: string | null; conditions?: { type: string; status: string; reason?: string; message?: string }[] };
}

const condition = struct("CertificateSigningRequestCondition", {
  type: field(text(), "Approved, Denied or Failed.", { always: true, required: true }),
  status: field(text(), "True, False or Unknown.", { always: true, required: true }),
  reason: field(text(), "A word that says why, for programs."),
  message: field(text(), "A sentence that says why, for people."),
  lastUpdateTime: field(time(), "When it was last said.", { always: true }),
  lastTransitionTime: field(time(), "When it became so.", { always: true }),
});

const certificateSigningRequest = define({
  group: "certificates.k8s.io",
  kind: "CertificateSigningRequest",
  plural: "certificatesigningrequests",
  shortNames: ["csr"],
  namespaced: false,
  doc: "A certificate that is asked for.",
  fields: {
    spec: field(
      struct("CertificateSigningRequestSpec", {
        request: field(bytes(), "PKCS #10, PEM.", { always: true, required: true }),
        signerName: field(text(), "Who is to sign it.", { always: true, required: true }),
        expirationSeconds: field(int32(), "For how long.", { pointer: true }),
        usages: field(list(text()), "What it is for."),
        username: field(text(), "Who asks."),
        groups: field(list(text()), "Groups of who asks."),
      }),
      "What is asked for.",
      { always: true, required: true },
    ),
    status: field(
      struct("CertificateSigningRequestStatus", {
        conditions: field(list(condition), "What has been decided."),
        certificate: field(bytes(), "PEM."),
      }),
      "What has become of it.",
    ),
  },
  columns: [AGE, { name: "SignerName", type: "string", description: "Who is to sign it.", jsonPath: ".spec.signerName" }],
  hasStatus: true,
});

/** Pods may come to be among Sidero's own. */
export const definitions: readonly Definition[] = [...coreDefinitions, certificateSigningRequest, pod].filter(
  ({ group, plural }, index, all) => all.findIndex((each) => each.group === group && each.plural === plural) === index,
);

export const Requests = kindRef<Request>({
  group: "certificates.k8s.io",
  version: "v1",
  kind: "CertificateSigningRequest",
  plural: "certificatesigningrequests",
  scope: "Cluster",
});

export interface Node extends KubeObject {
  spec?: { providerID?: string; taints?: { key: string; value?: string; effect: string }[] };
  status?: {
    conditions?: {
      type: string;
      status: string;
      reason?: string;
      message?: string;
      lastHeartbeatTime?: string;
      lastTransitionTime?: string;
    }[];
    addresses?: { type: string; address: string }[];
    nodeInfo?: Record<string, string>;
    capacity?: Record<string, string>;
    allocatable?: Record<string, string>;
  };
}

export const Nodes = kindRef<Node>({ group: "", version: "v1", kind: "Node", plural: "nodes", scope: "Cluster" });

export interface Lease extends KubeObject {
  spec: { holderIdentity?: string; leaseDurationSeconds?: number; renewTime?: string };
}

export const Leases = kindRef<Lease>({
  group: "coordination.k8s.io",
  version: "v1",
  kind: "Lease",
  plural: "leases",
  scope: "Namespaced",
});

/** Where nodes keep their leases. */
export const NODE_LEASES = "kube-node-lease";
export const KUBELET_SIGNER = "kubernetes.io/kube-apiserver-client-kubelet";
