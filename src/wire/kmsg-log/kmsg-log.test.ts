import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { concat } from "#std/bytes.ts";
import { Fault } from "#std/fault.ts";
import { createLines } from "./lines.ts";
import { LONGEST_RECORD, parseRecord } from "./record.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (each: Uint8Array): string => new TextDecoder().decode(each);
const isMalformed = (fault: unknown): boolean => Fault.is(fault, "kmsg-log.malformed") && fault.fault === "peer";

test("a kernel message with everything in it", () => {
  const line =
    '{"clock":1234567,"facility":"kern","msg":"eth0: link up\\n","priority":6,"rack":"4","seq":812,"n":1,' +
    '"talos-level":"info","talos-time":"2026-01-02T03:04:05.123456789Z"}';
  assert.deepEqual(parseRecord(bytes(line)), {
    message: "eth0: link up",
    time: "2026-01-02T03:04:05.123456789Z",
    level: "info",
    facility: "kern",
    sequence: 812,
    clock: 1234567,
    priority: 6,
    tags: [["rack", "4"]],
  });
});

test("a service's message, and one with nothing but itself", () => {
  const service = parseRecord(bytes('{"msg":"started","talos-service":"machined"}'));
  assert.deepEqual(service, { message: "started", service: "machined", tags: [] });
  assert.deepEqual(parseRecord(bytes('{"msg":""}')), { message: "", tags: [] });
});

test("fields of another type are left out", () => {
  const odd =
    '{"msg":"m","seq":-1,"clock":1.5,"priority":"6","talos-time":"yesterday","talos-level":7,"facility":"","__proto__":"x"}';
  assert.deepEqual(parseRecord(bytes(odd)), { message: "m", tags: [["__proto__", "x"]] });
});

test("what is no message", () => {
  const endless = `{"msg":"${"x".repeat(LONGEST_RECORD)}"}`;
  for (const each of ["", "x", "null", "[]", '"msg"', "{}", '{"msg":1}', '{"msg":"m"', "[".repeat(60_000), endless])
    assert.throws(() => parseRecord(bytes(each)), isMalformed, each.slice(0, 20));
});

test("what is not UTF-8 is still a message, and tags have bounds", () => {
  assert.equal(parseRecord(concat([bytes('{"msg":"a'), Uint8Array.of(0xff), bytes('b"}')])).message, "a\ufffdb");
  const many = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`t${i}`, "v".repeat(1000)]));
  const { tags } = parseRecord(bytes(JSON.stringify({ msg: "m", ...many })));
  assert.equal(tags.length, 32);
  assert.ok(tags.every(([, value]) => value.length === 256));
});

test("wherever a stream is cut, its lines are the same; too long ones are counted and gone", () => {
  const lines = fc.array(fc.stringMatching(/^[a-z]{0,12}$/), { maxLength: 20 });
  fc.assert(
    fc.property(lines, fc.boolean(), fc.infiniteStream(fc.integer({ min: 1, max: 7 })), (each, isDos, cuts) => {
      const stream = bytes(each.map((line) => line + (isDos ? "\r\n" : "\n")).join(""));
      const reader = createLines(8);
      const found: string[] = [];
      for (let at = 0; at < stream.length;) {
        const next = at + cuts.next().value!;
        found.push(...reader.push(stream.subarray(at, next)).map(text));
        assert.ok(reader.held <= 8);
        at = next;
      }
      const fits = (line: string): boolean => line.length + (isDos ? 1 : 0) <= 8;
      assert.deepEqual(
        found,
        each.filter((line) => line !== "" && fits(line)),
      );
      assert.equal(reader.dropped, each.filter((line) => !fits(line)).length);
      assert.equal(reader.held, 0);
    }),
  );
});

test("a line that never ends takes no more than its share", () => {
  const reader = createLines(16);
  for (let i = 0; i < 1000; i++) assert.deepEqual(reader.push(bytes("xxxxxxxx")), []);
  assert.ok(reader.held <= 16);
  assert.equal(reader.dropped, 1);
  assert.deepEqual(reader.push(bytes("\nok\n")).map(text), ["ok"]);
});
