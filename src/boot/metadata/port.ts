/** Where configurations are, and where it is put on record who has had one. `main` hands in who speaks to the API. */
import type { ServerBinding, ServerBindingStatus } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import type { KubeObject } from "#schema/meta.ts";

export interface Secret extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

/** A Machine of Cluster API, of whatever version. */
export interface Machine extends KubeObject {
  readonly spec?: {
    readonly bootstrap?: { readonly dataSecretName?: string | null };
  };
}

export type Served = NonNullable<ServerBindingStatus["configuration"]>;
export type Intruder = NonNullable<ServerBindingStatus["intruder"]>;

/** As things are now, whatever caches say; undefined for what is not there. Reads reject with the Faults of the API. */
export interface MetadataPort {
  binding(name: string): Promise<ServerBinding | undefined>;
  metalMachine(namespace: string, name: string): Promise<KubeObject | undefined>;
  /** `version`: of Cluster API's group. */
  machine(version: string, namespace: string, name: string): Promise<Machine | undefined>;
  secret(namespace: string, name: string): Promise<Secret | undefined>;
  /**
   * Resolves when it is on record in the status of this very binding. A configuration is so only while nobody else's, and no intruder, has come between: rejects
   * with Fault `api.conflict` otherwise.
   */
  record(binding: ServerBinding, status: { readonly configuration: Served } | { readonly intruder: Intruder }): Promise<void>;
  event(about: Server, type: "Normal" | "Warning", reason: string, message: string): void;
}
