import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { HardwareInformation } from "#kinds/metal/v1alpha2/hardware.ts";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import { quantity } from "./function.ts";
import { compileWhere, LONGEST, type Verdict } from "./predicate.ts";

const GIB = 1024 ** 3;
const HARDWARE: HardwareInformation = {
  system: { manufacturer: "Dell Inc.", productName: "PowerEdge R650" },
  compute: {
    totalCoreCount: 32,
    processorCount: 2,
    processors: [
      { coreCount: 16, speed: 2600 },
      { coreCount: 16, speed: 2600 },
    ],
  },
  memory: { totalSize: "127 GB", moduleCount: 2, modules: [{ size: 65_536, type: "DDR4" }, { size: 65_536 }] },
  storage: {
    totalSize: "2000 GB",
    devices: [
      { name: "nvme0n1", type: "NVMe", size: 960e9 },
      { name: "sda", type: "HDD", size: 4e12, rotational: true },
    ],
  },
  network: { interfaces: [{ name: "eth0", speed: 25_000, link: true, lldp: { systemName: "leaf-4a" } }] },
  gpus: [],
};

function server(hardware: HardwareInformation | undefined = HARDWARE, labels: Record<string, string> = { zone: "east" }): Server {
  const spec = { accepted: true, hostname: "node-7", ...(hardware === undefined ? {} : { hardware }) };
  return { apiVersion: "metal.sidero.dev/v1alpha2", kind: "Server", metadata: { name: "0b0e7e3c", labels }, spec };
}

function ask(text: string, of: Server = server()): Verdict {
  const compiled = compileWhere(text);
  assert.ok("where" in compiled, JSON.stringify(compiled));
  return compiled.where(of);
}

function problems(text: string): readonly string[] {
  const compiled = compileWhere(text);
  assert.ok("problems" in compiled, `${text} compiles`);
  return compiled.problems;
}

const TRUE = [
  "memory.totalSize >= 64 * 1024 * 1024 * 1024",
  'memory.totalSize == quantity("128Gi")',
  "memory.modules.all(m, m.size == quantity('64Gi'))",
  'storage.devices.exists(d, d.type == "NVMe" && d.size > 900 * 1000 * 1000 * 1000)',
  "storage.totalSize == 4960000000000",
  "storage.devices.filter(d, d.rotational).size() == 1",
  "size(compute.processors) == 2 && compute.totalCoreCount >= 32",
  "compute.processors.map(p, p.coreCount).exists_one(c, c == 16) == false",
  'labels["zone"] == "east" && "zone" in labels && !("rack" in labels)',
  "has(labels.zone) && !has(labels.rack)",
  'hostname.startsWith("node-") && name == "0b0e7e3c"',
  'system.manufacturer.lowerAscii().contains("dell")',
  'system.productName.matches("^PowerEdge R[67]50$")',
  'network.interfaces.exists(i, i.link && i.speed >= 10000 && i.lldp.systemName == "leaf-4a")',
  "has(memory.totalSize) && !has(firmware.vendor) && has(network.interfaces) && !has(tpm.present)",
  "network.interfaces.all(i, has(i.lldp)) && storage.devices.all(d, !has(d.wwid))",
  "gpus.size() == 0 && size(pciDevices) == 0",
  'firmware.bootMode == ""',
  "memory.totalSize > 1.5",
  'architecture in ["amd64", ""]',
  "storage.devices.exists(a, storage.devices.exists(b, a.size < b.size))",
  "storage.devices.filter(d, d.rotational)[0].name == 'sda'",
  "storage.devices.filter(d, d.size > 0) == storage.devices",
  "storage.devices[0] in storage.devices && storage.devices[0] != storage.devices[1]",
  "dyn(storage.devices)[1].type == 'HDD' && [memory, storage][1].totalSize > 0",
  "(true ? memory : memory).moduleCount == 2 && has(compute.processors) && !has(network.interfaces[0].lldp.vlan)",
  "storage.devices.map(d, d).exists(d, d.name == 'sda') && (storage.devices + storage.devices).size() == 4",
  "[1, 2].exists(n, n == compute.processorCount) ? true : false",
];

for (const text of TRUE) test(`true: ${text}`, () => assert.deepEqual(ask(text), { matches: true }));

test("false, and no hardware", () => {
  assert.deepEqual(ask("memory.totalSize > quantity('1Ti')"), { matches: false });
  assert.deepEqual(
    ask("true", { ...server(), spec: { accepted: true } }),
    { matches: false },
    "hardware that is unknown meets nothing",
  );
  assert.deepEqual(
    ask("memory.totalSize == quantity('32Gi')", server({ memory: { totalSize: "32 GB" } })),
    { matches: true },
    "a text alone will do",
  );
});

test("what is wrong with it is told with its place, before it is ever asked", () => {
  assert.match(problems("memory.totalSize >=")[0]!, /^line 1, column \d+: /);
  assert.match(
    problems("true &&\n  memory.size > 1")[0]!,
    /^line 2, column \d+: memory has no size; it has totalSize, moduleCount, modules$/,
  );
  assert.match(problems("ram > 1")[0]!, /^line 1, column 1: there is no ram; there are system, compute, memory, /);
  assert.match(problems('memory.totalSize >= "64Gi"')[0]!, />= compares int with string/);
  assert.match(problems("memory.totalSize + 1.5 > 2.0")[0]!, /\+ does not go with int and double/);
  assert.match(problems("quanttiy('64Gi') > 1")[0]!, /there is no function quanttiy; there are size, /);
  assert.match(problems("memory.totalSize")[0]!, /must say yes or no \(bool\), and is a int/);
  assert.match(problems("storage.devices.exists(d, d.typ == 'NVMe')")[0]!, /storage\.devices\[\] has no typ/);
  assert.match(problems("storage.devices.type == 'NVMe'")[0]!, /a list\(storage\.devices\[\]\) has no type/);
  assert.match(problems("memory.totalSize && true")[0]!, /&& needs bool, and has int/);
  assert.match(problems("'x' in compute.processors.map(p, p.coreCount)")[0]!, /in looks for string in list\(int\)/);
  assert.match(problems("google.protobuf.Timestamp{} == null")[0]!, /there is no type google\.protobuf\.Timestamp/);
  assert.match(problems("hostname.exists(c, c == 'a')")[0]!, /a string has no items/);
  assert.match(problems("@present(memory)")[0]!, /^line 1, column 1: /, "what is inside is nobody's to call");
});

test("a machine of which it cannot be told says why", () => {
  const failed = (text: string, of?: Server): string => {
    const verdict = ask(text, of);
    return "failed" in verdict ? verdict.failed : JSON.stringify(verdict);
  };
  assert.match(failed('labels["rack"] == "r4"'), /^line 1, column \d+: .*rack/);
  assert.match(failed("storage.devices[7].size > 1"), /^line 1, column \d+: /);
  assert.match(failed("memory.totalSize / compute.totalCoreCount > 1", server({})), /divide by zero/);
  assert.match(failed("9223372036854775807 + memory.moduleCount > 1"), /overflow/);
  assert.equal(failed('has(labels.rack) && labels["rack"] == "r4"'), '{"matches":false}', "asked with care, it can be told");
});

test("its work is bounded, whatever the machine has", () => {
  const devices = Array.from({ length: 3000 }, (_, i) => ({ address: String(i), vendor: "8086", device: "1572" }));
  const many = server({ ...HARDWARE, pciDevices: devices });
  const began = performance.now();
  const verdict = ask("pciDevices.all(a, pciDevices.all(b, a.vendor == b.vendor))", many);
  assert.ok("failed" in verdict && /would take too long.*3000 items/.test(verdict.failed), JSON.stringify(verdict));
  assert.deepEqual(ask("pciDevices.all(a, a.vendor == '8086')", many), { matches: true }, "one loop goes");
  assert.deepEqual(ask('system.manufacturer.matches("^(D+)+$")', server({ system: { manufacturer: "D".repeat(60) + "!" } })), {
    matches: false,
  });
  assert.ok(performance.now() - began < 1000);
  assert.match(problems("[1].all(a, [1].all(b, [1].all(c, true)))")[0]!, /3 loops are inside one another; at most 2/);
  assert.match(problems("(".repeat(40) + "true" + ")".repeat(40))[0]!, /more than 32 brackets/);
  assert.match(problems(`true${" ".repeat(LONGEST)}`)[0]!, /characters; at most 2048/);
});

test("whatever is written compiles, or is refused, and then says yes, no or why not", () => {
  const pieces = [
    ...TRUE.flatMap((text) => text.split(/(?<=[\s().,[\]])|(?=[\s().,[\]])/)),
    "{",
    "}",
    "\\",
    "'",
    "0x",
    "null",
    "b'x'",
    "1u",
    "-9223372036854775808",
    "has(",
    "dyn(",
    ".?",
    "🙂",
  ];
  const text = fc.array(fc.constantFrom(...pieces), { maxLength: 25 }).map((all) => all.join(""));
  fc.assert(
    fc.property(fc.oneof(text, fc.string()), (written) => {
      const compiled = compileWhere(written);
      if ("problems" in compiled) return compiled.problems.every((problem) => problem.length > 0);
      const verdict = compiled.where(server());
      // With all fields, as dyn() hides which are needed: it makes no difference that others are left out.
      const whole = compileWhere(`(${written}) || dyn(1) == 2`);
      if ("where" in whole) assert.deepEqual("matches" in whole.where(server()), "matches" in verdict, written);
      if ("where" in whole && "matches" in verdict) assert.deepEqual(whole.where(server()), verdict, written);
      return "matches" in verdict ? typeof verdict.matches === "boolean" : verdict.failed.length > 0;
    }),
    { numRuns: 2000 },
  );
});

test("quantities are Kubernetes' whole ones", () => {
  assert.deepEqual(["64Gi", "1k", "7", "2T"].map(quantity), [64n * BigInt(GIB), 1000n, 7n, 2_000_000_000_000n]);
  for (const text of ["", "Gi", "1.5Gi", "1gi", "-1", "1 Gi", "9999999999999"]) assert.equal(quantity(text), undefined, text);
});
