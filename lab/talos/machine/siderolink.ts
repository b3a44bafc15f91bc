/** SideroLink, the machine's end (facts §7): a tunnel by the kernel's own WireGuard, through UDP or, where that is blocked, through gRPC. */
import { generateKeyPairSync } from "node:crypto";
import { createSocket } from "node:dgram";
import { writeFile } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { argumentOf } from "#agent/steps/command-line.ts";
import { ProvisionService } from "#proto/siderolink/provision_pb.js";
import { WireGuardOverGRPCService } from "#proto/siderolink/wireguard_pb.js";
import { own } from "#std/json.ts";
import type { MachineConfig } from "#talos/document/document.ts";
import { retried } from "./acquire.ts";
import { problemOf } from "./console.ts";
import type { Host } from "./host.ts";
import { must } from "./volumes.ts";

export interface LinkArguments {
  /** `grpc://host:port?jointoken=…&grpc_tunnel=true` */
  readonly api: string;
  /** `host:port` of the event sink. */
  readonly events: string | undefined;
  /** `tcp://host:port` or `udp://host:port` of whoever wants the kernel's log. */
  readonly logs: string | undefined;
}

const NAME = "siderolink";
const MTU = "1280";
const KEEPALIVE = "25";
/** Milliseconds: of a call, between two looks at the tunnel, and since the last handshake of one that is dead. */
const CALL = 30_000;
const LOOK = 15_000;
const DEAD = 275_000;
/** Where WireGuard's packets go that are to leave by gRPC. */
const RELAY = 51_820;

/** From the kernel's arguments, or else from the configuration: what was installed under UEFI has no arguments of its own. */
export function linkOf({ line }: Host, config: MachineConfig | undefined): LinkArguments | undefined {
  const document = (kind: string, field: string): string | undefined => {
    const value = config?.documents.find(({ identity }) => identity.kind === kind)?.value;
    const found = value && own(value, field);
    return typeof found === "string" ? found : undefined;
  };
  const api = argumentOf(line, "siderolink.api") ?? document("SideroLinkConfig", "apiUrl");
  if (api === undefined || api === "") return undefined;
  return {
    api,
    events: argumentOf(line, "talos.events.sink") ?? document("EventSinkConfig", "endpoint"),
    logs: argumentOf(line, "talos.logging.kernel") ?? document("KmsgLogConfig", "url"),
  };
}

export interface LinkApi {
  readonly baseUrl: string;
  readonly joinToken: string | undefined;
  readonly isTunnelled: boolean;
}

/** Without a scheme it is gRPC in plain text; `https` is TLS. */
export function readApi(text: string): LinkApi {
  const url = new URL(/^\w+:\/\//.test(text) ? text : `grpc://${text}`);
  const tunnel = url.searchParams.get("grpc_tunnel") ?? "";
  const scheme = url.protocol === "https:" ? "https" : "http";
  // URL knows the standard port of https only, and leaves it out.
  const port = url.port === "" ? (scheme === "https" ? "443" : "80") : url.port;
  return {
    baseUrl: `${scheme}://${url.hostname}:${port}`,
    joinToken: url.searchParams.get("jointoken") ?? undefined,
    isTunnelled: /^(?:true|y|yes|1)$/i.test(tunnel),
  };
}

/** Resolves when there is a tunnel; it is made again, for ever, when the other end is not heard any more. */
export async function joinLink(host: Host, { api }: LinkArguments): Promise<void> {
  const { machine, say } = host;
  const { baseUrl, joinToken, isTunnelled } = readApi(api);
  const keys = generateKeys();
  await writeFile("/run/siderolink.key", `${keys.secret}\n`, { mode: 0o600 });
  await loadWireguard(host);
  await machine.run("/run/busybox", ["ip", "link", "add", NAME, "type", "wireguard"]);
  await must(machine, "/run/bin/wg", "set", NAME, "private-key", "/run/siderolink.key");
  let tries = 0;
  const provision = async (): Promise<void> => {
    const transport = createGrpcTransport({ baseUrl });
    const answer = await createClient(ProvisionService, transport).provision(
      {
        nodeUuid: host.identity.uuid,
        nodePublicKey: keys.open,
        nodeUniqueToken: host.uniqueToken,
        talosVersion: host.version,
        wireguardOverGrpc: isTunnelled,
        ...(joinToken === undefined ? {} : { joinToken }),
      },
      { timeoutMs: CALL },
    );
    const endpoint = isTunnelled
      ? `127.0.0.1:${RELAY}`
      : answer.serverEndpoint[tries++ % Math.max(1, answer.serverEndpoint.length)];
    if (endpoint === undefined) throw new Error("SideroLink: the server names no endpoint of WireGuard");
    if (isTunnelled) void relay(host, baseUrl, addressIn(answer.grpcPeerAddrPort));
    const allowed = `${answer.serverAddress}/${answer.serverAddress.includes(":") ? 128 : 32}`;
    const peer = [
      "peer",
      answer.serverPublicKey,
      "endpoint",
      endpoint,
      "allowed-ips",
      allowed,
      "persistent-keepalive",
      KEEPALIVE,
    ];
    await must(machine, "/run/bin/wg", "set", NAME, ...peer);
    await machine.run("ip", ["addr", "add", answer.nodeAddressPrefix, "dev", NAME]);
    await must(machine, "ip", "link", "set", NAME, "mtu", MTU, "up");
    say(`siderolink: ${answer.nodeAddressPrefix} by ${isTunnelled ? "gRPC" : endpoint}`);
  };
  const join = (): Promise<void> => retried(provision, { say, failed: () => {}, most: 15_000 });
  await join();
  void watchOver(host, join);
}

/** Where Talos has it built in. What is there already, or built in here too, is refused a second time. */
async function loadWireguard({ machine }: Host): Promise<void> {
  const order = Buffer.from((await machine.read("/run/modules/order")) ?? []).toString();
  for (const name of order.split("\n").filter((each) => each !== ""))
    await machine.run("/run/busybox", ["insmod", `/run/modules/${name}.ko`]);
}

/** A server that has forgotten the machine, or has moved, is asked anew. */
async function watchOver({ machine, say }: Host, join: () => Promise<void>): Promise<never> {
  for (let since = Date.now(); ; await setTimeout(LOOK)) {
    const { output } = await machine.run("/run/bin/wg", ["show", NAME, "latest-handshakes"]);
    const last = Number(/\t(\d+)\s*$/.exec(output)?.[1] ?? 0) * 1000;
    if (Date.now() - Math.max(last, since) < DEAD) continue;
    say("siderolink: the other end is not heard any more, provisioning again");
    await join();
    since = Date.now();
  }
}

/** Of `[address]:port`. */
function addressIn(text: string): string {
  return /^\[?(.*?)\]?:\d+$/.exec(text)?.[1] ?? text;
}

let relayed = 0;

/** WireGuard's datagrams to and from a gRPC stream. Made again when it breaks, until another one takes its place. */
async function relay({ say }: Host, baseUrl: string, address: string): Promise<void> {
  const own = ++relayed;
  const socket = createSocket("udp4");
  const outgoing: Uint8Array[] = [];
  let wake = Promise.withResolvers<void>();
  let kernel: { port: number } | undefined;
  socket.on("message", (packet, from) => {
    kernel = from;
    if (outgoing.length < 1000) outgoing.push(new Uint8Array(packet));
    wake.resolve();
  });
  await new Promise<void>((resolve) => void socket.bind(RELAY, "127.0.0.1", resolve)).catch(() => undefined);
  const client = createClient(WireGuardOverGRPCService, createGrpcTransport({ baseUrl }));
  async function* packets(): AsyncGenerator<{ Data: Uint8Array }> {
    while (own === relayed) {
      for (let packet = outgoing.shift(); packet !== undefined; packet = outgoing.shift()) yield { Data: packet };
      await wake.promise;
      wake = Promise.withResolvers<void>();
    }
  }
  while (own === relayed) {
    try {
      const stream = client.createStream(packets(), { headers: { "x-siderolink-ipv6-addr": address } });
      for await (const { Data } of stream) if (kernel !== undefined) socket.send(Data, kernel.port, "127.0.0.1");
    } catch (error) {
      say(`siderolink: the stream has broken: ${problemOf(error)}`);
    }
    await setTimeout(1_000);
  }
  socket.close();
}

/** X25519 (RFC 7748) in base64, as WireGuard has its keys. */
function generateKeys(): { readonly secret: string; readonly open: string } {
  const { d, x } = generateKeyPairSync("x25519").privateKey.export({ format: "jwk" });
  const base64 = (text = ""): string => Buffer.from(text, "base64url").toString("base64");
  return { secret: base64(d), open: base64(x) };
}
