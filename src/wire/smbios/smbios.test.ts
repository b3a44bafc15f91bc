/** Tables of QEMU and tables built by hand, as dmidecode 3.4 read them (test/vectors/smbios/tables.json). */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fromHex } from "#std/bytes.ts";
import { Fault } from "#std/fault.ts";
import vectors from "../../../test/vectors/smbios/tables.json" with { type: "json" };
import { decode, structuresOf } from "./decode.ts";
import { decodeEntryPoint } from "./entry-point.ts";
import { isPlaceholder, uuidKind } from "./identity.ts";
import type { Smbios } from "./structure.ts";

interface Vector {
  readonly name: string;
  readonly entryPoint: string;
  readonly table: string;
  readonly dmidecode: readonly { readonly type: number; readonly fields: Readonly<Record<string, string | undefined>> }[];
}

const VECTORS: readonly Vector[] = vectors;

function read({ entryPoint, table }: Vector): Smbios {
  return decode(fromHex(entryPoint)!, fromHex(table)!);
}

function vector(name: string): Vector {
  return VECTORS.find((one) => one.name.includes(name))!;
}

const UNITS: Record<string, number> = { bytes: 1, kB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30, TB: 2 ** 40 };

/** dmidecode's words as values of ours: numbers without their unit, nothing where it knows nothing. */
function value(text: string | undefined): string | number | undefined {
  if (text === undefined || ["Unknown", "Not Specified", "Not Settable", "Not Present"].includes(text)) return undefined;
  const size = /^(\d+) (bytes|kB|MB|GB|TB)$/.exec(text);
  if (size !== null) return Number(size[1]) * UNITS[size[2]!]!;
  const speed = /^(\d+) (MHz|MT\/s)$/.exec(text);
  return speed === null ? text : Number(speed[1]);
}

/** dmidecode shows a second count as it is; 0 says unknown, 0xffff is reserved (§7.5.6). */
function count(text: string | undefined): number | undefined {
  return text === undefined || text === "0" || text === "65535" ? undefined : Number(text);
}

/** A text that dmidecode itself writes for "unknown" but here is in the table. */
const literal = (text: string | undefined): string | undefined => (text === "Not Specified" ? undefined : text);

for (const one of VECTORS) {
  test(`as dmidecode reads it: ${one.name}`, () => {
    const smbios = read(one);
    assert.equal(smbios.flaw, undefined);
    const said = (type: number): Readonly<Record<string, string | undefined>>[] =>
      one.dmidecode.filter((structure) => structure.type === type).map(({ fields }) => fields);

    for (const [i, fields] of said(0).entries()) {
      assert.equal(i, 0);
      const { vendor, version, releaseDate, romSize, revision } = smbios.bios!;
      assert.deepEqual(
        [vendor, version, releaseDate, romSize, revision],
        [fields["Vendor"], fields["Version"], fields["Release Date"], value(fields["ROM Size"]), fields["BIOS Revision"]],
      );
    }
    for (const fields of said(1)) {
      const { manufacturer, product, version, serial, uuid, sku, family } = smbios.system!;
      assert.deepEqual(
        [manufacturer, product, version, serial, sku, family],
        ["Manufacturer", "Product Name", "Version", "Serial Number", "SKU Number", "Family"].map((name) => literal(fields[name])),
      );
      if (fields["UUID"] === "Not Settable") assert.equal(uuidKind(uuid!), "absent");
      else assert.equal(uuid, fields["UUID"]);
    }
    assert.deepEqual(
      smbios.baseboards.map(({ manufacturer, product, version, serial, assetTag }) => [
        manufacturer,
        product,
        version,
        serial,
        assetTag,
      ]),
      said(2).map((fields) =>
        ["Manufacturer", "Product Name", "Version", "Serial Number", "Asset Tag"].map((name) => literal(fields[name])),
      ),
    );
    assert.deepEqual(
      smbios.chassis.map(({ manufacturer, version, serial, assetTag, sku }) => [manufacturer, version, serial, assetTag, sku]),
      said(3).map((fields) =>
        ["Manufacturer", "Version", "Serial Number", "Asset Tag", "SKU Number"].map((name) => literal(fields[name])),
      ),
    );
    assert.deepEqual(
      smbios.processors.map((cpu) => [
        [cpu.socket, cpu.manufacturer, cpu.version, cpu.serial, cpu.part],
        [cpu.maximumSpeed, cpu.currentSpeed, cpu.cores, cpu.enabledCores, cpu.threads, cpu.isPopulated],
      ]),
      said(4).map((fields) => [
        ["Socket Designation", "Manufacturer", "Version", "Serial Number", "Part Number"].map((name) => literal(fields[name])),
        [
          ...["Max Speed", "Current Speed"].map((name) => value(fields[name])),
          ...["Core Count", "Core Enabled", "Thread Count"].map((name) => count(fields[name])),
          fields["Status"] !== "Unpopulated",
        ],
      ]),
    );
    assert.deepEqual(
      smbios.memoryArrays.map((array) => [array.capacity, array.slots, array.hasErrorCorrection]),
      said(16).map((fields) => [
        value(fields["Maximum Capacity"]),
        Number(fields["Number Of Devices"]),
        fields["Error Correction Type"] !== "None",
      ]),
    );
    assert.equal(smbios.memoryDevices.length, said(17).length);
    for (const [i, fields] of said(17).entries()) {
      const device = smbios.memoryDevices[i]!;
      const { locator, bank, formFactor, type } = device;
      assert.deepEqual(
        [locator, bank, formFactor, type],
        ["Locator", "Bank Locator", "Form Factor", "Type"].map((name) => value(fields[name])),
      );
      assert.equal(device.size, fields["Size"] === "No Module Installed" ? 0 : value(fields["Size"]));
      // Of an empty slot dmidecode shows no more.
      if (device.size === 0) continue;
      const { speed, configuredSpeed, manufacturer, serial, assetTag, part } = device;
      assert.deepEqual(
        [speed, configuredSpeed, manufacturer, serial, assetTag, part],
        ["Speed", "Configured Memory Speed", "Manufacturer", "Serial Number", "Asset Tag", "Part Number"].map((name) =>
          value(fields[name]),
        ),
      );
    }
  });
}

test("the byte order of the UUID follows the version", () => {
  assert.equal(read(vector("big-endian")).system?.uuid, "00010203-0405-0607-0809-0a0b0c0d0e0f");
  assert.equal(read(vector("2.51")).version, "2.6");
  assert.equal(read(vector("2.51")).system?.uuid, "03020100-0504-0706-0809-0a0b0c0d0e0f");
});

test("memory in KiB counts as such, and large modules by their extended size", () => {
  const sizes = read(vector("wide counts")).memoryDevices.map(({ size }) => size);
  const MIB = 2 ** 20;
  assert.deepEqual(sizes, [131_072 * MIB, 512 * 1024, 0, undefined, 16_384 * MIB, 32_767 * MIB]);
});

test("structures of other types are there too", () => {
  const smbios = read(vector("32-bit"));
  assert.equal(smbios.structures.length, 11);
  assert.deepEqual(
    structuresOf(smbios, 127).map(({ handle, strings }) => [handle, strings]),
    [[0x7f00, []]],
  );
  assert.equal(smbios.chassis[0]?.type, 1);
  assert.equal(smbios.bios?.isVirtual, true);
});

test("entry points that are not are refused, with the byte", () => {
  const good = fromHex(vector("32-bit").entryPoint)!;
  const changed = (at: number, byte: number): Uint8Array => good.with(at, byte);
  const cases: readonly (readonly [Uint8Array, string, number])[] = [
    [new Uint8Array(), "smbios.entry-point", 0],
    [fromHex("5f534d")!, "smbios.entry-point", 0],
    [good.subarray(0, 30), "smbios.entry-point", 30],
    [changed(0, 0), "smbios.entry-point", 0],
    [changed(4, 0), "smbios.checksum", 4],
    [changed(5, 3), "smbios.entry-point", 5],
    [fromHex(vector("64-bit").entryPoint)!.with(5, 0), "smbios.checksum", 5],
  ];
  for (const [bytes, code, offset] of cases) {
    assert.throws(
      () => decodeEntryPoint(bytes),
      (error) => Fault.is(error, code) && error.fault === "peer" && error.facts["offset"] === offset,
      `${code} ${offset}`,
    );
  }
});

test("of a table that is cut what came before is read, and where it stopped", () => {
  const { entryPoint, table } = vector("64-bit");
  const bytes = fromHex(table)!;
  const whole = decode(fromHex(entryPoint)!, bytes);
  for (let length = 0; length < bytes.length; length++) {
    const smbios = decode(fromHex(entryPoint)!, bytes.subarray(0, length));
    assert.deepEqual(smbios.structures, whole.structures.slice(0, smbios.structures.length));
    assert.ok(smbios.flaw !== undefined && smbios.flaw.offset <= length, `${length}`);
  }
});

function assertTotal(entryPoint: Uint8Array, table: Uint8Array): void {
  try {
    const { structures } = decode(entryPoint, table);
    assert.ok(structures.length <= table.length / 6 + 1);
  } catch (error) {
    assert.ok(Fault.is(error) && error.fault === "peer" && error.code.startsWith("smbios."), String(error));
  }
}

test("every changed bit gives a reading or a peer's fault", () => {
  for (const [one, isTable] of [
    [vector("wide counts"), true],
    [vector("wide counts"), false],
    [vector("32-bit"), false],
  ] as const) {
    const [entryPoint, table] = [fromHex(one.entryPoint)!, fromHex(one.table)!];
    const part = isTable ? table : entryPoint;
    for (let bit = 0; bit < part.length * 8; bit++) {
      part[bit >> 3]! ^= 1 << (bit & 7);
      assertTotal(entryPoint, table);
      part[bit >> 3]! ^= 1 << (bit & 7);
    }
  }
  const entryPoint = fromHex(vector("64-bit").entryPoint)!;
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 40 }), (table, entry) => {
      assertTotal(entryPoint, table);
      assertTotal(entry, table);
    }),
    { numRuns: 1000 },
  );
});

test("large tables take time in proportion", () => {
  // An entry point that allows 1 MiB.
  const entryPoint = fromHex("5f534d335f001803030001000000100020000000000000 00".replace(" ", ""))!;
  entryPoint[5] = (256 - (entryPoint.reduce((sum, byte) => sum + byte, 0) & 0xff)) & 0xff;
  const started = performance.now();
  assertTotal(entryPoint, new Uint8Array(1024 * 1024));
  assertTotal(entryPoint, new Uint8Array(1024 * 1024).fill(0x41));
  const small = new Uint8Array(256 * 1024);
  for (let at = 0; at + 6 <= small.length; at += 6) small.set([0x20, 4, 0, 0, 0, 0], at);
  assertTotal(entryPoint, small);
  const strings = new Uint8Array(256 * 1024).fill(0x41);
  strings.set([0x20, 4]);
  for (let at = 5; at < strings.length; at += 2) strings[at] = 0;
  strings.set([0, 0], strings.length - 2);
  assertTotal(entryPoint, strings);
  // Some 0.1 s on an idle machine; in quadratic time it would be minutes.
  assert.ok(performance.now() - started < 5000);
  assert.throws(
    () => decode(entryPoint, new Uint8Array(1024 * 1024 + 1)),
    (error) => Fault.is(error, "smbios.too-long"),
  );
});

test("UUIDs that are nobody's own are known", () => {
  const kinds: readonly (readonly [string, string])[] = [
    ["00000000-0000-0000-0000-000000000000", "absent"],
    ["FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", "unset"],
    ["03000200-0400-0500-0006-000700080009", "placeholder"],
    ["00020003-0004-0005-0006-000700080009", "placeholder"],
    ["12345678-1234-5678-90AB-CDDEEFAABBCC", "placeholder"],
    ["fefefefe-fefe-fefe-fefe-fefefefefefe", "placeholder"],
    ["00000000-0000-0000-0000-000000000001", "placeholder"],
    ["4c4c4544-0046-3510-8052-b4c04f4a4e31", "own"],
    ["00000000-0000-0000-0000-ac1f6b0102a3", "own"],
    ["no uuid", "malformed"],
  ];
  for (const [uuid, kind] of kinds) assert.equal(uuidKind(uuid), kind, uuid);
  fc.assert(
    fc.property(fc.uuid(), (uuid) => assert.equal(uuidKind(uuid), "own")),
    { seed: 1 },
  );
});

test("texts that are nobody's own are known", () => {
  for (const text of [
    "",
    "To Be Filled By O.E.M.",
    "Default string",
    "0123456789",
    "System Serial Number",
    "N/A",
    "00000000",
    "xxxx",
    "None",
  ]) {
    assert.ok(isPlaceholder(text), text);
  }
  for (const text of ["SN-0001", "J4KBY43", "CZ3029ABCD", "VMware-56 4d 01"]) assert.ok(!isPlaceholder(text), text);
});
