/** Sessions of foreign programs, read with their password: every code that proves something is the one that we compute. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { systemCrypto } from "#io/node/crypto.ts";
import { fromHex } from "#std/bytes.ts";
import { activateSession } from "#wire/ipmi/app/session.ts";
import { APP, AUTHENTICATION, PASSWORD_15, PASSWORD_20, PAYLOAD } from "#wire/ipmi/constants.ts";
import { leastFirst, paddedText } from "#wire/ipmi/reader.ts";
import { decodeMessage } from "#wire/ipmi/session/message.ts";
import type { Message } from "#wire/ipmi/session/message.ts";
import { decode15 } from "#wire/ipmi/session/packet15.ts";
import { decode20, Protection } from "#wire/ipmi/session/packet20.ts";
import { decodeOpenResponse, decodeProof, decodeRakp1, decodeRakp2 } from "#wire/ipmi/session/rakp.ts";
import { decodeAsf, decodeRmcp } from "#wire/ipmi/session/rmcp.ts";
import { Session15, Session20, tolerant } from "#wire/ipmi/session/session.ts";
import type { Session } from "#wire/ipmi/session/session.ts";
import { Rakp, sessionKeys, SUITES } from "#wire/ipmi/session/suite.ts";
import vectors from "../vectors/ipmi/captures.json" with { type: "json" };

type Capture = (typeof vectors.captures)[number];
type End = "client" | "bmc";

function datagrams({ datagrams: all }: Capture, from: End): Uint8Array[] {
  return all.filter((datagram) => datagram.from === from).map(({ hex }) => fromHex(hex)!);
}

/** The payload of the only message of that type. */
function opening(capture: Capture, from: End, type: number): Uint8Array {
  const found = datagrams(capture, from)
    .map((bytes) => tolerant(() => decode20(bytes)))
    .filter((packet) => packet?.session === 0 && packet.type === type);
  assert.equal(found.length, 1);
  return found[0]!.payload;
}

/** All commands or answers of a session. */
function messages(session: Session, all: readonly Uint8Array[]): Message[] {
  const payloads = all.map((bytes) => session.unwrap(bytes)).filter((payload) => payload !== undefined);
  assert.deepEqual(
    all.map((bytes) => session.unwrap(bytes)).filter((payload) => payload !== undefined),
    [],
    "a copy is none",
  );
  return payloads.map(({ bytes }) => decodeMessage(bytes));
}

function words(found: readonly Message[]): string[] {
  return found.map(({ netFn, command }) => `${netFn.toString(16)}.${command.toString(16)}`);
}

for (const capture of vectors.captures.filter(({ suite }) => suite !== undefined)) {
  test(`RMCP+: ${capture.name}`, () => {
    const suite = SUITES.get(capture.suite!)!;
    const password = paddedText(capture.password, PASSWORD_20, "password");
    const open = decodeOpenResponse(opening(capture, "bmc", PAYLOAD.openSessionResponse));
    const rakp1 = decodeRakp1(opening(capture, "client", PAYLOAD.rakp1));
    const rakp2 = decodeRakp2(opening(capture, "bmc", PAYLOAD.rakp2));
    const { granted } = rakp2;
    const rakp = new Rakp(systemCrypto, suite, {
      remoteSession: Uint8Array.from(leastFirst(open.remoteSession, 4)),
      bmcSession: Uint8Array.from(leastFirst(open.granted!.bmcSession, 4)),
      remoteRandom: rakp1.random,
      bmcRandom: granted!.random,
      guid: granted!.guid,
      role: rakp1.role,
      user: rakp1.user,
    });
    assert.equal(String.fromCharCode(...rakp1.user), capture.user);
    assert.deepEqual(Buffer.from(rakp.code2(password)), Buffer.from(granted!.code), "RAKP message 2");
    const third = decodeProof(opening(capture, "client", PAYLOAD.rakp3));
    assert.deepEqual(Buffer.from(rakp.code3(password)), Buffer.from(third.code), "RAKP message 3");
    const sik = rakp.sik(password);
    assert.deepEqual(Buffer.from(rakp.code4(sik)), Buffer.from(decodeProof(opening(capture, "bmc", PAYLOAD.rakp4)).code));

    const protection = new Protection(
      systemCrypto,
      (length) => new Uint8Array(length),
      suite,
      sessionKeys(systemCrypto, suite, sik),
    );
    const id = open.granted!.bmcSession;
    const bmc = new Session20({ id, own: id, peer: open.remoteSession, protection });
    const client = new Session20({ id, own: open.remoteSession, peer: id, protection });
    const asked = messages(bmc, datagrams(capture, "client"));
    const answered = messages(client, datagrams(capture, "bmc"));
    assert.equal(words(asked)[0], "6.3b");
    assert.equal(words(asked).at(-1), "6.3c");
    assert.ok(words(asked).includes("6.1"));
    assert.deepEqual(
      words(answered),
      asked.map(({ netFn, command }) => `${(netFn | 1).toString(16)}.${command.toString(16)}`),
    );
  });
}

test("IPMI 1.5: challenge, MD5, numbers", () => {
  const capture = vectors.captures.find(({ suite }) => suite === undefined)!;
  const password = paddedText(capture.password, PASSWORD_15, "password");
  const decoded = (from: End) => datagrams(capture, from).map((bytes) => tolerant(() => decode15(bytes)));
  const activations = decoded("client").map((packet) => packet && { packet, message: decodeMessage(packet.payload) });
  const asked = activations.find((found) => found?.message.command === APP.activateSession)!;
  assert.equal(asked.packet.type, AUTHENTICATION.md5);
  const answer = decoded("bmc")
    .map((packet) => packet && decodeMessage(packet.payload))
    .find((message) => message?.command === APP.activateSession)!;
  const active = activateSession.decode({ completion: answer.data[0]!, data: answer.data.subarray(1) });
  const outbound = new DataView(asked.message.data.buffer, asked.message.data.byteOffset).getUint32(18, true);
  const make = (first: number): Session15 =>
    new Session15({ id: active.session, type: active.type, password, next: 1, first, primitives: systemCrypto });
  assert.deepEqual(words(messages(make(active.inbound), datagrams(capture, "client"))), [
    "6.3b",
    "2c.3e",
    "6.1",
    "2c.0",
    "2c.0",
    "6.1",
    "6.3c",
  ]);
  const answers = messages(make(outbound), datagrams(capture, "bmc"));
  assert.deepEqual(words(answers), ["7.3b", "2d.3e", "7.1", "2d.0", "2d.0", "7.1", "7.3c"]);
  const wrong = new Session15({
    id: active.session,
    type: active.type,
    password: paddedText("another", PASSWORD_15, "password"),
    next: 1,
    first: outbound,
    primitives: systemCrypto,
  });
  assert.deepEqual(messages(wrong, datagrams(capture, "bmc")), []);
  const [ping, pong] = [datagrams(capture, "client")[0]!, datagrams(capture, "bmc")[0]!].map((bytes) =>
    decodeAsf(decodeRmcp(bytes).body),
  );
  assert.deepEqual(
    [ping, pong],
    [
      { kind: "ping", tag: 0 },
      { kind: "pong", tag: 0, speaksIpmi: true },
    ],
  );
});
