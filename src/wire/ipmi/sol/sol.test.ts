/** Transcripts of both ends of a serial console. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SolMachine } from "./machine.ts";
import type { SolTurn } from "./machine.ts";
import { decodeSol, encodeSol, OPERATION, STATUS } from "./packet.ts";

const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "latin1"));
const text = (data: Uint8Array): string => Buffer.from(data).toString("latin1");

/** `1 "ab"`, `ack 1 (2)`, with flags in hexadecimal. */
function said({ send }: Pick<SolTurn, "send">): string[] {
  return send.map((payload) => {
    const { sequence, acknowledges, accepted, flags, data } = decodeSol(payload);
    const suffix = flags === 0 ? "" : ` ${flags.toString(16)}`;
    return (sequence === 0 ? `ack ${acknowledges} (${accepted})` : `${sequence} "${text(data)}"`) + suffix;
  });
}

function ack(acknowledges: number, accepted: number, flags = 0): Uint8Array {
  return encodeSol({ sequence: 0, acknowledges, accepted, flags, data: new Uint8Array() });
}

function data(sequence: number, characters: string, flags = 0): Uint8Array {
  return encodeSol({ sequence, acknowledges: 0, accepted: 0, flags, data: bytes(characters) });
}

test("one packet at a time; what is written meanwhile goes with the next", () => {
  const machine = new SolMachine({ end: "remote", size: 8 });
  assert.deepEqual(said(machine.write(bytes("ab"), 0)), ['1 "ab"']);
  assert.deepEqual(said(machine.write(bytes("cdefgh"), 1)), []);
  assert.equal(machine.unsent, 8);
  assert.deepEqual(said(machine.onPayload(ack(1, 2), 2)), ['2 "cdef"']);
  assert.deepEqual(said(machine.onPayload(ack(1, 2), 3)), [], "an old acknowledgement");
  assert.deepEqual(said(machine.onPayload(ack(2, 1), 4)), ['3 "defg"'], "what was not taken goes again");
  assert.deepEqual(said(machine.onPayload(ack(3, 4), 5)), ['4 "h"']);
  assert.equal(machine.onPayload(ack(4, 1), 6).wakeAt, undefined);
  assert.equal(machine.unsent, 0);
});

test("numbers go from 1 to 15 and round", () => {
  const machine = new SolMachine({ end: "remote", size: 5 });
  const numbers = Array.from({ length: 17 }, (_, i) => {
    const [payload] = machine.write(bytes("x"), i).send;
    const { sequence } = decodeSol(payload!);
    machine.onPayload(ack(sequence, 1), i);
    return sequence;
  });
  assert.deepEqual(numbers, [...Array.from({ length: 15 }, (_, i) => i + 1), 1, 2]);
});

test("silence: again every second, then it is over", () => {
  const machine = new SolMachine({ end: "remote", size: 100, repetitions: 2 });
  assert.equal(machine.write(bytes("a"), 0).wakeAt, 1000);
  assert.deepEqual(said(machine.onTime(999)), []);
  assert.deepEqual(said(machine.onTime(1000)), ['1 "a"']);
  assert.deepEqual(said(machine.onTime(2000)), ['1 "a"']);
  const end = machine.onTime(3000);
  assert.deepEqual([said(end), end.state, end.wakeAt], [[], "silent", undefined]);
});

test("a refusal waits before it is tried again", () => {
  const machine = new SolMachine({ end: "remote", size: 100 });
  machine.write(bytes("a"), 0);
  const refused = machine.onPayload(ack(1, 0, STATUS.nack | STATUS.unavailable), 10);
  assert.deepEqual([said(refused), refused.wakeAt], [[], 1010]);
  assert.deepEqual(said(machine.write(bytes("b"), 20)), [], "not yet");
  assert.deepEqual(said(machine.onTime(1010)), ['2 "ab"']);
});

test("what comes is acknowledged; copies are not taken twice, and one that grew is taken where it is new", () => {
  const machine = new SolMachine({ end: "remote", size: 100 });
  const first = machine.onPayload(data(1, "boot"), 0);
  assert.deepEqual([said(first), text(first.received)], [["ack 1 (4)"], "boot"]);
  const copy = machine.onPayload(data(1, "boot"), 1);
  assert.deepEqual([said(copy), text(copy.received)], [["ack 1 (4)"], ""]);
  const grown = machine.onPayload(data(1, "booting"), 2);
  assert.deepEqual([said(grown), text(grown.received)], [["ack 1 (7)"], "ing"]);
  assert.equal(text(machine.onPayload(data(2, "boot"), 3).received), "boot");
  assert.deepEqual(said(machine.onPayload(Uint8Array.of(1, 2), 4)), [], "no packet");
});

test("breaks and the end", () => {
  const [remote, bmc] = [new SolMachine({ end: "remote", size: 100 }), new SolMachine({ end: "bmc", size: 100 })];
  const broken = remote.break(0);
  assert.deepEqual(said(broken), [`1 "" ${OPERATION.break.toString(16)}`]);
  const heard = bmc.onPayload(broken.send[0]!, 1);
  assert.deepEqual([heard.isBreak, said(heard)], [true, ["ack 1 (0)"]]);
  assert.equal(bmc.onPayload(broken.send[0]!, 2).isBreak, false, "once");
  assert.equal(remote.onPayload(heard.send[0]!, 3).wakeAt, undefined);
  const end = remote.onPayload(data(1, "bye", STATUS.deactivating), 4);
  assert.deepEqual([end.state, text(end.received)], ["ended", "bye"]);
  assert.deepEqual(said(remote.write(bytes("x"), 5)), []);
});
