/**
 * The image boots in QEMU and reports what QEMU was told to have; the same sources make the same bytes. Direct boot of the kernel, user-mode
 * network, a server that is not ours.
 */
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import type { Socket } from "node:dgram";
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { create } from "@bufbuild/protobuf";
import type { CreateServerRequest } from "#proto/api_pb.js";
import { OrderSchema } from "#proto/sidero/agent/v1/machine_pb.js";
import { encode } from "#wire/lldp/encode.ts";
import { createForeignServer, listen } from "../agent/foreign-server.ts";
import type { ForeignServer } from "../agent/foreign-server.ts";

const PROJECT = new URL("../..", import.meta.url).pathname;
const MIB = 1024 * 1024;
/** Milliseconds: an emulated machine beside seven others. */
const PATIENCE = 180_000;
const MAC = "52:54:00:aa:00:01";
const UUID = "4c4c4544-0000-2010-8020-80c04f202020";

let out = "";

before(async () => {
  out = mkdtempSync(`${tmpdir()}/sidero-image-`);
  await buildImage(out);
});
after(() => rmSync(out, { recursive: true, force: true }));

async function buildImage(target: string, env: NodeJS.ProcessEnv = {}): Promise<void> {
  await promisify(execFile)(`${PROJECT}tools/image.sh`, [target], { timeout: 600_000, env: { ...process.env, ...env } });
}

interface Machine {
  readonly console: () => string;
  /** Resolves to the exit code when it switches itself off, or is reset: QEMU runs with -no-reboot. */
  readonly ended: Promise<number | null>;
  kill(): void;
}

function boot(memory: number, append: string, devices: readonly string[] = []): Machine {
  const args = [
    "-nodefaults -display none -serial stdio -no-reboot -machine q35 -cpu max -accel tcg,tb-size=256".split(" "),
    ["-m", String(memory), "-kernel", `${out}/vmlinuz-amd64`, "-initrd", `${out}/initramfs-amd64`],
    ["-netdev", "user,id=n0", "-device", `virtio-net-pci,netdev=n0,mac=${MAC}`],
    ["-append", `console=ttyS0 panic=-1 no_timer_check quiet sidero.mac=${MAC} ${append}`],
    devices,
  ].flat();
  const qemu = spawn("qemu-system-x86_64", args, { stdio: ["ignore", "pipe", "pipe"] });
  const pieces: string[] = [];
  for (const stream of [qemu.stdout, qemu.stderr]) stream.on("data", (piece: Buffer) => pieces.push(piece.toString("latin1")));
  const ended = new Promise<number | null>((resolve) => {
    qemu.on("exit", resolve);
    qemu.on("error", () => resolve(null));
  });
  return { console: () => pieces.join(""), ended, kill: () => void qemu.kill("SIGKILL") };
}

/** Boots against a server and gives both to `use`; the console comes with any failure. */
async function withMachine(
  server: ForeignServer,
  options: {
    readonly memory: number;
    /** Where the server is, as the machine and as this host see it. */
    readonly hosts?: readonly [machine: string, host: string];
    readonly append?: string;
    readonly devices?: readonly string[];
  },
  use: (machine: Machine) => Promise<void>,
): Promise<void> {
  const [seen, host] = options.hosts ?? ["10.0.2.2", "127.0.0.1"];
  const { port, close } = await listen(server, host);
  const append = `sidero.endpoint=${seen}:${port} sidero.token=t0ken ${options.append ?? ""}`;
  const machine = boot(options.memory, append, options.devices);
  try {
    await use(machine);
  } catch (cause) {
    throw new Error(`${String(cause)}\n--- console ---\n${machine.console().slice(-4000)}`, { cause });
  } finally {
    machine.kill();
    await close();
  }
}

/** The other end of a network cable: QEMU sends and takes Ethernet frames in datagrams. A switch speaks there every second. */
async function openCable(): Promise<{ readonly port: number; readonly peer: number; close(): void }> {
  const [socket, other] = [createSocket("udp4"), createSocket("udp4")];
  const bind = (each: Socket): Promise<number> =>
    new Promise((resolve) => each.bind(0, "127.0.0.1", () => resolve(each.address().port)));
  const [port, peer] = [await bind(socket), await bind(other)];
  other.close();
  const frame = encode(
    { chassis: "00:1b:21:aa:bb:cc", port: "Ethernet1/7", timeToLive: 120, systemName: "leaf-4a", vlan: 42 },
    "00:1b:21:aa:bb:01",
  );
  const timer = setInterval(() => socket.send(frame, peer, "127.0.0.1"), 1000);
  socket.on("error", () => {});
  const close = (): void => {
    clearInterval(timer);
    socket.close();
  };
  return { port, peer, close };
}

function neighbourOf(registration: CreateServerRequest | undefined) {
  return registration?.hardware?.network?.interfaces.find(({ driver }) => driver === "e1000e")?.lldp;
}

test("it is small", () => {
  const manifest = JSON.parse(readFileSync(`${out}/manifest-amd64.json`, "utf8")) as { files: Record<string, { size: number }> };
  assert.ok(manifest.files["initramfs-amd64"]!.size < 34 * MIB, JSON.stringify(manifest.files));
  assert.ok(manifest.files["vmlinuz-amd64"]!.size < 10 * MIB);
});

test("a machine with disks on every bus registers and switches itself off when told to", async (context) => {
  const server = createForeignServer();
  const started = performance.now();
  const disk = (name: string, gibibytes: number): string[] => {
    writeFileSync(`${out}/${name}`, "");
    truncateSync(`${out}/${name}`, gibibytes * 1024 * MIB);
    return ["-drive", `if=none,id=${name},file=${out}/${name},format=raw`];
  };
  const cable = await openCable();
  context.after(() => cable.close());
  const devices = [
    ["-smbios", `type=1,manufacturer=Lab,product=Node,serial=LAB0001,uuid=${UUID}`],
    [...disk("d0", 1), "-device", "virtio-blk-pci,drive=d0,serial=VIRT0"],
    [...disk("d1", 2), "-device", "ide-hd,drive=d1,bus=ide.0,serial=SATA1,rotation_rate=7200"],
    [...disk("d2", 3), "-device", "nvme,drive=d2,serial=NVME2"],
    ["-netdev", `socket,id=n1,udp=127.0.0.1:${cable.port},localaddr=127.0.0.1:${cable.peer}`],
    ["-device", "e1000e,netdev=n1,mac=52:54:00:aa:00:02"],
  ].flat();
  await withMachine(server, { memory: 384, devices }, async (machine) => {
    await server.until(({ hellos }) => hellos.length > 0, PATIENCE);
    context.diagnostic(`first gRPC answer after ${((performance.now() - started) / 1000).toFixed(1)} s`);
    await server.until(({ addresses }) => addresses.length > 0, PATIENCE);
    const { hardware } = server.registrations[0]!;
    assert.deepEqual([...server.tokens], ["Bearer t0ken"]);
    assert.deepEqual([hardware!.system!.uuid, hardware!.system!.serialNumber], [UUID, "LAB0001"]);
    const disks = hardware!.storage!.devices.map(({ name, serial, size }) => `${name} ${serial} ${size / 2n ** 30n}`);
    assert.deepEqual(disks, ["nvme0n1 NVME2 3", "sda SATA1 2", "vda VIRT0 1"], "all are there the first time");
    const macs = hardware!.network!.interfaces.map(({ mac, driver }) => `${mac} ${driver}`).toSorted();
    assert.deepEqual(macs, [`${MAC} virtio_net`, "52:54:00:aa:00:02 e1000e"]);
    assert.match(hardware!.network!.interfaces.find(({ driver }) => driver === "e1000e")!.model, /82574L/);
    assert.deepEqual(
      server.addresses[0]!.address.filter(({ address }) => address.includes(".")).map(({ address }) => address),
      ["10.0.2.15"],
    );
    await server.until(({ registrations }) => neighbourOf(registrations.at(-1)) !== undefined, PATIENCE);
    const { systemName, port, vlan } = neighbourOf(server.registrations.at(-1))!;
    assert.deepEqual([systemName, port, vlan], ["leaf-4a", "Ethernet1/7", 42], "the switch at the other end of the second cable");
    server.send(create(OrderSchema, { id: "o1", kind: { case: "powerOff", value: {} } }));
    assert.equal(await machine.ended, 0);
    assert.equal(server.steps.at(-1)?.order, "o1");
    assert.ok(
      server.lines.some((line) => line.includes("network: eth")),
      server.lines.join("\n"),
    );
  });
});

test("a static address, and upstream's server: it reports and reboots; 208 MiB will do", async () => {
  const server = createForeignServer({ upstream: true });
  const append = "ip=10.0.2.77::10.0.2.2:255.255.255.0:node7::off ipv6.disable=1";
  await withMachine(server, { memory: 208, append }, async (machine) => {
    await server.until(({ addresses }) => addresses.length > 0, PATIENCE);
    assert.deepEqual(
      server.addresses[0]!.address.map(({ address }) => address),
      ["10.0.2.77"],
    );
    assert.equal(server.registrations[0]!.hostname, "node7");
    assert.equal(await machine.ended, 0, "with -no-reboot a reboot ends QEMU");
    assert.match(machine.console(), /rebooting in 1 s/);
  });
});

test("IPv6 alone, by what a router advertises", async () => {
  const server = createForeignServer();
  await withMachine(server, { memory: 256, hosts: ["[fec0::2]", "::1"], append: "ip=auto6" }, async () => {
    await server.until(({ addresses }) => addresses.length > 0, PATIENCE);
    assert.deepEqual(
      server.addresses[0]!.address.map(({ address }) => address),
      ["fec0::5054:ff:feaa:1"],
    );
  });
});

test("the same sources make the same bytes, from nothing", async () => {
  const again = mkdtempSync(`${tmpdir()}/sidero-image-`);
  try {
    // A cache of its own has no compressed system yet; what was fetched is fetched again.
    await buildImage(`${again}/out`, { XDG_CACHE_HOME: `${again}/cache` });
    assert.deepEqual(
      readFileSync(`${again}/out/manifest-amd64.json`, "utf8"),
      readFileSync(`${out}/manifest-amd64.json`, "utf8"),
    );
  } finally {
    rmSync(again, { recursive: true, force: true });
  }
});
