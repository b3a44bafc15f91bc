/**
 * What Talos does to join: `machine.ts SERVER UUID TOKEN NAME` makes a key, provisions (with connect's own gRPC client, which is none of ours), brings WireGuard up on the interface NAME by `wg`, and tells
 * an event through the tunnel on SIGUSR2. Prints what it gets as lines of JSON.
 */
import { execFileSync } from "node:child_process";
import { create, toBinary } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { EventSinkService } from "#proto/siderolink/events_pb.js";
import { SequenceEventSchema } from "#proto/siderolink/machine_events_pb.js";
import { ProvisionService } from "#proto/siderolink/provision_pb.js";
import { start } from "../peers/process.ts";

const [server = "", uuid = "", token = "", name = "wg0"] = process.argv.slice(2);
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
  const [endpoint = ""] = answer.serverEndpoint;
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
  setInterval(() => {}, 1000);
} catch (error) {
  say({ failed: String(error) });
  process.exit(1);
}
