/** Commands both ways, byte by byte as the specification has them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fromHex, toHex } from "#std/bytes.ts";
import { Fault } from "#std/fault.ts";
import { getChannelAccess, getChannelAuthenticationCapabilities, readCipherSuites, setChannelAccess } from "./app/channel.ts";
import { getDeviceId } from "./app/device.ts";
import { activatePayload } from "./app/payload.ts";
import { activateSession } from "./app/session.ts";
import { getUserAccess, setUserAccess, setUserName, setUserPassword, setUserPayloadAccess } from "./app/user.ts";
import { BOOT_PARAMETER, BOOT_SELECTOR, decodeBootFlags, encodeBootFlags, getBootOption, setBootOption } from "./chassis/boot.ts";
import { chassisControl, chassisIdentify, CONTROL, getChassisStatus } from "./chassis/chassis.ts";
import type { Command } from "./command.ts";
import { getSensorReading, getSensorThresholds } from "./sensor/sensor.ts";
import { getSelInfo } from "./storage/sel.ts";
import { encodeIpv6Static, encodeVlan, LAN_PARAMETER, readIpv6, readVlan } from "./transport/lan-parameter.ts";
import { getLanParameter, setLanParameter } from "./transport/lan.ts";

/** Network function, command and data, as `ipmitool raw` takes them. */
function asked<Q>(command: Command<Q, unknown>, question: Q): string {
  const { netFn, command: code, data } = command.encode(question);
  return toHex(Uint8Array.of(netFn, code, ...data), " ");
}

function answered<A>(command: Command<never, A>, hex: string, completion = 0): A {
  return command.decode({ completion, data: fromHex(hex.replaceAll(" ", ""))! });
}

test("requests are the bytes of the specification", () => {
  assert.equal(asked(getDeviceId, undefined), "06 01");
  assert.equal(asked(chassisControl, CONTROL.softShutdown), "00 02 05");
  assert.equal(asked(chassisIdentify, { seconds: 15 }), "00 04 0f");
  assert.equal(asked(chassisIdentify, { seconds: 0, forever: true }), "00 04 00 01");
  const flags = encodeBootFlags({ isValid: true, persistent: false, efi: true, device: BOOT_SELECTOR.pxe });
  assert.equal(asked(setBootOption, { parameter: BOOT_PARAMETER.flags, data: flags }), "00 08 05 a0 04 00 00 00");
  assert.equal(asked(getBootOption, BOOT_PARAMETER.flags), "00 09 05 00 00");
  assert.equal(asked(getChannelAuthenticationCapabilities, { channel: 14, privilege: 4 }), "06 38 8e 04");
  const access = {
    mode: "always",
    alerts: true,
    authenticatesMessages: true,
    authenticatesUserLevel: true,
    privilege: 4,
  } as const;
  assert.equal(asked(setChannelAccess, { channel: 1, setting: "stored", access }), "06 40 01 42 44");
  assert.equal(asked(getChannelAccess, { channel: 1, setting: "volatile" }), "06 41 01 80");
  const user = { channel: 1, user: 4, onlyCallback: false, linkAuthentication: true, messaging: true, privilege: 4 };
  assert.equal(asked(setUserAccess, user), "06 43 b1 04 04 00");
  assert.equal(asked(setUserName, { user: 4, name: "agent" }), `06 45 04 61 67 65 6e 74${" 00".repeat(11)}`);
  assert.equal(asked(setUserPassword, { user: 4, operation: "enable" }), `06 47 04 01${" 00".repeat(16)}`);
  assert.equal(
    asked(setUserPassword, { user: 4, operation: "set", password: "x".repeat(17) }),
    `06 47 84 02${" 78".repeat(17)} 00 00 00`,
  );
  assert.equal(asked(setUserPayloadAccess, { channel: 1, user: 4, access: { sol: true } }), "06 4c 01 04 02 00 00 00");
  assert.equal(asked(activatePayload, { instance: 1, encrypted: true, authenticated: true }), "06 48 01 01 c0 00 00 00");
  assert.equal(asked(getLanParameter, { channel: 1, parameter: LAN_PARAMETER.address }), "0c 02 01 03 00 00");
  assert.equal(
    asked(setLanParameter, { channel: 1, parameter: LAN_PARAMETER.vlan, data: encodeVlan(0x123) }),
    "0c 01 01 14 23 81",
  );
  assert.equal(
    asked(setLanParameter, { channel: 1, parameter: LAN_PARAMETER.vlan, data: encodeVlan(undefined) }),
    "0c 01 01 14 00 00",
  );
  assert.equal(
    toHex(Uint8Array.from(encodeIpv6Static(1, fromHex("fd770000000000000000000000000001")!, 64))),
    "0180fd7700000000000000000000000000014000",
  );
});

test("answers are read", () => {
  assert.deepEqual(answered(getDeviceId, "20 81 02 61 02 bf 39 2a 00 34 12 01 02 03 04"), {
    id: 0x20,
    revision: 1,
    hasDeviceSdrs: true,
    isAvailable: true,
    firmwareVersion: "2.61",
    ipmiVersion: "2.0",
    supports: { chassis: true, fruInventory: true, sel: true, sdrRepository: true, sensors: true },
    manufacturer: 0x2a39,
    product: 0x1234,
  });
  const status = answered(getChassisStatus, "61 00 50");
  assert.deepEqual([status.isOn, status.restorePolicy, status.identify, status.driveFault], [true, "unknown", "timed", false]);
  assert.equal(answered(getChassisStatus, "00 00 00").identify, undefined);
  const capabilities = answered(getChannelAuthenticationCapabilities, "01 96 04 02 00 00 00 00");
  assert.deepEqual(capabilities, {
    channel: 1,
    types: [1, 2, 4],
    hasKey: false,
    authenticatesMessages: true,
    allowsAnonymous: false,
    speaks15: false,
    speaks20: true,
  });
  assert.equal(answered(getChannelAuthenticationCapabilities, "01 16 00 00 00 00 00 00").speaks20, false, "an old one");
  const user = answered(getUserAccess, "0a 43 01 34");
  assert.deepEqual(user, {
    users: 10,
    enabledUsers: 3,
    fixedNames: 1,
    isEnabled: true,
    onlyCallback: false,
    linkAuthentication: true,
    messaging: true,
    privilege: 4,
  });
  const option = answered(getBootOption, "01 05 a0 04 00 00 00");
  assert.equal(option.isValid, true);
  assert.deepEqual(decodeBootFlags(option.data), { isValid: true, persistent: false, efi: true, device: 1 });
  assert.deepEqual(answered(getSensorReading, "37 c0 00 80"), { raw: 0x37, isAvailable: true, states: 0 });
  assert.equal(answered(getSensorReading, "00 e0").isAvailable, false);
  assert.deepEqual(answered(getSensorThresholds, "18 00 00 00 50 5a 00"), { upperNonCritical: 0x50, upperCritical: 0x5a });
  assert.equal(answered(getSelInfo, "51 02 00 00 10 00 00 00 30 00 00 00 40 82").overflowed, true);
  assert.equal(answered(activateSession, "02 78 56 34 12 01 00 00 00 04").session, 0x12345678);
  assert.equal(readVlan(Uint8Array.of(0x23, 0x81)), 0x123);
  assert.deepEqual(readIpv6(fromHex("0102fd77000000000000000000000000000540 01".replace(" ", ""))!, "dynamic"), {
    set: 1,
    address: "fd77::5",
    prefix: 64,
    isEnabled: true,
    source: "dhcp",
    isActive: false,
  });
});

test("suites are found in their list, makers' own and broken ends are not", () => {
  assert.deepEqual(
    readCipherSuites(fromHex("c000004080c0 03014181c1 80 39 2a 00 01 c0 11 03 44 81 c0".replaceAll(" ", ""))!),
    [0, 3, 17],
  );
});

test("what a BMC says instead of yes has a code, and the code says what to do", () => {
  const refusal = (completion: number): string => {
    try {
      answered(activatePayload, "", completion);
    } catch (error) {
      assert.ok(Fault.is(error));
      assert.equal(error.facts["completion"], completion);
      return `${error.code} ${error.retry}`;
    }
    return "";
  };
  assert.deepEqual([0xc0, 0xd4, 0xc1, 0xcc, 0x80, 0x99].map(refusal), [
    "ipmi.busy soon",
    "ipmi.denied later",
    "ipmi.unsupported never",
    "ipmi.refused later",
    "ipmi.busy soon",
    "ipmi.refused later",
  ]);
});

test("what is too short is no answer, and what is too long is not asked", () => {
  for (const hex of ["", "20", "20 81 02 61 02"]) {
    assert.throws(
      () => answered(getDeviceId, hex),
      (error) => Fault.is(error, "ipmi.malformed") && error.fault === "peer",
    );
  }
  const secret = "p".repeat(21);
  assert.throws(
    () => setUserPassword.encode({ user: 2, operation: "set", password: secret }),
    (error) => Fault.is(error, "ipmi.text") && !error.message.includes("ppp"),
  );
});
