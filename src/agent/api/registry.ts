/** Where machines are on record, as registration sees it. `main` has it made of the Kubernetes API. */
import type { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";

export type ServerSpec = NonNullable<Server["spec"]>;

export interface ServerDraft {
  readonly name: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly spec: ServerSpec;
}

export interface SecretDraft {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Undefined: the key is taken out. */
  readonly data: Readonly<Record<string, string | undefined>>;
}

/** Rejects with `api.*` faults of the API and `io.*` of the way there. */
export interface Registry {
  /** As it is now, not as a cache has it. */
  server(name: string): Promise<Server | undefined>;
  /** The binding of a Server, as it is now. */
  binding(name: string): Promise<ServerBinding | undefined>;
  /** Undefined when there is one of that name already. */
  create(draft: ServerDraft): Promise<Server | undefined>;
  /**
   * Writes what `change` makes of the Server (metadata and spec first, then status), again from the newest one when somebody else was faster:
   * `change` may be called several times, must not change its argument, and may throw. Nothing is written when nothing changes. Undefined when
   * there is no such Server.
   */
  edit(name: string, change: (server: Server) => Server): Promise<Server | undefined>;
  /** Its data, as it is now. */
  secret(namespace: string, name: string): Promise<Readonly<Record<string, string>> | undefined>;
  /** Names of the Servers with a BMC account in that namespace whose password is being changed (`pending`). */
  pendingAccounts(namespace: string): Promise<string[]>;
  /** Makes the Secret or writes its data; keys that are not named stay. Fault `agent.not-wanted` when there is one that does not belong to the Server. */
  putSecret(owner: Server, secret: SecretDraft): Promise<void>;
  /** An Event about the Server, written some time soon. */
  event(about: Server, type: "Normal" | "Warning", reason: string, message: string): void;
}
