import assert from "node:assert/strict";
import { test } from "node:test";
import { Fault } from "#std/fault.ts";
import { isInEffect, overrideOf, patchOf, readBoot } from "./boot.ts";
import { readMac } from "./controller.ts";
import { decode, flag, number, pathOf, text } from "./document.ts";
import { decodeEvents } from "./event.ts";
import { readHealth, readSensor } from "./health.ts";
import { isNotNow, readMessages } from "./message.ts";
import { QUIRK_RULES, quirksOf } from "./quirks.ts";
import { actionsOf, resetTypeOf } from "./reset.ts";
import { readRoot } from "./root.ts";
import { readSystem } from "./system.ts";
import { readTask } from "./task.ts";
import { vendorOf } from "./vendor.ts";

const bytes = (written: string): Uint8Array => new TextEncoder().encode(written);
const standard = quirksOf({ vendor: "other" });

test("bytes are one object, or the sender's fault", () => {
  assert.deepEqual(decode(bytes('\ufeff{"a":1}\0\0\n')), { a: 1 });
  for (const written of ["", "[]", "null", "{", `{"a":${"[".repeat(64)}${"]".repeat(64)}}`, `{"a":${"[".repeat(100_000)}`]) {
    assert.throws(
      () => decode(bytes(written)),
      (error) => Fault.is(error, "redfish.malformed") && error.fault === "peer",
    );
  }
  assert.deepEqual(
    decode(bytes(`{"a":"${"[".repeat(200)}\\"["}`)),
    { a: `${"[".repeat(200)}"[` },
    "brackets in texts do not nest",
  );
});

test("values of the wrong type are as good as missing, those of nearly the right one are read", () => {
  const document = { n: "47", none: "N/A", s: 4711, b: "true", dirty: " a\u0007b\u202e ", empty: "  ", o: {}, huge: "1e999" };
  assert.deepEqual(
    [number(document, "n"), number(document, "none"), number(document, "o"), number(document, "huge")],
    [47, undefined, undefined, undefined],
  );
  assert.deepEqual(
    [text(document, "s"), text(document, "dirty"), text(document, "empty"), text(document, "o")],
    ["4711", "a b", undefined, undefined],
  );
  assert.deepEqual([flag(document, "b"), flag(document, "n")], [true, undefined]);
  assert.equal(text(JSON.parse('{"__proto__":{"x":"y"}}') as never, "x"), undefined);
});

test("references become paths of the one host, or nothing", () => {
  assert.equal(pathOf("/redfish/v1/Systems/1"), "/redfish/v1/Systems/1");
  assert.equal(pathOf("https://evil.example/redfish/v1/Systems/1#/Boot"), "/redfish/v1/Systems/1");
  assert.equal(pathOf("/redfish/v1/Systems/Größe 1"), "/redfish/v1/Systems/Gr%C3%B6%C3%9Fe%201");
  for (const reference of [
    "redfish/v1",
    "//evil.example/x",
    "",
    "/",
    "/a\r\nX: y",
    "/\\evil",
    `/${"a".repeat(600)}`,
    7,
    null,
    undefined,
  ]) {
    assert.equal(pathOf(reference), undefined, String(reference));
  }
});

test("only what is Off is off", () => {
  const power = (state: string | null): string | undefined => readSystem({ PowerState: state }).power;
  assert.deepEqual(["On", "Off", "PoweringOn", "PoweringOff", "Paused", null].map(power), [
    "on",
    "off",
    "on",
    "on",
    "on",
    undefined,
  ]);
});

test("an action is carried out by what the service allows, never by something weaker", () => {
  assert.equal(resetTypeOf("soft-off", ["PushPowerButton", "ForceOff"]), "PushPowerButton");
  assert.equal(resetTypeOf("off", ["PushPowerButton", "GracefulShutdown"]), undefined);
  assert.equal(resetTypeOf("reset", ["GracefulRestart"]), undefined);
  assert.deepEqual(actionsOf(["On", "ForceOff"]), ["on", "off", "cycle"]);
  assert.deepEqual(actionsOf([]), ["on", "off", "soft-off", "cycle", "reset"], "one that does not say has what is usual");
});

test("the override: what changes is sent, what is set is not", () => {
  const boot = readBoot({
    BootSourceOverrideEnabled: "Disabled",
    BootSourceOverrideTarget: "None",
    BootSourceOverrideMode: "UEFI",
  });
  const pxe = overrideOf({ device: "pxe", firmware: "uefi" }, boot, standard)!;
  assert.deepEqual(patchOf(pxe, boot, standard), { BootSourceOverrideTarget: "Pxe", BootSourceOverrideEnabled: "Once" });
  const bios = overrideOf({ device: "pxe", firmware: "bios" }, boot, standard)!;
  assert.deepEqual(patchOf(bios, boot, standard), {
    BootSourceOverrideTarget: "Pxe",
    BootSourceOverrideEnabled: "Once",
    BootSourceOverrideMode: "Legacy",
  });
  const set = { ...boot, enabled: "Once", target: "Pxe" };
  assert.ok(isInEffect(pxe, set, standard));
  assert.equal(patchOf(pxe, set, standard), undefined);
  assert.ok(!isInEffect(pxe, { ...set, enabled: "Continuous" }, standard), "for ever is not once");
  const url = overrideOf({ device: "http", firmware: "uefi", url: "http://a/" }, boot, standard)!;
  assert.ok(!isInEffect(url, { ...set, target: "UefiHttp", httpBootUri: "http://b/" }, standard));
  const left = { ...boot, httpBootUri: "http://b/" };
  const plain = overrideOf({ device: "http", firmware: "uefi" }, left, standard)!;
  assert.equal(patchOf(plain, left, standard)?.["HttpBootUri"], null, "what is left from before would be started");
  assert.ok(isInEffect(plain, { ...set, target: "UefiHttp" }, standard));
  assert.equal(overrideOf({ device: "http", firmware: "bios" }, boot, standard), undefined);
  assert.equal(overrideOf({ device: "cd", firmware: "uefi" }, { ...boot, targets: ["Pxe"] }, standard), undefined);
});

test("the vendor is told by the root, by its extensions, or by its machine", () => {
  const of = (root: object, system = {}): string => vendorOf(readRoot(root as never), readSystem(system));
  assert.equal(of({ Vendor: "HPE" }), "HPE");
  assert.equal(of({ Oem: { Hpe: {} } }), "HPE");
  assert.equal(of({ Vendor: "Lenovo", Oem: { Ami: {} } }), "AMI", "Lenovo's smaller machines have AMI's firmware");
  assert.equal(of({}, { Manufacturer: "Dell Inc." }), "Dell");
  assert.equal(of({}, { Manufacturer: "Super Micro Computer" }), "Supermicro");
  assert.equal(of({}, { Manufacturer: "Gigabyte" }), "other");
});

test("every rule of the quirk table says why and from where, and changes something", () => {
  for (const rule of QUIRK_RULES) {
    assert.ok(rule.because.length > 10 && rule.source.length > 10, rule.because);
    const changed = Object.entries(rule.quirks).some(
      ([key, value]) => JSON.stringify(standard[key as keyof typeof standard]) !== JSON.stringify(value),
    );
    assert.ok(changed, rule.because);
  }
  assert.equal(quirksOf({ vendor: "Dell", controller: "16G Monolithic" }).mediaSlot, undefined);
  assert.equal(quirksOf({ vendor: "Dell", controller: "17G Monolithic" }).mediaSlot, "1");
});

test("messages: what means later, and what people read", () => {
  const said = (id: string, message?: string): ReturnType<typeof readMessages> =>
    readMessages({
      error: {
        code: "Base.1.8.GeneralError",
        "@Message.ExtendedInfo": [{ MessageId: id, ...(message === undefined ? {} : { Message: message }) }],
      },
    });
  assert.ok(isNotNow(said("iLO.2.37.UnableToModifyDuringSystemPOST")));
  assert.ok(isNotNow(said("X.1.0.Y", "Unable to complete: data sources unavailable, retry the operation in 30 seconds")));
  assert.ok(!isNotNow(said("Base.1.8.PropertyNotWritable", "It is not writable")));
  assert.equal(said("Base.1.8.PropertyNotWritable").text, "PropertyNotWritable");
  assert.equal(readMessages({ error: "x" }).text, "");
});

test("tasks, health, sensors, addresses, events", () => {
  assert.equal(readTask({ TaskState: "Running", PercentComplete: 40 })?.state, "running");
  assert.equal(readTask({ TaskState: "Completed", TaskStatus: "Critical", Messages: [{ Message: "no" }] })?.messages.text, "no");
  assert.equal(readTask({ TaskState: "Completed", TaskStatus: "OK" })?.state, "done");
  assert.equal(readTask({ Id: "1" }), undefined);
  assert.equal(readHealth({ Status: { Health: "OK", HealthRollup: "Critical" } }), "critical");
  assert.equal(readHealth({ Status: null }), "unknown");
  assert.deepEqual(readSensor({ Name: "t", Reading: 5, ReadingUnits: "Cel", Status: { Health: "OK" } }), {
    name: "t",
    health: "ok",
    value: 5,
    unit: "°C",
  });
  assert.equal(readSensor({ Name: "t", Status: { State: "Absent" } }), undefined);
  assert.equal(readMac({ MACAddress: "52-54-00-AA-00-01", PermanentMACAddress: "00:00:00:00:00:00" }), "52:54:00:aa:00:01");
  const delivery = decodeEvents(
    bytes(
      '{"Context":"machine-7","Events":[{"MessageId":"ResourceEvent.1.2.ResourceChanged","MessageSeverity":"Warning","OriginOfCondition":{"@odata.id":"/redfish/v1/Systems/1"}},7]}',
    ),
  );
  assert.deepEqual(delivery, {
    context: "machine-7",
    events: [{ kind: "ResourceChanged", severity: "warning", origin: "/redfish/v1/Systems/1" }],
  });
});
