/** Our DHCP service and machines on a network in the process. */
import type { TestContext } from "node:test";
import { VirtualClock } from "#io/memory/clock.ts";
import type { MemoryHost } from "#io/memory/network.ts";
import { MemoryNetwork } from "#io/memory/network.ts";
import { createDhcp } from "#boot/dhcp/dhcp.ts";
import type { Dhcp, DhcpOptions } from "#boot/dhcp/dhcp.ts";
import { MAC, request, serviceOptions, Wire } from "./dhcp-client.ts";
import type { Recorded } from "./dhcp-client.ts";

export interface Rack extends Recorded {
  readonly network: MemoryNetwork;
  readonly server: MemoryHost;
  readonly dhcp: Dhcp;
  readonly clock: VirtualClock;
}

export const POOL = { subnet: "10.0.0.0/24", mode: "server", pools: ["10.0.0.50-10.0.0.99"] };

/** Ours on 10.0.0.1, at a segment called "wire". */
export async function rack(context: TestContext, more: Partial<DhcpOptions> = {}): Promise<Rack> {
  const network = new MemoryNetwork();
  const server = network.host();
  server.connect("wire", "eth0", ["10.0.0.1/24"], "52:54:00:00:00:fe");
  return { network, server, ...(await serve(context, server, more)) };
}

export async function serve(
  context: TestContext,
  host: MemoryHost,
  more: Partial<DhcpOptions> = {},
): Promise<Omit<Rack, "network" | "server">> {
  const clock = new VirtualClock();
  const { options, sightings, lines } = serviceOptions(host, clock, more);
  const dhcp = createDhcp(options);
  context.after(() => dhcp.close());
  await dhcp.start();
  return { dhcp, clock, sightings, lines };
}

export async function machine(network: MemoryNetwork, segment = "wire", port = 68): Promise<Wire> {
  const host = network.host();
  host.connect(segment, "nic", []);
  return Wire.open(host, "nic", port);
}

/** DISCOVER and REQUEST; the address that was given. */
export async function lease(wire: Wire, mac = MAC): Promise<string | undefined> {
  const [offer] = await wire.ask(request({}, { mac }));
  if (offer === undefined) return undefined;
  const { serverId } = offer.options;
  const [ack] = await wire.ask(request({ messageType: "request", serverId: serverId!, requestedAddress: offer.yiaddr }, { mac }));
  return ack?.options.messageType === "ack" ? ack.yiaddr : undefined;
}
