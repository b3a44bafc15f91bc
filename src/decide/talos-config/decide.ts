/** When the configuration of a machine is made, and what is told while it cannot be (facts §3.4). */
import type { TalosConfig, TalosConfigSpec } from "#kinds/bootstrap/v1beta1/talos-config.ts";
import type { Fault } from "#std/fault.ts";
import { Sealed } from "#std/sealed.ts";
import type { ConfigInputs, Identity, ObservedTalosConfig } from "./observed.ts";
import { Teller } from "./status.ts";
import type { StatusChange } from "./status.ts";

export type TalosConfigEffect<S> =
  | {
      readonly do: "write-data";
      readonly owner: Identity;
      readonly cluster: Identity;
      readonly secretName: string;
      /** Its patches, or all of it, may hold secrets. */
      readonly spec: Sealed<TalosConfigSpec>;
      readonly inputs: ConfigInputs;
      /** Undefined when nothing is generated. */
      readonly secrets: Sealed<S> | undefined;
      /** A configuration that was given brings the cluster's Kubernetes authority with it, which is nowhere else. */
      readonly keepAuthority: boolean;
    }
  | { readonly do: "own-data"; readonly owner: Identity; readonly secretName: string }
  /** Of bootstrap providers before 0.5: nothing is cleaned up by it. */
  | {
      readonly do: "drop-finalizer";
      readonly namespace: string;
      readonly name: string;
      readonly resourceVersion: string;
      readonly finalizers: readonly string[];
    };

export interface TalosConfigDecision<S> {
  readonly effects?: readonly TalosConfigEffect<S>[];
  readonly status?: StatusChange;
}

const LEGACY_FINALIZER = "talosconfig.bootstrap.cluster.x-k8s.io";

/** Where the configuration of a Machine is kept. */
export function dataSecretNameOf(machine: string): string {
  return `${machine}-bootstrap-data`;
}

/** Made once: what is there stays, whatever its cluster becomes afterwards. What is lost before its machine is, is made again. */
export function decideTalosConfig<S>(observed: ObservedTalosConfig<S>, now: number): TalosConfigDecision<S> {
  const { config, owner, cluster, paused, data } = observed;
  if (config.metadata.deletionTimestamp !== undefined) return decideDeletion(config);
  if (owner === undefined || cluster === undefined || config.spec === undefined) return {};
  const teller = new Teller(config, observed.hasClient, now);
  if (paused !== undefined) return { status: teller.paused(paused) };
  const own = dataSecretNameOf(owner.name);
  const known = config.status?.initialization?.dataSecretCreated === true ? config.status.dataSecretName : owner.dataSecretName;
  // After a move the status is lost, but the Machine knows what it has been made from. One of another name is not ours to make.
  if (known !== undefined && known !== own) return { status: teller.available(known) };
  if (data === "there") return { status: teller.available(own) };
  const identity = identityOf(config);
  if (data === "orphaned")
    return { effects: [{ do: "own-data", owner: identity, secretName: own }], status: teller.available(own) };
  if (known !== undefined && owner.isDeleting) return { status: teller.available(own) };
  return make(observed, teller, { owner: identity, secretName: own });
}

function make<S>(
  { config, cluster, inputs, bundle, data, hasAuthority }: ObservedTalosConfig<S>,
  teller: Teller,
  target: { readonly owner: Identity; readonly secretName: string },
): TalosConfigDecision<S> {
  if (cluster?.isProvisioned !== true)
    return { status: teller.waiting("WaitingForClusterInfrastructure", "the cluster's infrastructure is not ready") };
  if (inputs === undefined)
    return { status: teller.waiting("WaitingForClusterInfrastructure", "the Cluster has no controlPlaneEndpoint") };
  if (data === "stale")
    return {
      status: teller.waiting("WaitingForSecret", `Secret ${target.secretName} is of an earlier machine, and about to go`),
    };
  const spec = config.spec!;
  const isGiven = spec.generateType === "none";
  const bundleName = `${cluster.name}-talos`;
  if (!isGiven && bundle.problem !== undefined) return { status: teller.failed(`Secret ${bundleName}: ${bundle.problem}`) };
  if (!isGiven && bundle.secrets === undefined)
    return { status: teller.waiting("WaitingForSecret", `Secret ${bundleName} is being made`) };
  return {
    effects: [
      {
        do: "write-data",
        ...target,
        cluster: { namespace: cluster.namespace, name: cluster.name, uid: cluster.uid },
        spec: new Sealed(spec),
        inputs,
        secrets: isGiven ? undefined : bundle.secrets,
        keepAuthority: isGiven && !hasAuthority,
      },
    ],
    status: teller.available(target.secretName),
  };
}

/** The status after an effect that failed: nothing new when that says nothing about the configuration itself. */
export function failedTalosConfig<S>(
  { config, hasClient }: ObservedTalosConfig<S>,
  { code, message }: Fault,
  now: number,
): StatusChange {
  return code.startsWith("talos.") ? new Teller(config, hasClient, now).failed(message) : {};
}

function identityOf({ metadata: { namespace = "", name = "", uid = "" } }: TalosConfig): Identity {
  return { namespace, name, uid };
}

function decideDeletion({ metadata }: TalosConfig): TalosConfigDecision<never> {
  const { namespace = "", name = "", resourceVersion = "", finalizers = [] } = metadata;
  if (!finalizers.includes(LEGACY_FINALIZER)) return {};
  const rest = finalizers.filter((finalizer) => finalizer !== LEGACY_FINALIZER);
  return { effects: [{ do: "drop-finalizer", namespace, name, resourceVersion, finalizers: rest }] };
}
