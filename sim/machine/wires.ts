/** How a machine is connected: to the simulated switch, or to sockets of the machine that the simulation runs on. */
import type { Transport } from "@connectrpc/connect";
import type { BootOnce } from "#decide/power.ts";
import type { Outcome } from "../firmware/ipxe.ts";
import type { Life } from "./life.ts";

export interface Wires {
  /** What firmware makes of booting from the network; a failure is an exit with a status. */
  boot(life: Life, once: BootOnce | undefined, hasSystem: () => boolean): Promise<Outcome>;
  /** The address that a kernel gets, with its prefix; it tries for ever. */
  address(life: Life): Promise<string>;
  /** What is at `host:port` and path; undefined: nothing that could be had. */
  fetch(life: Life, url: URL): Promise<Uint8Array | undefined>;
  /** gRPC with `host:port`. `token` is asked at every call. */
  grpc(life: Life, authority: string, token: () => string | undefined): Transport;
  /** The power is gone, and so is the address. */
  lose(): void;
}
