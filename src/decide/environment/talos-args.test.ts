import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultEnvironmentSpec } from "./default.ts";
import { parseTalosVersion, talosArgs, talosConsoles } from "./talos-args.ts";

const args = (minor: number, major = 1): string => talosArgs({ major, minor }).toSorted().join(" ");
const ALL = ["talos.platform=metal", "slab_nomerge", "pti=on", "consoleblank=0", "printk.devkmsg=on"];
const IMA = ["ima_template=ima-ng", "ima_appraise=fix", "ima_hash=sha512"];
const TO_113 = ["init_on_alloc=1", "nvme_core.io_timeout=4294967295"];
const sorted = (...parts: string[][]): string => parts.flat().toSorted().join(" ");

test("the arguments of every Talos are those of the table", () => {
  assert.equal(args(7), sorted(ALL, TO_113, IMA));
  assert.equal(args(9), sorted(ALL, TO_113, IMA));
  assert.equal(args(10), sorted(ALL, TO_113, IMA, ["selinux=1"]));
  assert.equal(args(11), sorted(ALL, TO_113, ["selinux=1"]));
  assert.equal(args(12), sorted(ALL, TO_113, ["selinux=1", "module.sig_enforce=1"]));
  assert.equal(args(13), sorted(ALL, TO_113, ["selinux=1", "module.sig_enforce=1", "proc_mem.force_override=never"]));
  assert.equal(args(14), sorted(ALL, ["selinux=1", "module.sig_enforce=1", "proc_mem.force_override=never"]));
  assert.equal(args(0, 2), args(14));
  assert.equal(args(14, 0), args(0));
});

test("what Talos refuses to boot without is always there", () => {
  for (let minor = 0; minor < 30; minor++) {
    assert.ok(["slab_nomerge", "pti=on", "talos.platform=metal"].every((arg) => talosArgs({ major: 1, minor }).includes(arg)));
  }
});

test("consoles", () => {
  assert.deepEqual(talosConsoles({ major: 1, minor: 7 }, "amd64"), ["console=ttyS0", "console=tty0"]);
  assert.deepEqual(talosConsoles({ major: 1, minor: 8 }, "amd64"), ["console=tty0"]);
  for (const minor of [6, 13]) {
    assert.deepEqual(talosConsoles({ major: 1, minor }, "arm64"), ["console=ttyAMA0", "console=tty0"]);
  }
});

test("versions", () => {
  assert.deepEqual(parseTalosVersion("v1.13.9"), { major: 1, minor: 13 });
  assert.deepEqual(parseTalosVersion("1.14.0-rc.1"), { major: 1, minor: 14 });
  for (const text of ["", "v1", "v1.13", "v1.13.x", "v1.13.9 x", "latest"])
    assert.equal(parseTalosVersion(text), undefined, text);
});

test("the default Environment is upstream's, and has files for arm64", () => {
  const { kernel, initrd, arm64 } = defaultEnvironmentSpec("v1.13.0");
  const base = "https://github.com/siderolabs/talos/releases/download/v1.13.0";
  assert.equal(kernel?.url, `${base}/vmlinuz-amd64`);
  assert.equal(initrd?.url, `${base}/initramfs-amd64.xz`);
  assert.equal(arm64?.kernel?.url, `${base}/vmlinuz-arm64`);
  assert.equal(arm64?.initrd?.url, `${base}/initramfs-arm64.xz`);
  assert.deepEqual(kernel?.args, [
    "console=tty0",
    "console=ttyS0",
    "consoleblank=0",
    "earlyprintk=ttyS0",
    "init_on_alloc=1",
    "initrd=initramfs.xz",
    "module.sig_enforce=1",
    "nvme_core.io_timeout=4294967295",
    "printk.devkmsg=on",
    "proc_mem.force_override=never",
    "pti=on",
    "selinux=1",
    "slab_nomerge",
    "talos.platform=metal",
  ]);
  const common = (kernel?.args ?? []).filter((arg) => !arg.endsWith("ttyS0"));
  assert.deepEqual(arm64?.kernel?.args, [...common, "console=ttyAMA0"].toSorted());
});
