import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Fault } from "#std/fault.ts";
import type { Reported } from "./effect.ts";
import { applyEvent } from "./effect.ts";
import type { LinkEvent } from "./event.ts";
import { addressesOf, parseNetwork, parseNetworks } from "./filter.ts";
import { storyOf } from "./story.ts";

const NOW = "2026-01-02T03:04:05Z";
const TUNNEL = "fdae:41e4:649b:9303::1234/64";
const options = { tunnel: TUNNEL, negative: [], now: NOW };
const nothing: Reported = { conditions: [] };
const sequence = (
  name: string,
  action: "noop" | "start" | "stop",
  code?: "fatal" | "locked" | "canceled",
  message = "",
): LinkEvent => ({
  type: "sequence",
  sequence: name,
  action,
  ...(code === undefined ? {} : { error: { code, message } }),
});
const phase = (name: string, action: "start" | "stop"): LinkEvent => ({ type: "phase", phase: name, action });

/** `Type=Status/reason/severity/message`, and the reason of the Kubernetes Event. */
const TABLE: readonly [LinkEvent, readonly string[], string?][] = [
  [
    { type: "config-validation-error", error: "bad" },
    ["TalosConfigValidated=False/TalosConfigValidationFailed/Error/bad"],
    "TalosConfigValidationFailed",
  ],
  [
    { type: "config-load-error", error: "bad" },
    ["TalosConfigLoaded=False/TalosConfigLoadFailed/Error/bad"],
    "TalosConfigLoadFailed",
  ],
  [phase("install", "start"), ["TalosInstalled=False/TalosInstallationInProgress/Info/"], "TalosInstalling"],
  [phase("install", "stop"), []],
  [phase("saveConfig", "start"), ["TalosConfigLoaded=True///", "TalosConfigValidated=True///"]],
  [phase("saveConfig", "stop"), []],
  [phase("other", "start"), []],
  [sequence("install", "noop", "fatal", "sequence failed: unix.Reboot(0x1234567)"), ["TalosInstalled=True///"], "TalosInstalled"],
  [
    sequence("install", "noop", "fatal", "no disk"),
    ["TalosInstalled=False/TalosInstallationFailed/Error/no disk"],
    "TalosSequenceFailed",
  ],
  [sequence("install", "noop", "locked", "x"), []],
  [sequence("install", "noop", "canceled", "x"), []],
  [sequence("install", "noop"), []],
  [sequence("install", "start", "fatal", "x"), []],
  [sequence("boot", "noop", "fatal", "x"), [], "TalosSequenceFailed"],
  [
    sequence("boot", "start"),
    ["TalosConfigLoaded=True///", "TalosConfigValidated=True///", "TalosInstalled=True///"],
    "TalosBooting",
  ],
  [sequence("boot", "stop"), []],
  [sequence("reboot", "noop", "fatal", "unix.Reboot"), []],
  [{ type: "task", task: "t", action: "start" }, []],
  [{ type: "service", service: "etcd", action: "running", message: "m" }, []],
  [{ type: "service", service: "etcd", action: "failed", message: "m" }, [], "TalosServiceFailed"],
  [{ type: "unknown", name: "machine.MachineStatusEvent" }, []],
];

test("every event does to conditions what upstream does", () => {
  for (const [event, expected, reason] of TABLE) {
    const after = applyEvent(nothing, event, options);
    const found = after.conditions.map(
      (each) => `${each.type}=${each.status}/${each.reason ?? ""}/${each.severity ?? ""}/${each.message ?? ""}`,
    );
    assert.deepEqual(found, expected, JSON.stringify(event));
    assert.equal(after === nothing, expected.length === 0, JSON.stringify(event));
    assert.equal(storyOf(event)?.event?.reason, reason, JSON.stringify(event));
    assert.equal(storyOf(event) === undefined, event.type === "unknown");
  }
});

test("a machine's life, as far as conditions go", () => {
  const road = [phase("install", "start"), sequence("install", "noop", "fatal", "unix.Reboot"), sequence("boot", "start")];
  const states = road.map((_, i) => road.slice(0, i + 1).reduce((state, event) => applyEvent(state, event, options), nothing));
  const installed = states.map(({ conditions }) => conditions.find(({ type }) => type === "TalosInstalled"));
  assert.deepEqual(
    installed.map((each) => each?.status),
    ["False", "True", "True"],
  );
  // What no longer holds leaves nothing behind.
  assert.deepEqual(installed[1], { type: "TalosInstalled", status: "True", lastTransitionTime: NOW });
});

test("addresses and host name", () => {
  const negative = parseNetworks(["10.0.0.0/8", "-", "fe80::/10", ""]);
  const addresses = ["192.0.2.1", "10.1.2.3", "fe80::1", "2001:DB8:0::1", "fdae:41e4:649b:9303:0::1234", "x", "192.0.2.1"];
  const after = applyEvent(nothing, { type: "address", hostname: "h", addresses }, { ...options, negative });
  assert.deepEqual(after, { conditions: [], addresses: ["192.0.2.1", "2001:db8::1"], hostname: "h" });
  assert.equal(storyOf({ type: "address", hostname: "", addresses: [] })?.line, "addresses of a machine without name: none");
});

test("networks of every length", () => {
  for (let length = 0; length <= 32; length++) {
    const network = parseNetwork(`255.255.255.255/${length}`);
    for (let bit = 0; bit < 32; bit++) {
      const address = [0, 8, 16, 24].map((shift) => (~(1 << (31 - bit)) >>> (24 - shift)) & 0xff).join(".");
      assert.equal(addressesOf([address], TUNNEL, [network]).length, bit < length ? 1 : 0, `${address} in /${length}`);
    }
  }
  for (const text of ["", "10.0.0.0", "10.0.0.0/33", "::/129", "::/", "x/8", "10.0.0.0/8/8"])
    assert.throws(
      () => parseNetwork(text),
      (fault) => Fault.is(fault, "decide.link"),
      text,
    );
});

const events = fc.oneof(
  fc.constantFrom(...TABLE.map(([event]) => event)),
  fc.record({
    type: fc.constant("address" as const),
    hostname: fc.string(),
    addresses: fc.array(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string())),
  }),
  fc.record({ type: fc.constantFrom("config-load-error" as const, "config-validation-error" as const), error: fc.string() }),
);

test("the same event twice is one event, and what it says has bounds", () => {
  fc.assert(
    fc.property(fc.array(events, { maxLength: 10 }), events, (before, event) => {
      const state = before.reduce((each, one) => applyEvent(each, one, options), nothing);
      const once = applyEvent(state, event, options);
      assert.equal(applyEvent(once, event, { ...options, now: "2027-01-01T00:00:00Z" }), once);
      assert.ok(once.conditions.length <= 3);
      assert.match(storyOf(event)?.line ?? "", /^[^\p{Cc}]{0,1000}$/su);
    }),
  );
  const long = applyEvent(nothing, { type: "config-load-error", error: "x".repeat(5000) }, options);
  assert.equal(long.conditions[0]?.message?.length, 1024);
});
