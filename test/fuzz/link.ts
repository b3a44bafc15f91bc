/** What machines send through SideroLink. */
import assert from "node:assert/strict";
import { create, toBinary } from "@bufbuild/protobuf";
import { readEvent } from "#link/read-event.ts";
import { storyOf } from "#decide/link/story.ts";
import { applyEvent } from "#decide/link/effect.ts";
import { createSink, PUBLISH } from "#link/sink.ts";
import { ProvisionRequestSchema } from "#proto/siderolink/provision_pb.js";
import { silent } from "#io/log.ts";
import { VirtualClock } from "#io/memory/clock.ts";
import { createMemorySeal } from "#io/memory/seal.ts";
import { digest } from "#io/node/digest.ts";
import type { Handler, Outgoing } from "#io/serve.ts";
import { createProvision, PROVISION_PATH } from "#link/provision.ts";
import { Peers } from "#link/peers.ts";
import { messagesOf } from "#link/messages.ts";
import { packetOf } from "#link/relay.ts";
import { Fault } from "#std/fault.ts";
import { networkOf } from "#decide/link/address.ts";
import { fromHex } from "#std/bytes.ts";
import { createLines } from "#wire/kmsg-log/lines.ts";
import { LONGEST_RECORD, parseRecord } from "#wire/kmsg-log/record.ts";
import { latin, type Parser, read } from "./parser.ts";

const MESSAGE =
  '{"clock":12,"facility":"kern","msg":"m","priority":6,"seq":8,"talos-level":"info","talos-time":"2026-01-02T03:04:05Z"}';

const kmsgLog: Parser = {
  name: "kmsg-log",
  seeds: [`${MESSAGE}\n`, `${MESSAGE}\r\n{"msg":"a","rack":"4","talos-service":"etcd"}\n\n{}\nnull\n`].map(latin),
  words: ['{"msg":"', '"}\n', "\n", "\r\n", '"__proto__":', "\\ud800", "1e999", "[[[["].map(latin),
  longest: 4096,
  run(input) {
    // By TCP, in two pieces, with lines that may be too long; and all of it as a datagram.
    const reader = createLines(256);
    const lines = [...reader.push(input.subarray(0, input.length >> 1)), ...reader.push(input.subarray(input.length >> 1))];
    assert.ok(reader.held <= 256);
    for (const line of [...lines, input]) {
      const record = read(() => parseRecord(line));
      if (record === undefined) continue;
      assert.ok(record.message.length <= LONGEST_RECORD && record.tags.length <= 32);
      assert.ok((record.sequence ?? 0) >= 0 && (record.time?.length ?? 0) <= 35);
    }
  },
};

const TYPES = ["Address", "ConfigValidationError", "ConfigLoadError", "Phase", "Task", "ServiceState", "Sequence"];

/** Byte 0 picks the type, the rest is the message. */
const linkEvent: Parser = {
  name: "link-event",
  seeds: ["000a0168120161120162", "030a07696e7374616c6c", "050a017310061a016d", "060a0762106f1a0312016d"].map((each) =>
    fromHex(each)!,
  ),
  words: ["0a07696e7374616c6c", "0a04626f6f74", "1001", "1a0312016d", "0800", "ff"].map((each) => fromHex(each)!),
  longest: 1024,
  run(input) {
    const event = readEvent({ typeUrl: `machine.${TYPES[(input[0] ?? 0) % TYPES.length]}Event`, value: input.subarray(1) });
    const options = { tunnel: "fd00::1/64", negative: [], now: "2026-01-02T03:04:05Z" };
    const once = applyEvent({ conditions: [] }, event, options);
    assert.equal(applyEvent(once, event, options), once);
    assert.ok((storyOf(event)?.line.length ?? 0) <= 1000);
  },
};

const clock = new VirtualClock();
const witness = (): void => {};
const inventory = {
  isComplete: true,
  server: () => undefined,
  serversByMac: () => [],
  binding: () => undefined,
  serverClass: () => undefined,
  environment: () => undefined,
};
const port = {
  binding: async () => undefined,
  join: async () => {},
  report: async () => {},
  event() {},
};
/** What is logged as an error is a defect of ours. */
const log = {
  ...silent,
  error: (message: string, facts?: object) => assert.fail(`${message} ${JSON.stringify(facts)}`),
  with: () => log,
};
const peers = new Peers({ tunnel: { setPeers: async () => {} }, clock, log });
const provision = createProvision({
  port,
  inventory,
  network: networkOf("", () => new Uint8Array(32)),
  peers,
  tunnel: { isUp: true, handshakes: async () => new Map() },
  publicKey: "",
  seal: createMemorySeal(1),
  digest,
  sha256: () => new Uint8Array(32).fill(7),
  clock,
  log,
  witness,
  endpoint: () => "10.0.0.1:51821",
  virtual: () => "",
  isOpen: true,
  tokenLifetime: 1000,
});
const sink = createSink({
  port,
  inventory,
  peers: { at: () => ({ name: "n", isGuest: false, publicKey: "k" }) },
  negative: [],
  clock,
  log,
  witness,
});
const CALLS: readonly (readonly [Handler, string])[] = [
  [provision, PROVISION_PATH],
  [sink, PUBLISH],
];

/** Byte 0 picks the call, byte 1 how it is framed; the rest is the message. */
const linkCall: Parser = {
  name: "link-call",
  seeds: [
    Buffer.concat([
      Buffer.of(0, 0),
      toBinary(
        ProvisionRequestSchema,
        create(ProvisionRequestSchema, {
          nodeUuid: "00112233-4455-6677-8899-aabbccddeeff",
          nodePublicKey: "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=",
          joinToken: "t",
          nodeUniqueToken: "u",
        }),
      ),
    ]),
    Buffer.concat([Buffer.of(1, 0), fromHex("0a0c0a0a6d616368696e652e5812001203616263")!]),
  ],
  words: ["0a07696e7374616c6c", "1a00", "2200", "0b", "0c", "ffffffffff01", "00000000"].map((each) => fromHex(each)!),
  longest: 4096,
  async run(input) {
    const [handler, target] = CALLS[(input[0] ?? 0) % CALLS.length]!;
    const message = Buffer.from(input.subarray(2));
    const head = Buffer.alloc(5);
    head.writeUInt32BE(message.length, 1);
    const body = (input[1] ?? 0) < 128 ? Buffer.concat([head, message]) : message;
    const signal = new AbortController().signal;
    const headers = { "content-type": "application/grpc" };
    const answer = await handler({
      method: "POST",
      target,
      headers,
      peer: { address: "10.0.0.7" },
      body: async () => body,
      signal,
    });
    // UNAVAILABLE: something went wrong here.
    assert.notEqual(statusOf(answer), "14");
  },
};

function statusOf({ headers, body }: Outgoing): string {
  let status = String(headers["grpc-status"] ?? "");
  if ("open" in body)
    body.open({ write() {}, full: false, onDrain() {}, end: (last = {}) => void (status = last["grpc-status"] ?? "") });
  return status;
}

/** WireGuard over gRPC. Byte 0 says how long the pieces are in which it comes, the rest is the stream. */
const linkStream: Parser = {
  name: "link-stream",
  seeds: ["400000000005120361626300000000020a00", "01000000000a0a0101000000000b120901020304050607"].map((each) => fromHex(each)!),
  words: ["0000000005", "0100000005", "00ffffffff", "120361", "0a00"].map((each) => fromHex(each)!),
  longest: 4096,
  async run(input) {
    const size = 1 + (input[0] ?? 0);
    const stream = input.subarray(1);
    async function* pieces(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < stream.length; at += size) yield stream.subarray(at, at + size);
    }
    let taken = 0;
    try {
      for await (const message of messagesOf(pieces(), LONGEST_MESSAGE)) {
        assert.ok(message.length <= LONGEST_MESSAGE);
        taken += 5 + message.length;
        packetOf(message);
      }
    } catch (error) {
      if (!Fault.is(error) || error.facts["rpc"] === undefined) throw error;
    }
    assert.ok(taken <= stream.length);
  },
};
const LONGEST_MESSAGE = 256;

export const link: readonly Parser[] = [kmsgLog, linkEvent, linkCall, linkStream];
