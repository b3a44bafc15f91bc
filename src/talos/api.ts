/**
 * The API of a running Talos (apid, TCP 50000), as far as a cluster's controllers need it (facts §6.6). The real one is
 * `main/talos-api.ts`; tests and simulations have their own.
 *
 * Every call rejects with a Fault:
 *   `talos.unreachable`  nobody answered in time, or what answered has not this cluster's certificate (retry soon)
 *   `talos.denied`       the certificate is not accepted, or its roles do not suffice (retry later)
 *   `talos.not-ready`    it answered that this cannot be done yet: services starting, time not in sync (retry soon)
 *   `talos.refused`      it will not do this at all: of the wrong machine type, invalid, unknown to this version (retry never)
 */
export interface TalosTarget {
  /** Hosts, with a port or 50000; tried in order until one answers. */
  readonly endpoints: readonly string[];
  /** The machine that is meant, if it is another than the endpoint: the endpoint passes calls on to it. */
  readonly node?: string;
  /** PEM: the cluster's OS authority, and a client certificate of it. */
  readonly ca: string;
  readonly crt: string;
  readonly key: string;
}

/** A machine in maintenance mode: it has no certificate of any cluster, and nobody needs one. */
export interface MaintenanceTarget {
  readonly endpoints: readonly string[];
  readonly maintenance: true;
}

export interface TalosApi {
  version(): Promise<TalosVersion>;
  /** What the machine calls itself. Absent: this one cannot be asked. */
  hostname?(): Promise<string>;
  /** Starts etcd on the first control plane machine. `already` when there is an etcd on it: nothing to do, and no harm. */
  bootstrap(): Promise<"started" | "already">;
  services(): Promise<ServiceState[]>;
  etcdMembers(): Promise<EtcdMember[]>;
  etcdStatus(): Promise<EtcdStatus>;
  /** The name of the new leader; empty when it was not the leader. */
  etcdForfeitLeadership(): Promise<string>;
  /** Takes this machine out of etcd. */
  etcdLeave(): Promise<void>;
  /** `id`: hexadecimal, as `etcdMembers` gives it. */
  etcdRemoveMember(id: string): Promise<void>;
  /** Names in a directory; empty when there is none. */
  list(path: string): Promise<string[]>;
  /** Events from now on, and the last `tail` before; ends when the machine closes the stream or `signal` fires. */
  events(options?: { readonly tail?: number; readonly signal?: AbortSignal }): AsyncIterable<TalosEvent>;
  /** Wipes and reboots or halts. A graceful one leaves etcd and Kubernetes first. */
  reset(options: ResetOptions): Promise<void>;
  /** `image`: of the installer. */
  upgrade(options: { readonly image: string; readonly stage?: boolean; readonly force?: boolean }): Promise<void>;
  reboot(options?: { readonly mode?: "default" | "powercycle" | "force" }): Promise<void>;
  applyConfiguration(options: ApplyOptions): Promise<Applied>;
  /** The configuration it runs with, secrets and all. */
  configuration(): Promise<string>;
  /** Of an administrator of the cluster's Kubernetes, as the machine makes it. */
  kubeconfig(): Promise<string>;
  close(): void;
}

/** Gives the API of a machine; connects at the first call. */
export type TalosDial = (target: TalosTarget | MaintenanceTarget) => TalosApi;

export interface TalosVersion {
  /** `v1.13.4` */
  readonly tag: string;
  /** `amd64`, `arm64` */
  readonly arch: string;
  /** `metal` */
  readonly platform: string;
}

export interface ServiceState {
  /** `etcd`, `kubelet`, `apid`, … */
  readonly id: string;
  /** `Running`, `Preparing`, `Waiting`, `Finished`, … */
  readonly state: string;
  /** Undefined when its health is not known. */
  readonly isHealthy: boolean | undefined;
  readonly message: string;
}

export interface EtcdMember {
  /** Hexadecimal, 16 digits. */
  readonly id: string;
  readonly hostname: string;
  readonly peerUrls: readonly string[];
  readonly clientUrls: readonly string[];
  readonly isLearner: boolean;
}

export interface EtcdStatus {
  /** Hexadecimal; zeros when there is no leader. */
  readonly memberId: string;
  readonly leader: string;
  readonly isLearner: boolean;
  readonly raftIndex: bigint;
  readonly raftAppliedIndex: bigint;
  readonly errors: readonly string[];
}

export interface TalosEvent {
  readonly id: string;
  readonly actorId: string;
  /** `machine.MachineStatusEvent`, `machine.SequenceEvent`, … */
  readonly type: string;
  /** The message of that type, encoded. */
  readonly value: Uint8Array;
}

export interface ResetOptions {
  readonly graceful: boolean;
  readonly reboot: boolean;
  /** Labels of the system partitions to wipe; all of the system disk when empty. */
  readonly systemPartitions?: readonly string[];
}

export interface ApplyOptions {
  readonly config: string;
  readonly mode?: "auto" | "reboot" | "no-reboot" | "staged" | "try";
  readonly dryRun?: boolean;
}

export interface Applied {
  readonly warnings: readonly string[];
  readonly details: string;
}
