/** Where Sidero's process runs in the simulation. */
import type { TalosDial } from "#talos/api.ts";
import type { Store } from "#apiserver/store/store.ts";
import type { Clock } from "#io/clock.ts";
import type { HttpTransport } from "#io/http.ts";
import type { Log } from "#io/log.ts";
import type { MemoryBlobs } from "#io/memory/blobs.ts";
import type { MemoryDisk } from "#io/memory/disk.ts";
import type { SeededEntropy } from "#io/memory/entropy.ts";
import type { MemoryHost } from "#io/memory/network.ts";
import type { Pki } from "#io/pki.ts";
import type { Handler } from "#io/serve.ts";
import type { Seal } from "#io/seal.ts";
import type { Web } from "./web.ts";

/** What outlives a process: its host, and what is on that host's disk. */
export interface Site {
  /** On the management network. */
  readonly managementAddress: string;
  readonly clock: Clock;
  readonly entropy: SeededEntropy;
  readonly host: MemoryHost;
  readonly address: string;
  readonly web: Web;
  readonly disk: MemoryDisk;
  readonly blobs: MemoryBlobs;
  readonly seal: Seal;
  readonly origins: Map<string, Handler>;
  readonly subnets: unknown;
  readonly flags: Readonly<Record<string, string>>;
  readonly log: Log;
  /** Between Sidero's own clients and its API. */
  readonly between?: (transport: HttpTransport) => HttpTransport;
  /** Keys of before a crash are known after it. */
  readonly pki: Pki;
  /** To the machines that run Talos. */
  readonly dialTalos: TalosDial;
  /** Called with a store that has just been opened, before anything is done with it. */
  readonly onStore?: (store: Store) => void;
}
