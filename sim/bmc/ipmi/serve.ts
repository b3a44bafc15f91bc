/** A simulated BMC at a UDP port, real or in memory. */
import type { OpenUdp } from "#io/udp.ts";
import { RMCP_PORT } from "#wire/ipmi/constants.ts";
import { SimulatedIpmi } from "./bmc.ts";
import type { SimulatedIpmiOptions } from "./options.ts";

export interface ServeOptions extends Omit<SimulatedIpmiOptions, "send"> {
  readonly openUdp: OpenUdp;
  /** IP address to listen at. */
  readonly host: string;
  /** 623 when absent; 0 picks a free one. */
  readonly port?: number;
}

export interface ServedIpmi {
  readonly bmc: SimulatedIpmi;
  readonly port: number;
  close(): Promise<void>;
}

/** Rejects as the door does. */
export async function serveIpmi({ openUdp, host, port = RMCP_PORT, ...options }: ServeOptions): Promise<ServedIpmi> {
  const bmc = new SimulatedIpmi({
    ...options,
    // A client that cannot be reached asks again.
    send: (bytes, to) => void socket.send(bytes, to).catch(() => {}),
  });
  const family = host.includes(":") ? 6 : 4;
  const socket = await openUdp({ family, host, port }, ({ bytes, from }) => bmc.onDatagram(bytes, from));
  bmc.port = socket.port;
  return {
    bmc,
    port: socket.port,
    close: async () => {
      bmc.reset();
      await socket.close();
    },
  };
}
