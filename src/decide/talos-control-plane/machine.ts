/**
 * Everything that a decision about a control plane rests on, and everything it may order. Times are milliseconds since 1970.
 *
 * What is known of the machines themselves (`facts`) was read from Talos' API a little while ago. Whatever takes a member out of etcd is
 * decided from it, and confirmed with the machines at the last moment.
 */
import type { TalosConfigSpec } from "#kinds/bootstrap/v1alpha3/talos-config.ts";
import type { TalosControlPlaneSpec, TalosControlPlaneStatus } from "#kinds/controlplane/v1alpha3/talos-control-plane.ts";
import type { JsonObject } from "#std/json.ts";
import type { Sealed } from "#std/sealed.ts";

/** A member of etcd. */
export interface Member {
  /** Hexadecimal, 16 digits. */
  readonly id: string;
  readonly hostname: string;
  /** Hosts of its peer and client URLs. */
  readonly addresses: readonly string[];
  /** It has no vote yet. */
  readonly isLearner: boolean;
}

/** What a machine says of the etcd it is part of. */
export interface EtcdFacts {
  readonly memberId: string;
  readonly hasLeader: boolean;
  readonly errors: readonly string[];
  /** Read through etcd itself, so that there was a quorum. */
  readonly members: readonly Member[];
}

/** What was read from a machine's Talos. All absent: it has not been asked yet. */
export interface TalosFacts {
  /** When it last answered. */
  readonly answeredAt?: number;
  /** Why it did not answer the last time it was asked. */
  readonly problem?: string;
  /** `v1.13.4` */
  readonly version?: string;
  /** By id: `etcd`, `kubelet` … */
  readonly services?: readonly {
    readonly id: string;
    readonly state: string;
    readonly isHealthy: boolean | undefined;
    readonly message: string;
  }[];
  readonly etcd?: EtcdFacts;
  /** There is something in /var/lib/etcd/member: it has been a member. */
  readonly hasEtcdData?: boolean;
}

export interface ControlPlaneMachine {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly createdAt: number;
  readonly isDeleting: boolean;
  readonly version: string | undefined;
  readonly failureDomain: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Its spec, for the fields that are kept as the control plane says. */
  readonly spec: JsonObject;
  readonly conditions: readonly JsonObject[];
  readonly nodeName: string | undefined;
  /** External and internal IP addresses. */
  readonly addresses: readonly string[];
  readonly hostnames: readonly string[];
  /** Its configuration was sent to it, and nothing says that it will not come up with that: it may join etcd at any time. */
  readonly isConfigured: boolean;
  /** What its infrastructure was made from; undefined where that cannot be told. */
  readonly clonedFrom: { readonly name: string; readonly groupKind: string } | undefined;
  readonly config: TalosConfigSpec | undefined;
  /** Its infrastructure and its configuration, for labels and annotations to be kept the same. */
  readonly parts: readonly Part[];
  readonly facts: TalosFacts;
  /** Nobody controls it: somebody has taken its owner away. */
  readonly isOrphan?: boolean;
}

/** An object that belongs to a Machine. */
export interface Part {
  readonly kind: "infrastructure" | "bootstrap";
  readonly apiVersion: string;
  readonly objectKind: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface ObservedCluster {
  readonly name: string;
  readonly uid: string;
  readonly isPaused: boolean;
  readonly isDeleting: boolean;
  readonly isInfrastructureReady: boolean;
  /** Undefined until it is valid. */
  readonly endpoint: { readonly host: string; readonly port: number } | undefined;
  /** Those that control planes may be placed in, sorted. */
  readonly failureDomains: readonly string[];
}

/** A template of machines, in the namespace of the control plane. */
export interface TemplateRef {
  readonly group: string;
  readonly kind: string;
  readonly name: string;
}

export interface ObservedControlPlane {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly generation: number;
  readonly isDeleting: boolean;
  /** It is deleted without its Machines. */
  readonly leavesDependents?: boolean;
  readonly isPaused: boolean;
  /** Of {@link BOOTSTRAP_MARK}. */
  readonly mark: string | undefined;
  readonly spec: TalosControlPlaneSpec;
  readonly status: TalosControlPlaneStatus;
  /** Undefined until there is one. */
  readonly cluster: ObservedCluster | undefined;
  readonly template: TemplateRef;
  /** The Cluster is on record as an owner of the template; undefined: there is no such template. */
  readonly isTemplateOwned: boolean | undefined;
  readonly machines: readonly ControlPlaneMachine[];
  /** Nodes of the cluster's control plane; undefined until they have been listed once. */
  readonly nodes: readonly ObservedNode[] | undefined;
  readonly kubeconfig: ObservedKubeconfig | undefined;
  /** The Secret `<cluster>-ca` is there, with its key. */
  readonly hasAuthority: boolean;
  /** Random: of the next Machine's name. */
  readonly suffix: string;
}

export interface ObservedNode {
  readonly name: string;
  readonly isReady: boolean;
  /** Of its kubelet, `v1.34.1`. */
  readonly version: string | undefined;
}

export interface ObservedKubeconfig {
  /** This control plane made it, and so renews it. */
  readonly isOurs: boolean;
  readonly server: string | undefined;
  readonly isOfAuthority: boolean;
  /** When its certificate ends; undefined: it has none that parses. */
  readonly endsAt: number | undefined;
  /** As Cluster API's own are (those of people are of no type), but nobody controls it: somebody has taken its owner away. */
  readonly isOrphan?: boolean;
}

/** A machine's Talos: where it is, and what it is called for people. */
export interface Seat {
  readonly machine: string;
  readonly uid: string;
  readonly addresses: readonly string[];
}

export type ControlPlaneEffect =
  | { readonly do: "adopt"; readonly machine: string; readonly resourceVersion: string }
  | { readonly do: "adopt-kubeconfig" }
  | {
      readonly do: "own-template";
      readonly template: TemplateRef;
      readonly cluster: { readonly name: string; readonly uid: string };
    }
  | { readonly do: "create"; readonly machine: NewMachine }
  /** A merge patch of a Machine, or of one of its parts. */
  | {
      readonly do: "patch";
      readonly machine: string;
      readonly uid: string;
      readonly part: Part | undefined;
      readonly patch: JsonObject;
    }
  | {
      readonly do: "conditions";
      readonly machine: string;
      readonly resourceVersion: string;
      readonly conditions: readonly JsonObject[];
    }
  /** Without `guard` whatever becomes of etcd: all of it goes. */
  | { readonly do: "delete"; readonly machine: string; readonly uid: string; readonly guard: Guard | undefined }
  /** Lets go of a Machine that is not part of etcd. */
  | { readonly do: "release"; readonly machine: string; readonly uid: string; readonly proof: Proof }
  | { readonly do: "mark"; readonly value: string }
  /** Only if no machine that answers has been a member. */
  | { readonly do: "bootstrap"; readonly seat: Seat; readonly others: readonly Seat[] }
  /** By the machine itself. */
  | { readonly do: "leave"; readonly member: string; readonly seat: Seat; readonly others: readonly Seat[] }
  /** By another one; `gone`: only if that Machine is gone, or is being deleted. */
  | {
      readonly do: "remove-member";
      readonly member: string;
      readonly gone: { readonly machine: string; readonly uid: string };
      readonly others: readonly Seat[];
    }
  | { readonly do: "kubeconfig"; readonly server: string }
  | {
      readonly do: "upgrade-kubernetes";
      readonly seat: Seat;
      readonly version: string;
      readonly part: "control-plane" | "kubelet";
    }
  /** What a Node runs of the control plane is of the version, and ready. */
  | { readonly do: "confirm-components"; readonly node: string; readonly version: string }
  | { readonly do: "upgrade-talos"; readonly seat: Seat; readonly installer: string };

/** What is confirmed before a Machine is deleted: that it is the only one that goes, and that etcd can do without its member, if it has one. */
export interface Guard {
  readonly leaves: string | undefined;
  readonly seats: readonly Seat[];
}

/**
 * What is to be confirmed with the machines before one is let go. `outside`: etcd's list, which `others` give, has no member at its addresses. `blank`: there is no
 * etcd yet, and none of those that answer has been a member. `none`: etcd ends anyway.
 */
export type Proof =
  | { readonly of: "outside"; readonly addresses: readonly string[]; readonly others: readonly Seat[] }
  | { readonly of: "blank"; readonly seats: readonly Seat[] }
  | { readonly of: "none" };

/** A Machine to be made, with its infrastructure and its configuration, all of one name. */
export interface NewMachine {
  readonly name: string;
  readonly failureDomain: string | undefined;
  readonly template: TemplateRef;
  /** Patches may hold secrets. */
  readonly config: Sealed<TalosConfigSpec>;
  readonly version: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: JsonObject;
}

/** Why something that is to be done is not done yet. */
export interface Wait {
  readonly reason: string;
  readonly waitingFor: string;
  readonly next?: string;
  readonly remedy?: string;
}

/** Says in metadata, which a move takes along, who brings up etcd (`bootstrapping <machine>`), and that it was brought up (`bootstrapped`). */
export const BOOTSTRAP_MARK = "controlplane.cluster.x-k8s.io/etcd";
/** Holds a Machine that is being deleted until its member has left etcd. */
export const LEAVE_HOOK = "pre-terminate.delete.hook.machine.cluster.x-k8s.io/talos-etcd";

/** On a Machine whose part of the control plane was upgraded in place: the version. */
export const COMPONENTS_ANNOTATION = "controlplane.cluster.x-k8s.io/kubernetes-version";

/** Milliseconds for which what a machine said is taken for true. */
export const FRESH = 90_000;

export function isFresh({ facts }: ControlPlaneMachine, now: number): boolean {
  return facts.answeredAt !== undefined && facts.problem === undefined && now - facts.answeredAt <= FRESH;
}

export function seatOf({ name, uid, addresses }: ControlPlaneMachine): Seat {
  return { machine: name, uid, addresses };
}
