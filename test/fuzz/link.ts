/** What machines send through SideroLink. */
import assert from "node:assert/strict";
import { readEvent } from "#link/read-event.ts";
import { storyOf } from "#decide/link/story.ts";
import { applyEvent } from "#decide/link/effect.ts";
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

export const link: readonly Parser[] = [kmsgLog, linkEvent];
