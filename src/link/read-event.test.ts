import assert from "node:assert/strict";
import { test } from "node:test";
import { fromHex } from "#std/bytes.ts";
import { readEvent } from "./read-event.ts";

const read = (type: string, hex: string): unknown =>
  readEvent({ typeUrl: `type.googleapis.com/machine.${type}`, value: fromHex(hex)! });

/** Bytes written by hand. */
test("every event", () => {
  assert.deepEqual(read("AddressEvent", "0a0168120161120162"), { type: "address", hostname: "h", addresses: ["a", "b"] });
  assert.deepEqual(read("ConfigValidationErrorEvent", "0a0165"), { type: "config-validation-error", error: "e" });
  assert.deepEqual(read("ConfigLoadErrorEvent", "0a0165"), { type: "config-load-error", error: "e" });
  assert.deepEqual(read("PhaseEvent", "0a0170"), { type: "phase", phase: "p", action: "start" });
  assert.deepEqual(read("TaskEvent", "0a01741001"), { type: "task", task: "t", action: "stop" });
  assert.deepEqual(read("ServiceStateEvent", "0a017310061a016d"), {
    type: "service",
    service: "s",
    action: "failed",
    message: "m",
  });
  assert.deepEqual(read("SequenceEvent", "0a01621001"), { type: "sequence", sequence: "b", action: "start" });
  const failed = { type: "sequence", sequence: "b", action: "noop", error: { code: "fatal", message: "m" } };
  assert.deepEqual(read("SequenceEvent", "0a01621a0312016d"), failed);
  assert.deepEqual(readEvent({ typeUrl: "talos/runtime/machine.TaskEvent", value: new Uint8Array() }), {
    type: "task",
    task: "",
    action: "start",
  });
});

test("what is newer, foreign or malformed is unknown", () => {
  for (const [type, hex] of [
    ["MachineStatusEvent", "0801"],
    ["PhaseEvent", "1007"],
    ["ServiceStateEvent", "1063"],
    ["SequenceEvent", "1a020809"],
    ["AddressEvent", "0a05"],
    ["AddressEvent", "ffffffff"],
  ] as const)
    assert.deepEqual(read(type, hex), { type: "unknown", name: `machine.${type}` }, `${type} ${hex}`);
  assert.deepEqual(readEvent({ typeUrl: "", value: new Uint8Array() }), { type: "unknown", name: "" });
});

test("lists and texts have bounds", () => {
  const event = readEvent({ typeUrl: "machine.AddressEvent", value: fromHex("120161".repeat(1000))! });
  assert.equal(event.type === "address" && event.addresses.length, 256);
});
