/** LLDP with Debian's lldpd at the other end of a cable, and tshark's reading of what we write. */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { silent } from "#io/log.ts";
import { createMemoryMachine } from "#io/memory/machine.ts";
import { systemClock } from "#io/node/clock.ts";
import { openPackets } from "#io/node/packet.ts";
import { listenToNeighbours } from "#agent/steps/neighbours.ts";
import { encode } from "#wire/lldp/encode.ts";
import { locateTshark } from "../peers/locate.ts";

const PROJECT = new URL("../..", import.meta.url).pathname;
const NAMESPACE = "sidero-lldp";
const OURS = "sidlldp0";

/** The user that lldpd wants to become and its folder exist in its mount namespace only. */
const START = `mount -t tmpfs run /run && mkdir /run/lldpd
cp /etc/passwd /run/passwd && echo "_lldpd:x:990:990::/run/lldpd:/bin/false" >>/run/passwd && mount --bind /run/passwd /etc/passwd
cp /etc/group /run/group && echo "_lldpd:x:990:" >>/run/group && mount --bind /run/group /etc/group
exec "$0" -d -L "$(dirname "$0")/lldpcli" -I cable -m 10.9.8.7 -S "a switch" -O /dev/null -u /run/lldpd.socket`;

const ip = (...args: string[]): void => void execFileSync("ip", args);

test("a neighbour that is not ours is heard", async () => {
  const lldpd = execFileSync(`${PROJECT}tools/lldpd.sh`, { encoding: "utf8" }).trim();
  const root = lldpd.replace(/\/usr\/sbin\/lldpd$/, "");
  ip("netns", "add", NAMESPACE);
  const over = new AbortController();
  let peer: ReturnType<typeof spawn> | undefined;
  let said = "";
  try {
    ip("link", "add", OURS, "type", "veth", "peer", "name", "cable", "netns", NAMESPACE);
    ip("link", "set", OURS, "up");
    ip("-n", NAMESPACE, "link", "set", "cable", "up");
    const libraries = `${root}/usr/lib/x86_64-linux-gnu:${root}/lib/x86_64-linux-gnu`;
    peer = spawn("ip", ["netns", "exec", NAMESPACE, "unshare", "-m", "sh", "-c", START, lldpd], {
      env: { ...process.env, LD_LIBRARY_PATH: libraries },
    });
    for (const stream of [peer.stdout, peer.stderr]) stream?.on("data", (text: Buffer) => (said += text.toString()));
    const index = readFileSync(`/sys/class/net/${OURS}/ifindex`, "utf8");
    const machine = createMemoryMachine({ [`/sys/class/net/${OURS}/ifindex`]: index, "/sys/devices/cable/vendor": "" });
    machine.links.set(`/sys/class/net/${OURS}/device`, "/sys/devices/cable");
    const { neighbours } = listenToNeighbours({
      machine,
      clock: systemClock,
      log: silent,
      open: openPackets,
      signal: over.signal,
    });
    for (let waited = 0; waited < 300 && !neighbours.has(OURS); waited++)
      await new Promise((resolve) => setTimeout(resolve, 100));
    const neighbour = neighbours.get(OURS);
    assert.ok(neighbour !== undefined, said);
    const { port, portDescription, systemName, managementAddress, chassis } = neighbour;
    assert.match(port ?? "", /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/, "lldpd names a port by its MAC address");
    assert.match(chassis ?? "", /./);
    assert.equal(portDescription, "cable");
    assert.equal(managementAddress, "10.9.8.7");
    assert.match(systemName ?? "", /./);
  } finally {
    over.abort(new Error("done"));
    peer?.kill("SIGTERM");
    ip("netns", "del", NAMESPACE);
  }
});

/** A capture file of one Ethernet frame (pcap, link type 1). */
function pcapOf(frame: Uint8Array): Buffer {
  const header = Buffer.from("d4c3b2a1020004000000000000000000ffff000001000000", "hex");
  const record = Buffer.alloc(16);
  record.writeUInt32LE(frame.length, 8);
  record.writeUInt32LE(frame.length, 12);
  return Buffer.concat([header, record, frame]);
}

test("tshark reads what we write as we do", () => {
  const folder = mkdtempSync(`${tmpdir()}/sidero-lldp-`);
  const names = { managementAddress: "10.0.0.4", vlan: 42, portDescription: "rack 4", systemName: "leaf-4a" };
  const frame = encode({ chassis: "00:1b:21:aa:bb:cc", port: "Ethernet1/7", timeToLive: 120, ...names }, "00:1b:21:aa:bb:01");
  const fields = [
    "_ws.malformed",
    "chassis.id.mac",
    "port.id",
    "time_to_live",
    "tlv.system.name",
    "port.desc",
    "mgn.addr.ip4",
    "ieee.802_1.port_vlan.id",
  ];
  try {
    writeFileSync(`${folder}/lldp.pcap`, pcapOf(frame));
    const wanted = fields.flatMap((field) => ["-e", field.startsWith("_") ? field : `lldp.${field}`]);
    const seen = execFileSync(locateTshark(), ["-r", `${folder}/lldp.pcap`, "-n", "-T", "fields", ...wanted], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    const cells = seen.replace("\n", "").split("\t");
    assert.deepEqual(cells, ["", "00:1b:21:aa:bb:cc", "Ethernet1/7", "120", "leaf-4a", "rack 4", "10.0.0.4", "42"]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
