/**
 * What Talos does to join: `machine.ts SERVER UUID TOKEN NAME [grpc]` makes a key, provisions (with connect's own gRPC client, which is none of ours), brings WireGuard up on the interface NAME by `wg`, and tells
 * an event through the tunnel on SIGUSR2, and two lines of its kernel's log on SIGHUP: by TCP and by UDP. Prints what it gets as lines of JSON.
 */
import { execFileSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { connect } from "node:net";
import { on, once } from "node:events";
import { create, toBinary } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { EventSinkService } from "#proto/siderolink/events_pb.js";
import { SequenceEventSchema } from "#proto/siderolink/machine_events_pb.js";
import { ProvisionService } from "#proto/siderolink/provision_pb.js";
import { WireGuardOverGRPCService } from "#proto/siderolink/wireguard_pb.js";
import { start } from "../peers/process.ts";

const [server = "", uuid = "", token = "", name = "wg0", by = "udp"] = process.argv.slice(2);
const say = (what: unknown): void => console.log(JSON.stringify(what));
const run = (program: string, args: string[], input = ""): string => execFileSync(program, args, { encoding: "utf8", input });

const key = run("wg", ["genkey"]).trim();
const publicKey = run("wg", ["pubkey"], key).trim();
const provision = createClient(ProvisionService, createGrpcTransport({ baseUrl: `http://${server}:8081` }));
try {
  const answer = await provision.provision({
    nodeUuid: uuid,
    nodePublicKey: publicKey,
    ...(token !== "" && { joinToken: token }),
    talosVersion: "v1.13.4",
    wireguardOverGrpc: by === "grpc",
  });
  // A kernel without WireGuard; the process goes with this one.
  start("setpriv", ["--pdeathsig", "TERM", "wireguard-go", "-f", name], { WG_PROCESS_FOREGROUND: "1" });
  for (let tries = 0; tries < 100; tries++) {
    try {
      run("wg", ["show", name]);
      break;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  const endpoint = by === "grpc" ? await overGrpc(answer.grpcPeerAddrPort) : (answer.serverEndpoint[0] ?? "");
  const peer = [
    "[Peer]",
    `PublicKey = ${answer.serverPublicKey}`,
    `AllowedIPs = ${answer.serverAddress}/128`,
    `Endpoint = ${endpoint}`,
  ];
  run(
    "sh",
    ["-c", 'cat | wg setconf "$0" /dev/stdin', name],
    [`[Interface]`, `PrivateKey = ${key}`, ...peer, "PersistentKeepalive = 25", ""].join("\n"),
  );
  run("ip", ["address", "add", answer.nodeAddressPrefix, "dev", name, "nodad"]);
  run("ip", ["link", "set", name, "mtu", "1280", "up"]);
  say({ joined: answer.nodeAddressPrefix.split("/")[0], server: answer.serverAddress, publicKey });
  const sink = createClient(EventSinkService, createGrpcTransport({ baseUrl: `http://[${answer.serverAddress}]:4002` }));
  process.on("SIGUSR2", async () => {
    const value = toBinary(SequenceEventSchema, create(SequenceEventSchema, { sequence: "boot", action: 1 }));
    const data = { typeUrl: "type.googleapis.com/machine.SequenceEvent", value };
    await sink.publish({ id: "9m4e2mr0ui3e8a215n4g", data }, { timeoutMs: 10_000 });
    say({ published: "boot" });
  });
  process.on("SIGHUP", () => {
    const line = (msg: string): string =>
      `${JSON.stringify({ msg, facility: "kern", "talos-level": "info", "talos-time": "2026-01-02T03:04:05Z" })}\n`;
    connect(4001, answer.serverAddress).end(line("by TCP"));
    createSocket("udp6").send(line("by UDP"), 4001, answer.serverAddress, () => say({ logged: 2 }));
  });
  setInterval(() => {}, 1000);
} catch (error) {
  say({ failed: String(error) });
  process.exit(1);
}

/** What Talos has in its kernel's place: datagrams of the local WireGuard go by a stream. Resolves to where WireGuard sends them. */
async function overGrpc(peer: string): Promise<string> {
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  const client = createClient(WireGuardOverGRPCService, createGrpcTransport({ baseUrl: `http://${server}:8081` }));
  let from = 0;
  const out = async function* (): AsyncGenerator<{ Data: Uint8Array }, void> {
    for await (const [bytes, { port }] of on(socket, "message") as AsyncIterable<[Buffer, { port: number }]>) {
      from = port;
      yield { Data: bytes };
    }
  };
  const headers = { "x-siderolink-ipv6-addr": /^\[(.*)\]:50888$/.exec(peer)?.[1] ?? "" };
  void (async () => {
    for await (const { Data } of client.createStream(out(), { headers })) socket.send(Data, from, "127.0.0.1");
  })().catch((error: unknown) => say({ failed: String(error) }));
  return `127.0.0.1:${socket.address().port}`;
}
