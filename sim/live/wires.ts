/** A simulated machine on real sockets: scripts by HTTP and calls by gRPC, from an address of its own. There is no DHCP and no TFTP: it begins in iPXE. */
import { get } from "node:http";
import { connect } from "node:net";
import { createGrpcTransport } from "@connectrpc/connect-node";
import type { Transport } from "@connectrpc/connect";
import type { BootOnce } from "#decide/power.ts";
import type { Outcome } from "../firmware/ipxe.ts";
import { runIpxe } from "../firmware/ipxe.ts";
import { ipxeSettings } from "../firmware/ipxe-settings.ts";
import type { Life } from "../machine/life.ts";
import type { Identity } from "../machine/model.ts";
import type { Wires } from "../machine/wires.ts";

export interface LiveOptions {
  readonly identity: Identity;
  /** `host:port` of Sidero's HTTP port. */
  readonly endpoint: string;
  /** Where it calls from. */
  readonly address: string;
}

/** Bytes of a kernel or an initial RAM disk that are fetched: a hundred machines would move gigabytes for nothing. */
const ENOUGH = 65_536;
/** Milliseconds. */
const PATIENCE = 30_000;

export class LiveWires implements Wires {
  readonly #options: LiveOptions;

  constructor(options: LiveOptions) {
    this.#options = options;
  }

  async boot(life: Life, _once: BootOnce | undefined, hasSystem: () => boolean): Promise<Outcome> {
    const { identity, endpoint, address } = this.#options;
    const machine = {
      settings: ipxeSettings(identity, address),
      fetch: (url: URL) => this.fetch(life, url),
      dhcp: async () => true,
      sleep: (milliseconds: number) => life.sleep(milliseconds),
      hasSystem,
      print: () => {},
    };
    return await runIpxe(machine, new URL(`http://${endpoint}/boot.ipxe`));
  }

  async address(): Promise<string> {
    return `${this.#options.address}/8`;
  }

  async fetch(life: Life, url: URL): Promise<Uint8Array | undefined> {
    const headers = url.pathname.startsWith("/env/") ? { range: `bytes=0-${ENOUGH - 1}` } : {};
    const options = { headers, localAddress: this.#options.address, agent: false, timeout: PATIENCE } as const;
    const fetched = new Promise<Uint8Array | undefined>((resolve) => {
      const asking = get(url, options, (answer) => {
        const pieces: Buffer[] = [];
        answer.on("data", (piece: Buffer) => void pieces.push(piece));
        answer.on("end", () => resolve([200, 206].includes(answer.statusCode ?? 0) ? Buffer.concat(pieces) : undefined));
        answer.on("error", () => resolve(undefined));
      });
      asking.on("timeout", () => asking.destroy(new Error("no answer in time")));
      asking.on("error", () => resolve(undefined));
      life.onEnd(() => asking.destroy());
    });
    return await life.live(fetched);
  }

  grpc(life: Life, authority: string, token: () => string | undefined): Transport {
    const { hostname, port } = new URL(`http://${authority}`);
    const { address } = this.#options;
    return createGrpcTransport({
      baseUrl: `http://${authority}`,
      nodeOptions: {
        createConnection: () => {
          const socket = connect({ host: hostname, port: Number(port || 80), localAddress: address });
          life.onEnd(() => socket.destroy());
          return socket;
        },
      },
      interceptors: [
        (next) => (request) => {
          const shown = token();
          if (shown !== undefined) request.header.set("authorization", `Bearer ${shown}`);
          return life.live(next(request));
        },
      ],
    });
  }

  lose(): void {}
}
