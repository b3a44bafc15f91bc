/** Both ends over a channel that loses, doubles and reorders packets, in virtual time. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decode } from "./decode.ts";
import type { State } from "./machine.ts";
import type { Request } from "./packet.ts";
import { Receiver } from "./receiver.ts";
import type { Wishes } from "./receiver.ts";
import { Sender } from "./sender.ts";
import type { File } from "./sender.ts";

interface Channel {
  /** In a hundred packets. */
  readonly loss: number;
  readonly doubled: number;
  /** Milliseconds a packet takes: 1 to this, each by itself, so that they overtake one another. */
  readonly delay: number;
  readonly seed: number;
}

/** Marsaglia's xorshift32. */
function dice(seed: number): (sides: number) => number {
  let state = seed | 1;
  return (sides) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % sides;
  };
}

interface Result {
  readonly sender: State;
  readonly receiver: State;
  readonly received: Uint8Array[];
  readonly packets: number;
}

/** Runs a transfer until both ends are final or nothing moves any more. */
function transfer(file: File, wishes: Wishes, channel: Channel): Result {
  const roll = dice(channel.seed);
  const receiver = new Receiver("f", wishes);
  let sender: Sender | undefined;
  let senderState: State = { kind: "running" };
  let receiverState: State = { kind: "running" };
  let senderWake: number | undefined;
  let receiverWake: number | undefined;
  const received: Uint8Array[] = [];
  const flying: { at: number; to: "sender" | "receiver"; bytes: Uint8Array }[] = [];
  let now = 0;
  let packets = 0;

  const post = (to: "sender" | "receiver", send: readonly Uint8Array[]): void => {
    for (const bytes of send) {
      packets++;
      const copies = roll(100) < channel.loss ? 0 : roll(100) < channel.doubled ? 2 : 1;
      for (let copy = 0; copy < copies; copy++) flying.push({ at: now + 1 + roll(channel.delay), to, bytes });
    }
  };
  const hear = (turn: ReturnType<Receiver["start"]>): void => {
    received.push(...turn.received);
    [receiverState, receiverWake] = [turn.state, turn.wakeAt];
    post("sender", turn.send);
  };
  const answer = (turn: ReturnType<Sender["start"]>): void => {
    [senderState, senderWake] = [turn.state, turn.wakeAt];
    post("receiver", turn.send);
  };

  hear(receiver.start(now));
  for (let step = 0; step < 1_000_000; step++) {
    let next = 0;
    for (let i = 1; i < flying.length; i++) if (flying[i]!.at < flying[next]!.at) next = i;
    const times = [flying[next]?.at, senderWake, receiverWake].filter((time) => time !== undefined);
    if (times.length === 0) return { sender: senderState, receiver: receiverState, received, packets };
    now = Math.min(...times);
    if (flying[next]?.at === now) {
      const { to, bytes } = flying.splice(next, 1)[0]!;
      const packet = decode(bytes);
      if (to === "receiver") hear(receiver.onPacket(packet, now));
      else if (sender !== undefined) answer(sender.onPacket(packet, now));
      else answer((sender = new Sender(packet as Request, file)).start(now));
    } else if (senderWake === now) answer(sender!.onTime(now));
    else hear(receiver.onTime(now));
  }
  throw new Error("the transfer does not end");
}

function pattern(size: number): File {
  return { size, read: (offset, length) => Uint8Array.from({ length }, (_, i) => ((offset + i) * 31) >> 3) };
}

const wishes: fc.Arbitrary<Wishes> = fc.record(
  { blockSize: fc.integer({ min: 8, max: 64 }), windowSize: fc.integer({ min: 1, max: 40 }), size: fc.boolean() },
  { requiredKeys: [] },
);
const channel: fc.Arbitrary<Channel> = fc.record({
  loss: fc.constantFrom(0, 1, 10, 30, 60, 100),
  doubled: fc.constantFrom(0, 5, 50),
  delay: fc.constantFrom(1, 3, 50, 3000),
  seed: fc.integer(),
});

test("over any channel the file arrives as it is, or the failure is clear", () => {
  fc.assert(
    fc.property(fc.nat({ max: 1500 }), wishes, channel, (size, wanted, way) => {
      const file = pattern(size);
      const { sender, receiver, received, packets } = transfer(file, wanted, way);
      assert.notEqual(receiver.kind, "running");
      const bytes = received.flatMap((block) => [...block]);
      assert.deepEqual(bytes, [...file.read(0, bytes.length)], "what arrived is the file's beginning");
      if (receiver.kind === "done") assert.equal(bytes.length, size);
      else assert.deepEqual(receiver, { kind: "failed", reason: "silence" });
      if (sender.kind === "done") assert.equal(receiver.kind, "done", "the sender knows of every byte");
      if (way.loss <= 1 && way.delay < 3000) assert.equal(receiver.kind, "done");
      // Lossless and in order, nothing is sent for nothing: doubled packets are not answered with more and more.
      if (way.loss === 0 && way.delay === 1) {
        const blocks = Math.floor(size / (wanted.blockSize ?? 512)) + 1;
        assert.ok(packets <= 6 * (blocks + 2), `${packets} packets for ${blocks} blocks`);
      }
    }),
    { numRuns: 150 },
  );
});

test("block numbers roll over to 0: 70,000 blocks of 8 bytes", () => {
  for (const windowSize of [1, 64]) {
    const size = 70_000 * 8 - 3;
    const file = pattern(size);
    const { receiver, received } = transfer(file, { blockSize: 8, windowSize }, { loss: 0, doubled: 0, delay: 1, seed: 7 });
    assert.equal(receiver.kind, "done");
    assert.equal(received.length, 70_000);
    const joined = new Uint8Array(size);
    received.forEach((block, i) => joined.set(block, i * 8));
    assert.deepEqual(joined, file.read(0, size));
  }
});

test("a rollover in a window whose packets get lost", () => {
  const file = pattern(66_000 * 8);
  const { receiver, received } = transfer(file, { blockSize: 8, windowSize: 32 }, { loss: 1, doubled: 1, delay: 1, seed: 3 });
  assert.equal(receiver.kind, "done");
  assert.equal(
    received.reduce((sum, block) => sum + block.length, 0),
    file.size,
  );
});
