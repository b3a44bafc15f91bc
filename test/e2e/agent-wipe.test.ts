/**
 * The agent's image wipes the disks of a QEMU machine by order of our server, and image files tell from outside what is left. QEMU's disks know discard,
 * write zeroes and NVMe's Format; ATA Security and every kind of Sanitize they do not know: those are proven by vectors of their commands and by scripted
 * disks (src/wire/…, src/agent/steps/wipe/erase.test.ts), not here.
 */
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import type { TestContext } from "node:test";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import type { WipedDisk, WipeOrder, WipePolicy } from "#kinds/metal/v1alpha2/server.ts";
import { accelerator } from "../../lab/accelerator.ts";
import { startApi } from "../agent/api-fixture.ts";
import { MIB, remainsOf, writeOldDisk } from "../agent/old-disk.ts";

const PROJECT = new URL("../..", import.meta.url).pathname;
const UUID = "4c4c4544-0000-2010-8020-80c04f202021";
const MAC = "52:54:00:aa:00:21";
const SIZE = 96 * MIB;
/** Milliseconds: an emulated machine beside seven others. */
const PATIENCE = 240_000;

let out = "";

before(async () => {
  out = mkdtempSync(`${tmpdir()}/sidero-wipe-`);
  await promisify(execFile)(`${PROJECT}tools/image.sh`, [out], { timeout: 600_000 });
});
after(() => rmSync(out, { recursive: true, force: true }));

const drive = (name: string, options = ""): string[] => [
  "-drive",
  `if=none,id=${name},file=${out}/${name},format=raw,discard=unmap${options}`,
];

/** Boots a machine with these devices against a server that has an order for it, until the order has ended. */
async function wipe(context: TestContext, policy: WipePolicy, devices: readonly (readonly string[])[]): Promise<WipeOrder> {
  const fixture = await startApi({ settings: { autoAccept: true, insecureWipe: true } });
  const { world } = fixture;
  // The machine lives in our time, and the server's clock goes as we say.
  let isPassing = true;
  const passing = (async () => {
    while (isPassing) {
      await world.pass(100);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();
  const servers = world.client.for(Server);
  await servers.create({ metadata: { name: UUID }, spec: { accepted: true, wipe: policy } });
  const order = { id: "w1", reason: "accepted", by: "acceptance", orderedAt: "2030-01-01T00:00:00Z", state: "ordered" } as const;
  await servers.patch(UUID, { status: { wipe: order } }, { subresource: "status" });
  const token = fixture.token({ uuid: UUID, mac: MAC });
  const args = [
    "-nodefaults -display none -serial stdio -no-reboot -machine q35 -cpu max -m 320".split(" "),
    await accelerator(),
    ["-smbios", `type=1,manufacturer=Lab,product=Node,serial=LAB0021,uuid=${UUID}`],
    ["-kernel", `${out}/vmlinuz-amd64`, "-initrd", `${out}/initramfs-amd64`],
    ["-netdev", "user,id=n0", "-device", `virtio-net-pci,netdev=n0,mac=${MAC}`],
    [
      "-append",
      `console=ttyS0 panic=-1 no_timer_check quiet sidero.mac=${MAC} sidero.endpoint=10.0.2.2:${fixture.port} sidero.token=${token}`,
    ],
    devices.flat(),
  ].flat();
  const started = performance.now();
  const qemu = spawn("qemu-system-x86_64", args, { stdio: ["ignore", "pipe", "pipe"] });
  const console: string[] = [];
  for (const stream of [qemu.stdout, qemu.stderr]) stream.on("data", (piece: Buffer) => console.push(piece.toString("latin1")));
  const gone = new Promise((resolve) => qemu.on("exit", resolve));
  try {
    for (;;) {
      const state = (await servers.get(UUID)).status?.wipe;
      if (state?.state === "done" || state?.state === "failed") {
        context.diagnostic(`${state.state} ${((performance.now() - started) / 1000).toFixed(1)} s after power-on`);
        return state;
      }
      assert.ok(performance.now() - started < PATIENCE, `not in time; ${JSON.stringify(state)}`);
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  } catch (cause) {
    throw new Error(`${String(cause)}\n--- console ---\n${console.join("").slice(-5000)}`, { cause });
  } finally {
    qemu.kill("SIGTERM");
    await gone;
    isPassing = false;
    await passing;
    await fixture.stop();
  }
}

const bySerialOf = ({ disks = [] }: WipeOrder): Map<string, WipedDisk> => new Map(disks.map((disk) => [disk.serial ?? "", disk]));
const lines = ({ disks = [] }: WipeOrder): string[] =>
  disks.map(({ name, state, method = "", verified, detail = "" }) => `${name} ${state} ${method} ${verified} ${detail}`);

test("fast: what can be found again is gone at both ends and in partitions; read-only and USB disks are as they were", async (context) => {
  for (const name of ["virtio", "sata", "nvme", "readonly", "stick"]) writeOldDisk(`${out}/${name}`, SIZE);
  const was = remainsOf(`${out}/sata`);
  assert.ok(was.sectors > 190_000 && was.marks.length === 20, JSON.stringify({ ...was }));
  assert.match(was.wipefs, /gpt/);
  const untouched = ["readonly", "stick"].map((name) => readFileSync(`${out}/${name}`));
  const order = await wipe(context, {}, [
    drive("virtio"),
    ["-device", "virtio-blk-pci,drive=virtio,serial=V0"],
    // It says that it cannot discard: a hard disk.
    ["-drive", `if=none,id=sata,file=${out}/sata,format=raw`],
    ["-device", "ide-hd,drive=sata,bus=ide.0,serial=S0,rotation_rate=7200,discard_granularity=0"],
    drive("nvme"),
    ["-device", "nvme,drive=nvme,serial=N0"],
    drive("readonly", ",readonly=on"),
    ["-device", "virtio-blk-pci,drive=readonly,serial=R0"],
    drive("stick"),
    ["-device", "qemu-xhci", "-device", "usb-storage,drive=stick,serial=U0"],
  ]);
  context.diagnostic(lines(order).join("\n"));
  assert.equal(order.state, "done", `${order.detail}`);
  const bySerial = bySerialOf(order);
  assert.deepEqual(
    ["V0", "S0", "N0"].map((serial) => [
      bySerial.get(serial)?.state,
      bySerial.get(serial)?.method,
      bySerial.get(serial)?.verified,
    ]),
    [
      ["done", "discard", true],
      ["done", "labels", true],
      ["done", "discard", true],
    ],
  );
  assert.equal(bySerial.get("R0")?.detail, "it is read-only");
  const stick = order.disks?.find(({ detail }) => detail === "it hangs on USB");
  assert.ok(stick === undefined || stick.state === "skipped", "USB may be slower than the order");
  assert.match(order.signature ?? "", /^ed25519:/);
  for (const name of ["virtio", "nvme"]) {
    assert.deepEqual(remainsOf(`${out}/${name}`), { sectors: 0, marks: [], wipefs: "" }, name);
  }
  const { sectors, marks, wipefs } = remainsOf(`${out}/sata`);
  assert.deepEqual([marks, wipefs], [[], ""]);
  assert.ok(
    sectors > 0 && /what lies between the labels is still there/.test(bySerial.get("S0")?.detail ?? ""),
    "and the record says so",
  );
  for (const [i, name] of ["readonly", "stick"].entries()) assert.ok(readFileSync(`${out}/${name}`).equals(untouched[i]!), name);
});

test("full: nothing is left anywhere; a disk with an error fails the order by its name; one that is kept is as it was", async (context) => {
  for (const name of ["virtio", "sata", "nvme", "bad", "kept"]) writeOldDisk(`${out}/${name}`, SIZE);
  const kept = readFileSync(`${out}/kept`);
  const order = await wipe(context, { mode: "full", keep: [{ serial: "K0" }] }, [
    drive("virtio"),
    ["-device", "virtio-blk-pci,drive=virtio,serial=V0"],
    drive("sata"),
    ["-device", "ide-hd,drive=sata,bus=ide.0,serial=S0"],
    drive("nvme"),
    ["-device", "nvme,drive=nvme,serial=N0"],
    ["-blockdev", `driver=file,node-name=badfile,filename=${out}/bad`],
    // One sector in the middle that cannot be written.
    [
      "-blockdev",
      JSON.stringify({
        driver: "blkdebug",
        "node-name": "bad",
        image: "badfile",
        "inject-error": ["write", "write-zeroes", "discard"].map((iotype) => ({
          event: "none",
          iotype,
          errno: 5,
          sector: 100_000,
          immediately: true,
        })),
      }),
    ],
    ["-device", "virtio-blk-pci,drive=bad,serial=B0"],
    drive("kept"),
    ["-device", "virtio-blk-pci,drive=kept,serial=K0"],
  ]);
  context.diagnostic(lines(order).join("\n"));
  assert.equal(order.state, "failed");
  const bySerial = bySerialOf(order);
  const bad = bySerial.get("B0")!;
  assert.equal(bad.state, "failed");
  assert.ok(order.detail?.startsWith(`${bad.name}: `), String(order.detail));
  assert.match(bad.detail ?? "", /the disk reports an error/);
  assert.equal(order.signature, undefined, "no record of what was not done");
  for (const [serial, name] of [
    ["V0", "virtio"],
    ["S0", "sata"],
    ["N0", "nvme"],
  ] as const) {
    const disk = bySerial.get(serial)!;
    assert.deepEqual([disk.state, disk.verified], ["done", true], `${disk.detail}`);
    assert.deepEqual(remainsOf(`${out}/${name}`), { sectors: 0, marks: [], wipefs: "" }, name);
    assert.ok(
      readFileSync(`${out}/${name}`).every((byte) => byte === 0),
      `${name}: zeros from end to end`,
    );
  }
  assert.match(bySerial.get("S0")?.detail ?? "", /neither sanitize nor security erase/, "QEMU's disk was asked, by SG_IO");
  assert.equal(bySerial.get("K0")?.detail, "spec.wipe.keep has it");
  assert.ok(readFileSync(`${out}/kept`).equals(kept));
});
