import assert from "node:assert/strict";
import { test } from "node:test";
import { describe, type Description } from "../../lab/description.ts";
import { qemuArguments } from "../../lab/qemu.ts";

const place = { taps: ["tap0", "tap1"], disks: ["/rack/disk,0"], variables: "/rack/variables", accelerator: ["-accel", "tcg"] };

/** The values of an option, in order. */
function valuesOf(option: string, parts: Partial<Description> = {}): string[] {
  const args = qemuArguments(describe(7, parts), place);
  return args.flatMap((arg, index) => (arg === option ? [args[index + 1]!] : []));
}

test("a machine says who it is by SMBIOS", () => {
  const [system] = valuesOf("-smbios", { serial: "A,B" });
  assert.match(system!, /uuid=4c4c4544-0000-4070-8000-525400000007/);
  assert.match(system!, /serial=A,,B,/, "QEMU's syntax doubles commas");
  const { uuid: _, ...anonymous } = describe(7);
  assert.doesNotMatch(qemuArguments(anonymous, place).join(" "), /uuid=/);
});

test("BIOS boots by the NIC's option ROM, UEFI by its own client", () => {
  const nic = (firmware: Description["firmware"]): string =>
    valuesOf("-device", { firmware }).find((value) => value.startsWith("virtio-net"))!;
  assert.doesNotMatch(nic("bios"), /romfile/);
  assert.match(nic("uefi"), /romfile=$/);
  assert.deepEqual(valuesOf("-fw_cfg", { firmware: "uefi" }), []);
  assert.equal(valuesOf("-fw_cfg", { firmware: "uefi-http" }).length, 2, "PXE is off for IPv4 and IPv6");
});

test("NICs come before disks, each with its tap", () => {
  const nics = [1, 2].map((index) => ({ model: "e1000e" as const, mac: `52:54:00:00:0${index}:07`, cabled: true }));
  assert.deepEqual(
    valuesOf("-netdev", { nics }).map((value) => /ifname=(\w+)/.exec(value)![1]),
    ["tap0", "tap1"],
  );
  const order = valuesOf("-device", { nics }).flatMap((value) => /bootindex=(\d)/.exec(value)?.[1] ?? []);
  assert.deepEqual(order, ["1", "2", "3"]);
  assert.ok(valuesOf("-drive", { nics })[0]!.includes("file=/rack/disk,,0"));
});
