/** Who asks for a boot script, and what `decide/boot` may know to answer. */
import type { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import type { Environment } from "#kinds/metal/v1alpha2/environment.ts";
import type { ServerClass } from "#kinds/metal/v1alpha2/server-class.ts";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";

/** Names of Talos, Debian and OCI: `x86_64` and everything unknown is amd64, as it has always been. */
export type BootArchitecture = "amd64" | "arm64";

/** As iPXE says it in the query of `/ipxe`; all of it may be wrong. */
export interface Asker {
  /** Lower case; undefined when it is missing or no UUID. */
  readonly uuid?: string;
  /** `52:54:00:12:34:56`; undefined when it is missing or no MAC address. */
  readonly mac?: string;
  readonly serial?: string;
  readonly hostname?: string;
  readonly architecture: BootArchitecture;
  /** iPXE's `${platform}`; undefined when it did not say. */
  readonly platform?: "efi" | "pcbios";
  /** Where the request came from. */
  readonly address: string;
}

/** What the API knows, read from caches: looking things up costs nothing and never fails. */
export interface Inventory {
  server(name: string): Server | undefined;
  /** Servers with an interface of that address, `52:54:00:12:34:56`. */
  serversByMac(mac: string): readonly Server[];
  binding(name: string): ServerBinding | undefined;
  serverClass(name: string): ServerClass | undefined;
  environment(name: string): Environment | undefined;
  /** The caches have been filled: before that, absence means nothing. */
  readonly isComplete: boolean;
}
