/** Upgrades of machines as they run. Nothing of a configuration is shown: it has all secrets of the cluster. */
import type { Seat } from "#decide/talos-control-plane/machine.ts";
import { COMPONENTS_ANNOTATION } from "#decide/talos-control-plane/machine.ts";
import { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import type { Acting } from "#kube/controller.ts";
import { kindRef } from "#kube/kind.ts";
import type { Workloads } from "#kube/workload.ts";
import { ifThere } from "#kube/status.ts";
import type { KubeObject } from "#schema/meta.ts";
import { Fault } from "#std/fault.ts";
import type { Part } from "#talos/kubernetes-version.ts";
import { withKubernetes } from "#talos/kubernetes-version.ts";
import { credentialsFor, withMachine } from "./etcd.ts";
import type { Plane } from "./plane.ts";
import { planeKeyOf } from "./plane.ts";
import type { Talos } from "./ports.ts";

/** The machine pulls the installer, and starts anew by itself. */
export async function upgradeTalos(seat: Seat, installer: string, plane: Plane, talos: Talos, acting: Acting): Promise<void> {
  const credentials = await credentialsFor(plane, acting);
  await withMachine(seat, credentials, talos, (api) => api.upgrade({ image: installer }));
  talos.poke(planeKeyOf(plane));
}

/** The images of the configuration it runs with are replaced, and nothing else; then the Machine says so. */
export async function upgradeKubernetes(
  seat: Seat,
  { version, part }: { readonly version: string; readonly part: Part },
  plane: Plane,
  talos: Talos,
  acting: Acting,
): Promise<void> {
  const { client, signal } = acting;
  const credentials = await credentialsFor(plane, acting);
  await withMachine(seat, credentials, talos, async (api) => {
    const present = await api.configuration();
    const config = withKubernetes(present, version, part);
    if (config !== present) await api.applyConfiguration({ config, mode: "no-reboot" });
  });
  const said = part === "kubelet" ? { spec: { version } } : {};
  const metadata = { uid: seat.uid, annotations: { [COMPONENTS_ANNOTATION]: version } };
  await ifThere(
    client
      .for(Machine)
      .in(plane.namespace)
      .patch(seat.machine, { metadata, ...said }, { signal }),
  );
  talos.poke(planeKeyOf(plane));
}

interface Pod extends KubeObject {
  readonly spec?: { readonly nodeName?: string; readonly containers?: readonly { readonly image?: string }[] };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

const Pod = kindRef<Pod>({ group: "", version: "v1", kind: "Pod", plural: "pods", scope: "Namespaced" });
/** Names of static pods end in the Node's. */
const STATIC = ["kube-apiserver", "kube-controller-manager", "kube-scheduler"];

/**
 * Fault `talos.not-ready` while a static pod of the Node is of another version, or not ready. A cluster that shows none is believed: what the kubelet
 * mirrors is all that can be seen of them.
 */
export async function confirmComponents(
  node: string,
  version: string,
  { namespace, cluster }: Plane,
  workloads: Workloads,
  { signal }: Acting,
): Promise<void> {
  const client = await workloads.client({ namespace, name: cluster });
  const pods = client
    .for(Pod)
    .in("kube-system")
    .list({ fieldSelector: `spec.nodeName=${node}`, signal });
  const { items } = (await ifThere(pods)) ?? { items: [] };
  const behind = items.find(({ metadata, spec, status }) => {
    if (!STATIC.some((name) => metadata.name === `${name}-${node}`)) return false;
    const isReady = status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True") === true;
    return !isReady || !(spec?.containers ?? []).some(({ image = "" }) => image.includes(`:${version}`));
  });
  if (behind === undefined) return;
  const message = `${behind.metadata.name} has not come to ${version} yet`;
  throw new Fault("talos.not-ready", message, { fault: "world", retry: "soon" });
}
