/** Documents of Redfish: damaged bytes, which are mostly no JSON any more, and documents with values that nobody expects. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { isObject, type Json } from "#std/json.ts";
import { overrideOf, patchOf } from "#wire/redfish/boot.ts";
import { readCollection, readController, readMac } from "#wire/redfish/controller.ts";
import { decode, type Document } from "#wire/redfish/document.ts";
import { decodeEvents } from "#wire/redfish/event.ts";
import { readPowerSupplies, readSensor, readThermal } from "#wire/redfish/health.ts";
import { isLoaded, readSlot, takesCd } from "#wire/redfish/media.ts";
import { isNotNow, readMessages } from "#wire/redfish/message.ts";
import { quirksOf } from "#wire/redfish/quirks.ts";
import { actionsOf } from "#wire/redfish/reset.ts";
import { readRoot } from "#wire/redfish/root.ts";
import { readSecureBoot } from "#wire/redfish/secure-boot.ts";
import { readActionInfo, readSystem } from "#wire/redfish/system.ts";
import { readTask } from "#wire/redfish/task.ts";
import { vendorOf } from "#wire/redfish/vendor.ts";
import { latin, type Parser, read } from "./parser.ts";

function examine(document: Document): void {
  const root = readRoot(document);
  const system = readSystem(document);
  const controller = readController(document);
  const quirks = quirksOf({
    vendor: vendorOf(root, system, controller),
    controller: controller.model,
    firmware: controller.firmware,
  });
  for (const device of ["pxe", "http", "disk", "cd"] as const) {
    const override = overrideOf({ device, firmware: "uefi" }, system.boot, quirks);
    if (override !== undefined) patchOf(override, system.boot, quirks);
  }
  actionsOf(system.reset?.allowed ?? []);
  readActionInfo(document, "ResetType");
  const messages = readMessages(document);
  isNotNow(messages);
  assert.ok(messages.text.length <= 400);
  readTask(document);
  readSecureBoot(document);
  const slot = readSlot(document, "/redfish/v1/x");
  assert.equal(typeof (takesCd(slot) && isLoaded(slot, quirks)), "boolean");
  readMac(document);
  for (const { name } of [...readThermal(document), ...readPowerSupplies(document)]) assert.match(name, /^[^\p{Cc}]+$/u);
  readSensor(document);
  for (const path of [...readCollection(document).members, system.settings ?? "/x"]) assert.match(path, /^\/[!-~]+$/);
}

const FIXTURES = ["dell/idrac9", "hpe/ilo6", "supermicro/x12", "lenovo/xcc", "ami/megarac", "openbmc/bmcweb"].flatMap((name) => {
  const { documents } = JSON.parse(readFileSync(new URL(`../bmc/redfish/fixtures/${name}.json`, import.meta.url), "utf8")) as {
    documents: Record<string, object>;
  };
  return Object.values(documents).map((document) => Buffer.from(JSON.stringify(document)));
});
const bytes: Parser = {
  name: "redfish",
  seeds: [
    ...FIXTURES,
    latin(
      '{"Context":"c","Events":[{"MessageId":"A.1.0.B","Severity":"OK","OriginOfCondition":{"@odata.id":"/redfish/v1/Systems/1"}}]}',
    ),
    latin(
      '{"TaskState":"Exception","TaskStatus":"Critical","Messages":[{"MessageId":"A.1.0.B","Message":"no","MessageArgs":["x"]}]}',
    ),
    latin('{"error":{"code":"Base.1.8.GeneralError","@Message.ExtendedInfo":[{"MessageId":"A.1.0.B","MessageArgs":["x"]}]}}'),
    latin('{"Members":[{"@odata.id":"/a"}],"Members@odata.nextLink":"/a?$skip=1"}'),
  ],
  words: [
    '{"',
    '":',
    "null",
    "[[[[",
    "]",
    "{{",
    "}",
    '"@odata.id":"//',
    "1e999",
    "-0",
    '"__proto__":',
    "\\ud800",
    "\u0000",
    "#",
    "https://",
  ].map(latin),
  longest: 65_536,
  run(input) {
    const document = read(() => decode(input));
    read(() => decodeEvents(input));
    if (document !== undefined) examine(document);
  },
};

const ODD: readonly Json[] = [
  null,
  "",
  7,
  -1,
  1e308,
  true,
  [],
  {},
  [null],
  [[{}]],
  "\u0000\ud800",
  "//x",
  "/a b",
  { "@odata.id": 7 },
  { "@odata.id": "/r" },
  [{ "@odata.id": "/r" }],
  "Off",
];

/** Which document, then which of its values becomes which odd one, two bytes each. */
const values: Parser = {
  name: "redfish-values",
  seeds: FIXTURES.map((_fixture, i) => Uint8Array.of(i, i, 3, i + 7, 9)),
  words: [Uint8Array.of(0, 0), Uint8Array.of(5, 8)],
  longest: 64,
  run(input) {
    const document = decode(FIXTURES[(input[0] ?? 0) % FIXTURES.length]!);
    for (let at = 1; at + 1 < input.length; at += 2) replace(document, input[at]!, ODD[input[at + 1]! % ODD.length]!);
    examine(document);
    decodeEvents(Buffer.from(JSON.stringify({ Context: document, Events: [document] })));
  },
};

/** Puts `value` in the place of the n-th of all values, counted round. */
function replace(document: Document, n: number, value: Json): void {
  const places: (() => void)[] = [];
  const walk = (holder: Json): void => {
    const keys = Array.isArray(holder) ? holder.keys() : isObject(holder) ? Object.keys(holder) : [];
    for (const key of keys) {
      const inner = holder as Record<string | number, Json>;
      places.push(() => (inner[key] = structuredClone(value)));
      walk(inner[key]!);
    }
  };
  walk(document);
  if (places.length > 0) places[n % places.length]!();
}

export const redfish: readonly Parser[] = [bytes, values];
