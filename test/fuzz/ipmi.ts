/** IPMI: datagrams, answers of BMCs to our commands, and commands to our simulated BMC. */
import assert from "node:assert/strict";
import { VirtualClock } from "#io/memory/clock.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import { systemCrypto } from "#io/node/crypto.ts";
import { fromHex } from "#std/bytes.ts";
import * as channel from "#wire/ipmi/app/channel.ts";
import * as device from "#wire/ipmi/app/device.ts";
import { readGuid } from "#wire/ipmi/app/guid.ts";
import * as payload from "#wire/ipmi/app/payload.ts";
import * as session from "#wire/ipmi/app/session.ts";
import * as user from "#wire/ipmi/app/user.ts";
import * as boot from "#wire/ipmi/chassis/boot.ts";
import * as chassis from "#wire/ipmi/chassis/chassis.ts";
import type { Command } from "#wire/ipmi/command.ts";
import { convert } from "#wire/ipmi/sensor/conversion.ts";
import { decodeRecord } from "#wire/ipmi/sensor/record.ts";
import * as sensor from "#wire/ipmi/sensor/sensor.ts";
import { stateOf } from "#wire/ipmi/sensor/state.ts";
import { decodeAnswer } from "#wire/ipmi/session/ask.ts";
import { decodeMessage } from "#wire/ipmi/session/message.ts";
import { decode15 } from "#wire/ipmi/session/packet15.ts";
import { decode20, Protection } from "#wire/ipmi/session/packet20.ts";
import { decodeOpenRequest, decodeOpenResponse, decodeProof, decodeRakp1, decodeRakp2 } from "#wire/ipmi/session/rakp.ts";
import { decodeAsf, decodeRmcp } from "#wire/ipmi/session/rmcp.ts";
import { Session15, Session20 } from "#wire/ipmi/session/session.ts";
import { sessionKeys, SUITES } from "#wire/ipmi/session/suite.ts";
import { SolMachine } from "#wire/ipmi/sol/machine.ts";
import * as fru from "#wire/ipmi/storage/fru.ts";
import { decodeFru } from "#wire/ipmi/storage/fru-area.ts";
import * as sdr from "#wire/ipmi/storage/sdr.ts";
import * as sel from "#wire/ipmi/storage/sel.ts";
import * as lanParameter from "#wire/ipmi/transport/lan-parameter.ts";
import * as lan from "#wire/ipmi/transport/lan.ts";
import * as sol from "#wire/ipmi/transport/sol.ts";
import { SimulatedIpmi } from "../../sim/bmc/ipmi/bmc.ts";
import { COMMON_MODEL, fruOf } from "../../sim/bmc/ipmi/model.ts";
import captures from "../vectors/ipmi/captures.json" with { type: "json" };
import { type Parser, read } from "./parser.ts";

const hex = (...texts: readonly string[]): Uint8Array[] => texts.map((text) => fromHex(text)!);
const PRODUCT = { manufacturer: "Maker", name: "Server 9", serial: "SN-9" };

function simulated(): SimulatedIpmi {
  const line = { write() {}, listen: () => () => {} };
  return new SimulatedIpmi({
    clock: new VirtualClock(),
    entropy: new SeededEntropy(1),
    crypto: systemCrypto,
    chassis: { isOn: () => true, control() {}, serial: line },
    guid: new Uint8Array(16).fill(7),
    users: [{ name: "admin", password: "admin1234" }],
    suites: [0, 3, 17],
    product: PRODUCT,
    send: (bytes) => assert.ok(bytes.length > 0 && bytes.length < 512),
  });
}

const random = (length: number): Uint8Array => new Uint8Array(length);
const opened = [0, 3, 17].map((id) => {
  const suite = SUITES.get(id)!;
  const protection = new Protection(systemCrypto, random, suite, sessionKeys(systemCrypto, suite, new Uint8Array(20)));
  return { suite, make: () => new Session20({ id: 1, own: 1, peer: 1, protection }) };
});

const datagram: Parser = {
  name: "ipmi-datagram",
  seeds: captures.captures.flatMap((capture) => capture.datagrams.map(({ hex: text }) => fromHex(text)!)),
  words: hex("0600ff07", "0600ff06", "06c0", "0612", "0614", "ffff0207", "2018c881", "000011be", "61646d696e", "14000005"),
  longest: 1500,
  run(input) {
    const rmcp = read(() => decodeRmcp(input));
    if (rmcp !== undefined) read(() => decodeAsf(rmcp.body));
    const packets = [read(() => decode15(input)), read(() => decode20(input))];
    for (const packet of packets) {
      if (packet === undefined) continue;
      for (const decode of [decodeMessage, decodeOpenRequest, decodeOpenResponse, decodeRakp1, decodeRakp2, decodeProof]) {
        read(() => decode(packet.payload));
      }
      decodeAnswer(packet.payload, { netFn: 6, command: 1, data: new Uint8Array() }, 1);
      for (const end of ["remote", "bmc"] as const) {
        const { received } = new SolMachine({ end, size: 100 }).onPayload(packet.payload, 0);
        assert.ok(received.length <= packet.payload.length);
      }
    }
    for (const { suite, make } of opened) {
      const found = make().unwrap(input);
      // Without a password nobody gets in, and without a suite everybody.
      assert.ok(found === undefined || suite.id === 0);
    }
    new Session15({ id: 1, type: 2, password: new Uint8Array(16), next: 1, first: 1, primitives: systemCrypto }).unwrap(input);
    simulated().onDatagram(input, { address: "192.0.2.1", port: 623 });
  },
};

function isCommand(value: unknown): value is Command<never, unknown> {
  return typeof value === "object" && value !== null && "decode" in value && "encode" in value;
}

const COMMANDS = [channel, device, payload, session, user, boot, chassis, sensor, fru, sdr, sel, lan, sol]
  .flatMap((module): readonly unknown[] => Object.values(module))
  .filter(isCommand);
assert.ok(COMMANDS.length > 40);

/** Which command, the completion code, what is behind it. */
const answer: Parser = {
  name: "ipmi-answer",
  seeds: [
    ...hex("00002081026102bf392a003412", "050001960402000000", "1d00610050", "20000105a004000000"),
    ...COMMON_MODEL.records.map((record) => Buffer.concat([Buffer.of(0, 0), record])),
    Buffer.concat([Buffer.of(0, 0), fruOf(PRODUCT)]),
    Buffer.concat([Buffer.of(0, 0), Buffer.from("c000004080c003014181c18039", "hex")]),
  ],
  words: hex("c0", "c1", "0100", "ffff", "51", "0151", "80", "fd77"),
  longest: 4200,
  run(input) {
    const data = input.subarray(2);
    const command = COMMANDS[(input[0] ?? 0) % COMMANDS.length]!;
    read(() => command.decode({ completion: 0, data }));
    // A refusal may be ours to mend (privilege), so it need not blame the other side.
    if (input[1] !== 0) assert.throws(() => command.decode({ completion: input[1] ?? 1, data }), /the BMC answered/);
    for (const decode of [
      decodeFru,
      sel.decodeSelEntry,
      boot.decodeBootFlags,
      lanParameter.readIpv4,
      lanParameter.readMac,
      lanParameter.readAddressSource,
      lanParameter.readPort,
      lanParameter.readVlan,
      lanParameter.readCipherPrivileges,
      lanParameter.readIpv6Status,
      sol.readSolAuthentication,
      sol.readSolEnable,
    ]) {
      read<unknown>(() => decode(data));
    }
    read(() => lanParameter.readIpv6(data, "dynamic"));
    read(() => lanParameter.readCipherEntries(data, 16));
    channel.readCipherSuites(data);
    readGuid(data.subarray(0, 16));
    const record = read(() => decodeRecord(data));
    if (record?.kind !== "full" && record?.kind !== "compact") return;
    assert.match(record.name, /^[^\p{Cc}]*$/u);
    stateOf(record.eventType, record.type, input[1] ?? 0);
    const value = record.factors && convert(input[1] ?? 0, record.factors);
    assert.ok(value === undefined || Number.isFinite(value));
  },
};

/** Network function, command, data: from inside the machine, where everything is allowed. */
const command: Parser = {
  name: "ipmi-command",
  seeds: hex(
    "0601",
    "00080580040000",
    "000905",
    "0c0201030000",
    "0c0101381101",
    "0a230000000000ff",
    "0a110000000010",
    "0647040273656372657473656372657473",
    "06540e0080",
    "0a470000434c52aa",
    "042d01",
    "06480101c0000000",
    "063902",
  ),
  words: hex("ffff", "0e", "00", "434c52", "80"),
  longest: 300,
  async run(input) {
    const { channel: inside } = simulated();
    const request = { netFn: input[0] ?? 0, command: input[1] ?? 0, data: input.subarray(2) };
    const { completion, data } = await inside.request(request);
    assert.ok(completion <= 0xff && data.length < 300);
  },
};

export const ipmi: readonly Parser[] = [datagram, answer, command];
