/** Requests of every kind that no agent sends: an error each, nothing changed, and quickly. */
import assert from "node:assert/strict";
import { connect } from "node:http2";
import type { ClientHttp2Session } from "node:http2";
import { after, before, test } from "node:test";
import { toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import { CreateServerRequestSchema } from "#proto/api_pb.js";
import { concat } from "#std/bytes.ts";
import { UUID, registration, startApi } from "./api-fixture.ts";
import type { ApiFixture } from "./api-fixture.ts";

let fixture: ApiFixture;
let session: ClientHttp2Session;
before(async () => {
  fixture = await startApi({ access: "open" });
  session = connect(`http://127.0.0.1:${fixture.port}`);
});
after(async () => {
  session.close();
  await fixture.stop();
});

const GOOD = toBinary(CreateServerRequestSchema, registration());
const METHODS = ["CreateServer", "MarkServerAsWiped", "ReconcileServerAddresses", "Heartbeat", "UpdateBMCInfo"].map(
  (name) => `/api.Agent/${name}`,
);

interface Outcome {
  readonly status: number;
  readonly grpc: string | undefined;
  readonly message: string;
}

/** One request with exactly these bytes. */
function post(path: string, body: Uint8Array, headers: Record<string, string> = {}): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc",
      te: "trailers",
      ...headers,
    });
    let [status, grpc, message] = [0, undefined as string | undefined, ""];
    const note = (fields: Record<string, unknown>): void => {
      if (fields[":status"] !== undefined) status = Number(fields[":status"]);
      grpc ??= fields["grpc-status"] as string | undefined;
      message ||= decodeURIComponent((fields["grpc-message"] as string | undefined) ?? "");
    };
    stream.on("response", note).on("trailers", note).on("error", reject);
    stream.on("close", () => resolve({ status, grpc, message }));
    stream.resume();
    stream.end(body);
  });
}

function enveloped(message: Uint8Array, length = message.length, flags = 0): Uint8Array {
  const head = Buffer.alloc(5, flags);
  head.writeUInt32BE(length, 1);
  return concat([head, message]);
}

const field = (number: number, wireType: number, ...value: (number | Uint8Array)[]): Uint8Array =>
  concat([varint((number << 3) | wireType), ...value.map((part) => (typeof part === "number" ? varint(part) : part))]);
const inside = (number: number, content: Uint8Array): Uint8Array => field(number, 2, content.length, content);
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Uint8Array.from([...bytes, rest]);
    bytes.push((rest % 128) | 128);
  }
}

const names = async (): Promise<string[]> =>
  (await fixture.world.client.for(Server).list()).items.map(({ metadata }) => metadata.name!);

const INVALID = "3";
const CASES: readonly [name: string, body: Uint8Array, code: string, message: RegExp][] = [
  ["no hardware", enveloped(new Uint8Array()), INVALID, /^hardware: missing$/],
  ["hardware without names", enveloped(inside(1, new Uint8Array())), INVALID, /^hardware\.system\.uuid: missing/],
  [
    "a placeholder and nothing else",
    enveloped(inside(1, inside(1, inside(1, text("00000000-0000-0000-0000-000000000000"))))),
    INVALID,
    /^hardware\.system\.uuid/,
  ],
  ["a UUID that is none", enveloped(inside(1, inside(1, inside(1, text("../../etc"))))), INVALID, /^hardware\.system\.uuid/],
  [
    "not UTF-8",
    enveloped(inside(1, inside(1, inside(1, Uint8Array.of(0xff, 0xfe))))),
    INVALID,
    /^hardware\.system\.uuid is not UTF-8/,
  ],
  [
    "a number where a text belongs",
    enveloped(inside(1, inside(1, field(1, 0, 7)))),
    INVALID,
    /^hardware\.system\.uuid has wire type 0 instead of 2/,
  ],
  [
    "a text where a number belongs",
    enveloped(inside(1, inside(3, inside(1, text("x"))))),
    INVALID,
    /^hardware\.memory\.total_size has wire type 2 instead of 0/,
  ],
  ["a length past the end", enveloped(inside(1, field(1, 2, 99))), INVALID, /^hardware\.system is said to have 99 bytes/],
  [
    "as many interfaces as fit",
    enveloped(inside(1, inside(5, concat(Array.from({ length: 400_000 }, () => field(2, 2, 0)))))),
    INVALID,
    /^hardware\.network\.interfaces\[1024\] is one too many/,
  ],
  [
    "as many unknown fields as fit",
    enveloped(concat(Array.from({ length: 300_000 }, () => field(50, 0, 1)))),
    INVALID,
    /^the message has more than 65536 fields/,
  ],
  ["a text without end", enveloped(inside(3, new Uint8Array(5000).fill(65))), INVALID, /^hostname has 5000 bytes/],
  [
    "a number past its type",
    enveloped(concat([GOOD, inside(1, inside(2, inside(4, field(4, 0, 0xffffffff))))])),
    INVALID,
    /^hardware\.compute\.processors\[1\]\.speed: 4294967295/,
  ],
  [
    "groups within groups",
    enveloped(concat(Array.from({ length: 1000 }, () => field(60, 3)))),
    INVALID,
    /^the message is cut short or damaged/,
  ],
  ["field number 0", enveloped(field(0, 0, 1)), INVALID, /damaged/],
  ["half an envelope", enveloped(GOOD).subarray(0, 3), INVALID, /one whole message/],
  ["an envelope that promises more", enveloped(GOOD, GOOD.length + 1), INVALID, /one whole message/],
  ["two messages", concat([enveloped(GOOD), enveloped(GOOD)]), INVALID, /one whole message/],
  ["more than a megabyte", enveloped(new Uint8Array(1_200_000)), "8", /longer than/],
];

for (const [name, body, code, message] of CASES) {
  test(`CreateServer with ${name}`, async () => {
    const outcome = await post("/api.Agent/CreateServer", body);
    assert.deepEqual([outcome.grpc, outcome.message], [code, message.test(outcome.message) ? outcome.message : message]);
    assert.deepEqual(await names(), []);
  });
}

test("a compressed message, another procedure and another protocol get their errors", async () => {
  const compressed = await post("/api.Agent/CreateServer", enveloped(GOOD, GOOD.length, 1), { "grpc-encoding": "gzip" });
  assert.equal(compressed.grpc, "12", "unimplemented");
  assert.equal((await post("/api.Agent/CreateServer", enveloped(GOOD, GOOD.length, 1))).grpc === "0", false);
  assert.equal((await post("/api.Agent/Format", enveloped(GOOD))).grpc, "12");
  assert.equal((await post("/api.Agent/CreateServer", GOOD, { "content-type": "text/plain" })).status, 415);
  assert.equal((await post("/api.Agent/CreateServer", text("{"), { "content-type": "application/json" })).status, 400);
  assert.deepEqual(await names(), []);
});

test("any bytes whatever, and any damage to a good request, are answered within a second, without a defect", async () => {
  const damaged = fc
    .tuple(fc.nat(GOOD.length - 1), fc.integer({ min: 1, max: 255 }), fc.nat(GOOD.length))
    .map(([at, flip, length]) => GOOD.with(at, GOOD[at]! ^ flip).subarray(0, length));
  const body = fc.oneof(fc.uint8Array({ maxLength: 300 }), damaged);
  let slowest = 0;
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...METHODS), body, async (path, message) => {
      const started = performance.now();
      const { status, grpc } = await post(path, enveloped(message));
      slowest = Math.max(slowest, performance.now() - started);
      assert.equal(status, 200);
      assert.ok(grpc !== undefined && ["0", "3", "5", "7", "9"].includes(grpc), `gRPC status ${grpc}`);
      // A damaged serial number or hostname is still a machine, also under a damaged UUID; a defect of ours would be status 13.
      for (const { spec } of (await fixture.world.client.for(Server).list()).items) {
        assert.ok(spec?.accepted === false && spec.hardware !== undefined);
      }
    }),
    { numRuns: 400 },
  );
  assert.ok(slowest < 1000, `${slowest} ms`);
  assert.deepEqual(
    fixture.lines.filter((line) => line.startsWith("error")),
    [],
  );
});

test("a good request is taken after all that", async () => {
  assert.equal((await post("/api.Agent/CreateServer", enveloped(GOOD))).grpc, "0");
  assert.ok((await names()).includes(UUID));
});
