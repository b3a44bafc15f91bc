/** Transcripts of both ends. `→` is what a machine sends, `←` what it is given. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { decode } from "./decode.ts";
import type { Turn } from "./machine.ts";
import type { Packet, Request } from "./packet.ts";
import { Receiver } from "./receiver.ts";
import { Sender, refusalOf } from "./sender.ts";
import type { File } from "./sender.ts";

function request(options: Record<string, string> = {}, file = "snp.efi"): Request {
  return { kind: "read-request", file, mode: "octet", options: new Map(Object.entries(options)) };
}

/** `size` bytes of which each is its offset. */
function file(size: number): File {
  return { size, read: (offset, length) => Uint8Array.from({ length }, (_, i) => offset + i) };
}

function ack(block: number): Packet {
  return { kind: "acknowledgement", block };
}

/** A packet in one word: `DATA 1 (512)`, `ACK 1`, `OACK blksize=8`, `ERROR 8`, `RRQ`. */
function word(bytes: Uint8Array): string {
  const packet = decode(bytes);
  switch (packet.kind) {
    case "data":
      return `DATA ${packet.block} (${packet.data.length})`;
    case "acknowledgement":
      return `ACK ${packet.block}`;
    case "option-acknowledgement":
      return `OACK ${[...packet.options].map((pair) => pair.join("=")).join(" ")}`;
    case "error":
      return `ERROR ${packet.code}`;
    case "read-request":
    case "write-request":
      return "RRQ";
  }
}

function said(turn: Turn): string[] {
  return turn.send.map(word);
}

test("a file without options: blocks of 512 bytes, the last one shorter", () => {
  const sender = new Sender(request(), file(1000));
  assert.deepEqual(said(sender.start(0)), ["DATA 1 (512)"]);
  assert.deepEqual(said(sender.onPacket(ack(1), 5)), ["DATA 2 (488)"]);
  const end = sender.onPacket(ack(2), 9);
  assert.deepEqual(end, { send: [], wakeAt: undefined, state: { kind: "done" } });
  assert.deepEqual(sender.progress, { bytes: 1000, blockSize: 512, windowSize: 1, repetitions: 0 });
});

test("files of whole blocks and empty files end with an empty block", () => {
  const whole = new Sender(request(), file(512));
  whole.start(0);
  assert.deepEqual(said(whole.onPacket(ack(1), 1)), ["DATA 2 (0)"]);
  assert.equal(whole.onPacket(ack(2), 2).state.kind, "done");
  const empty = new Sender(request(), file(0));
  assert.deepEqual(said(empty.start(0)), ["DATA 1 (0)"]);
  assert.equal(empty.onPacket(ack(1), 1).state.kind, "done");
});

test("options are granted in the order asked, lowered to the limits, or passed over", () => {
  const granted = (options: Record<string, string>): string[] =>
    said(new Sender(request(options), file(70_000), { blockSize: 1468, windowBytes: 8 * 1468 }).start(0));
  assert.deepEqual(granted({ tsize: "0", blksize: "1432", windowsize: "4", timeout: "3" }), [
    "OACK tsize=70000 blksize=1432 windowsize=4 timeout=3",
  ]);
  assert.deepEqual(granted({ blksize: "65464", windowsize: "65535" }), ["OACK blksize=1468 windowsize=8"]);
  const passedOver = { blksize: "7", windowsize: "0", timeout: "256", tsize: "-1", multicast: "", ["__proto__"]: "1" };
  assert.deepEqual(granted(passedOver), ["DATA 1 (512)"]);
  assert.deepEqual(granted({ blksize: "1e3", timeout: "0", tsize: "0" }), ["OACK tsize=70000"]);
});

test("data follows when the options are acknowledged, not before", () => {
  const sender = new Sender(request({ blksize: "8" }), file(20));
  sender.start(0);
  assert.deepEqual(said(sender.onPacket(ack(1), 1)), []);
  assert.deepEqual(said(sender.onPacket(ack(0), 2)), ["DATA 1 (8)"]);
});

test("a client that only asks for the size is no failure", () => {
  const sender = new Sender(request({ tsize: "0", blksize: "1468" }), file(20));
  sender.start(0);
  const end = sender.onPacket({ kind: "error", code: 8, message: "User aborted the tftp process" }, 1);
  assert.equal(end.state.kind, "declined");
  const broken = new Sender(request(), file(20));
  broken.start(0);
  assert.deepEqual(broken.onPacket({ kind: "error", code: 3, message: "full" }, 1).state, {
    kind: "failed",
    reason: "peer-error",
    code: 3,
    message: "full",
  });
});

test("no sorcerer's apprentice: an acknowledgement that comes twice moves nothing", () => {
  const sender = new Sender(request(), file(5000));
  sender.start(0);
  assert.deepEqual(said(sender.onPacket(ack(1), 1)), ["DATA 2 (512)"]);
  for (let i = 0; i < 5; i++) assert.deepEqual(said(sender.onPacket(ack(1), 2)), []);
  assert.deepEqual(said(sender.onPacket(ack(0), 2)), []);
  assert.deepEqual(said(sender.onPacket(ack(3), 2)), [], "what was never sent cannot be acknowledged");
  assert.deepEqual(said(sender.onPacket(ack(2), 3)), ["DATA 3 (512)"]);
});

test("windows restart behind the block that was acknowledged", () => {
  const sender = new Sender(request({ blksize: "8", windowsize: "4" }), file(80));
  sender.start(0);
  assert.deepEqual(said(sender.onPacket(ack(0), 1)), ["DATA 1 (8)", "DATA 2 (8)", "DATA 3 (8)", "DATA 4 (8)"]);
  assert.deepEqual(said(sender.onPacket(ack(2), 2)), ["DATA 3 (8)", "DATA 4 (8)", "DATA 5 (8)", "DATA 6 (8)"]);
  assert.deepEqual(said(sender.onPacket(ack(1), 3)), []);
  assert.deepEqual(said(sender.onPacket(ack(6), 4)), ["DATA 7 (8)", "DATA 8 (8)", "DATA 9 (8)", "DATA 10 (8)"]);
  assert.deepEqual(said(sender.onPacket(ack(10), 5)), ["DATA 11 (0)"]);
  assert.equal(sender.onPacket(ack(11), 6).state.kind, "done");
});

test("a window that seems lost waits a moment for its acknowledgement, then goes out again", () => {
  const sender = new Sender(request({ blksize: "8", windowsize: "2" }), file(80));
  sender.start(0);
  sender.onPacket(ack(0), 1);
  assert.deepEqual(sender.onPacket(ack(0), 10), { send: [], wakeAt: 110, state: { kind: "running" } });
  assert.equal(sender.onPacket(ack(0), 50).wakeAt, 110, "more copies do not put it off");
  assert.deepEqual(said(sender.onTime(110)), ["DATA 1 (8)", "DATA 2 (8)"]);
  assert.equal(sender.onPacket(ack(2), 120).wakeAt, 1120, "progress makes it new");
});

test("silence: again after 1, 2, 4, 8, 8 … seconds, then given up", () => {
  const sender = new Sender(request(), file(10));
  let turn: Turn = sender.start(100);
  const waits: number[] = [];
  let now = 100;
  while (turn.wakeAt !== undefined) {
    waits.push(turn.wakeAt - now);
    assert.deepEqual(said(sender.onTime(turn.wakeAt - 1)), [], "not early");
    now = turn.wakeAt;
    turn = sender.onTime(now);
  }
  assert.deepEqual(waits, [1000, 2000, 4000, 8000, 8000, 8000, 8000, 8000]);
  assert.deepEqual(turn, { send: [], wakeAt: undefined, state: { kind: "failed", reason: "silence" } });
  assert.equal(sender.progress.repetitions, 7);
});

test("progress makes patience new, and the client may say how long to wait", () => {
  const sender = new Sender(request({ timeout: "20" }), file(1000));
  assert.equal(sender.start(0).wakeAt, 20_000);
  assert.equal(sender.onTime(20_000).wakeAt, 40_000);
  assert.equal(sender.onPacket(ack(0), 20_001).wakeAt, 40_001);
});

test("the request again: before any data the answer is repeated, later a quiet client starts anew", () => {
  const sender = new Sender(request({ blksize: "8" }), file(20));
  sender.start(0);
  assert.deepEqual(said(sender.onPacket(request({ blksize: "8" }), 1)), ["OACK blksize=8"]);
  sender.onPacket(ack(0), 2);
  assert.deepEqual(said(sender.onPacket(request({ blksize: "8" }), 3)), ["DATA 1 (8)"]);
  sender.onPacket(ack(1), 4);
  assert.equal(sender.onPacket(request({ blksize: "8" }), 500).state.kind, "running", "a copy that was late");
  assert.equal(sender.onPacket(request({ blksize: "8" }), 2000).state.kind, "superseded");
  const other = new Sender(request(), file(20));
  other.start(0);
  assert.equal(other.onPacket(request({}, "other"), 1).state.kind, "superseded");
});

test("writing and translating modes are refused", () => {
  assert.equal(refusalOf(request()), undefined);
  assert.equal(refusalOf({ ...request(), kind: "write-request" })?.code, 2);
  assert.deepEqual(refusalOf({ ...request(), mode: "netascii\n" }), {
    kind: "error",
    code: 0,
    message: 'mode "netascii?" is not served, ask for octet (binary)',
  });
});

test("a receiver asks, checks what was granted, and acknowledges whole windows", () => {
  const receiver = new Receiver("f", { blockSize: 8, windowSize: 2, size: true });
  assert.deepEqual(said(receiver.start(0)), ["RRQ"]);
  const granted = new Map([
    ["blksize", "8"],
    ["windowsize", "2"],
    ["tsize", "20"],
  ]);
  assert.deepEqual(said(receiver.onPacket({ kind: "option-acknowledgement", options: granted }, 1)), ["ACK 0"]);
  assert.equal(receiver.size, 20);
  const block = (number: number, length: number): Packet => ({ kind: "data", block: number, data: new Uint8Array(length) });
  assert.deepEqual(said(receiver.onPacket(block(1, 8), 2)), []);
  assert.deepEqual(said(receiver.onPacket(block(3, 4), 2)), ["ACK 1"], "2 is missing");
  assert.deepEqual(said(receiver.onPacket(block(3, 4), 2)), []);
  assert.deepEqual(said(receiver.onPacket(block(2, 8), 3)), []);
  const end = receiver.onPacket(block(3, 4), 3);
  assert.deepEqual([said(end), end.received.length, end.state.kind, end.wakeAt], [["ACK 3"], 1, "done", undefined]);
  assert.deepEqual(said(receiver.onPacket(block(3, 4), 4)), ["ACK 3"], "dallying");
});

test("a receiver refuses options it did not ask for, sizes that grew and blocks that are too large", () => {
  for (const [name, value] of [
    ["multicast", "x"],
    ["blksize", "9"],
    ["blksize", "4"],
  ] as const) {
    const receiver = new Receiver("f", { blockSize: 8 });
    receiver.start(0);
    const end = receiver.onPacket({ kind: "option-acknowledgement", options: new Map([[name, value]]) }, 1);
    assert.deepEqual([said(end), end.state.kind], [["ERROR 8"], "failed"]);
  }
  const receiver = new Receiver("f");
  receiver.start(0);
  assert.deepEqual(said(receiver.onPacket({ kind: "data", block: 1, data: new Uint8Array(513) }, 1)), ["ERROR 4"]);
});
