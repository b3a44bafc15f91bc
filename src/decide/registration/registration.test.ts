import assert from "node:assert/strict";
import { test } from "node:test";
import type { HardwareInformation } from "#kinds/metal/v1alpha2/hardware.ts";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import { addressProblem, addressesAfter, networksOf } from "./address.ts";
import { changesOf } from "./change.ts";
import { wipeOrderOf } from "./wipe.ts";

const base: HardwareInformation = {
  system: { uuid: "A", productName: "R640", serialNumber: "S1" },
  compute: { processorCount: 2, totalCoreCount: 32, processors: [{ productName: "EPYC" }, { productName: "EPYC" }] },
  memory: {
    totalSize: "64 GB",
    modules: [
      { slot: "A1", size: 32_768, serialNumber: "M1" },
      { slot: "A2", size: 32_768, serialNumber: "M2" },
    ],
  },
  storage: {
    devices: [
      { name: "sda", serialNumber: "D1", productName: "PM983" },
      { name: "sdb", wwid: "naa.2" },
    ],
  },
  network: { interfaces: [{ name: "eth0", mac: "52:54:00:12:34:56", lldp: { systemName: "leaf1", port: "7" } }] },
  firmware: { version: "1.0", bootMode: "uefi", secureBoot: false },
  tpm: { present: true, version: "2.0" },
  agentVersion: "0.1.0",
};

const CASES: [name: string, after: Partial<HardwareInformation>, changes: string[]][] = [
  ["nothing", {}, []],
  ["what is not reported", { storage: undefined as never, tpm: undefined as never, compute: {} }, []],
  [
    "memory taken out",
    { memory: { totalSize: "32 GB", modules: [{ slot: "A1", serialNumber: "M1" }] } },
    ["memory 64 GB → 32 GB", "memory module A2 gone"],
  ],
  [
    "a disk renamed and one replaced",
    {
      storage: {
        devices: [
          { name: "sdb", serialNumber: "D1" },
          { name: "sda", wwid: "naa.3", productName: "New" },
        ],
      },
    },
    ["disk sda (New) new", "disk sdb gone"],
  ],
  [
    "many disks",
    { storage: { devices: [...base.storage!.devices!, ...Array.from({ length: 5 }, (_, i) => ({ name: `n${i}` }))] } },
    ["5 disks new"],
  ],
  [
    "a cable moved",
    { network: { interfaces: [{ name: "eth0", mac: "52:54:00:12:34:56", lldp: { systemName: "leaf2", port: "7" } }] } },
    ["eth0 at leaf1 port 7 → leaf2 port 7"],
  ],
  [
    "a network card replaced",
    { network: { interfaces: [{ name: "eth0", mac: "52:54:00:00:00:01" }] } },
    ["interface eth0 (52:54:00:00:00:01) new", "interface eth0 (52:54:00:12:34:56) gone"],
  ],
  [
    "firmware set up anew",
    { firmware: { version: "1.1", bootMode: "bios" }, tpm: { present: false } },
    ["firmware 1.0 → 1.1", "boot mode uefi → bios", "TPM 2.0 → none"],
  ],
  ["a GPU", { gpus: [{ productName: "H100", pciAddress: "0000:01:00.0" }] }, ["GPU H100 new"]],
  ["another kernel and agent", { kernelVersion: "6.2", agentVersion: "0.2.0" }, []],
];

for (const [name, after, changes] of CASES) {
  test(`change: ${name}`, () => assert.deepEqual(changesOf(base, { ...base, ...after }), changes));
}

test("to learn more of a machine than was on record is no change", () => {
  assert.deepEqual(changesOf({}, base), []);
  assert.deepEqual(changesOf({ system: { uuid: "a" } }, base), []);
});

test("addresses: types that are reported are replaced, what nobody can use is left out", () => {
  const current = [
    { type: "Hostname", address: "n" },
    { type: "InternalIP", address: "10.0.0.1" },
  ];
  const ip = (address: string) => ({ type: "InternalIP", address });
  const after = (...reported: string[]) => addressesAfter(current, reported.map(ip), networksOf(["10.244.3.1/16", "nonsense"]));
  assert.deepEqual(after("10.0.0.2", "10.244.7.7", "::1", "fe80::1", "224.0.0.1", "0.0.0.0"), [current[0], ip("10.0.0.2")]);
  assert.equal(after("10.0.0.1"), current);
  assert.equal(after("10.0.0.1", "10.0.0.1"), current);
  assert.equal(after("127.0.0.1"), current, "nothing usable is no reason to forget");
  assert.equal(after(), current);
});

test("addresses are checked", () => {
  assert.equal(addressProblem({ type: "InternalIP", address: "fd00::1" }), undefined);
  assert.equal(addressProblem({ type: "Hostname", address: "node-1.example" }), undefined);
  for (const [type, address] of [
    ["InternalIP", "10.0.0"],
    ["Hostname", "a b"],
    ["InternalDNS", ""],
    ["Weird", "10.0.0.1"],
  ]) {
    assert.notEqual(addressProblem({ type: type!, address: address! }), undefined, `${type} ${address}`);
  }
});

test("a wipe needs an order, and a machine that is accepted and free", () => {
  const server = (spec: object, status: object, metadata: object = {}): Server =>
    ({ apiVersion: "metal.sidero.dev/v1alpha2", kind: "Server", metadata: { name: "a", ...metadata }, spec, status }) as Server;
  const wipe = { id: "w", reason: "r", by: "acceptance", orderedAt: "2030-01-01T00:00:00Z", state: "ordered" };
  assert.deepEqual(wipeOrderOf(server({ accepted: true }, { wipe }), undefined), wipe);
  assert.equal(wipeOrderOf(server({ accepted: true }, { isClean: false }), undefined), undefined);
  assert.equal(wipeOrderOf(server({ accepted: false }, { wipe }), undefined), undefined);
  assert.equal(wipeOrderOf(server({ accepted: true }, { wipe, inUse: true }), undefined), undefined);
  assert.equal(
    wipeOrderOf(server({ accepted: true }, { wipe }, { deletionTimestamp: "2030-01-01T00:00:00Z" }), undefined),
    undefined,
  );
  assert.equal(wipeOrderOf(server({ accepted: true }, { wipe }), { metadata: { name: "a" } } as never), undefined);
});
