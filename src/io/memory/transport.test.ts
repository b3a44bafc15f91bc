import assert from "node:assert/strict";
import { test } from "node:test";
import { Fault } from "#std/fault.ts";
import type { Incoming, Outgoing, Sink } from "../serve.ts";
import { createMemoryTransport } from "./transport.ts";

async function text(body: AsyncIterable<Uint8Array>): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

function streaming(open: (sink: Sink, incoming: Incoming) => void) {
  return async (incoming: Incoming): Promise<Outgoing> => ({
    status: 200,
    headers: {},
    body: { open: (sink) => open(sink, incoming) },
  });
}

test("a request arrives as it was sent, from the transport's principal", async () => {
  const principal = { name: "system:sidero", groups: ["system:masters"] };
  let seen: Incoming | undefined;
  const transport = createMemoryTransport(
    async (incoming) => {
      seen = incoming;
      return { status: 201, headers: { "x-a": "b" }, body: [await incoming.body(10), Buffer.from("!")] };
    },
    { principal },
  );
  const answer = await transport.request({
    method: "POST",
    target: "/a?b=c",
    headers: { accept: "x" },
    body: Buffer.from("hello"),
  });
  assert.equal(answer.status, 201);
  assert.equal(answer.headers["x-a"], "b");
  assert.equal(await text(answer.body), "hello!");
  assert.deepEqual([seen!.method, seen!.target, seen!.headers["accept"]], ["POST", "/a?b=c", "x"]);
  assert.deepEqual(seen!.peer.principal, principal);
});

test("a body over the handler's limit is refused as a listener does", async () => {
  const transport = createMemoryTransport(async (incoming) => {
    await assert.rejects(incoming.body(4), (error) => Fault.is(error, "io.too-large"));
    return { status: 413, headers: {}, body: [] };
  });
  assert.equal((await transport.request({ method: "POST", target: "/", body: Buffer.from("hello") })).status, 413);
});

test("a stream is opened at once, buffers up to its bound, and resumes when read", async () => {
  let sink: Sink | undefined;
  let resumed = 0;
  const transport = createMemoryTransport(
    streaming((opened) => (sink = opened)),
    { buffered: 10 },
  );
  const { body } = await transport.request({ method: "GET", target: "/" });
  assert.ok(sink, "opened before anybody reads");
  sink.write(Buffer.from("12345"));
  assert.equal(sink.full, false);
  sink.write(Buffer.from("67890"));
  assert.equal(sink.full, true);
  sink.onDrain(() => resumed++);
  const reader = body[Symbol.asyncIterator]();
  assert.equal(Buffer.from((await reader.next()).value as Uint8Array).toString(), "12345");
  assert.equal(resumed, 0);
  assert.equal(Buffer.from((await reader.next()).value as Uint8Array).toString(), "67890");
  assert.equal(resumed, 1);
  assert.equal(sink.full, false);
  const next = reader.next();
  sink.end();
  assert.equal((await next).done, true);
});

test("trailers are there once the body is read, and the answer is settled", async () => {
  const settled: boolean[] = [];
  const transport = createMemoryTransport(async () => ({
    status: 200,
    headers: {},
    body: {
      open(sink) {
        sink.write(Buffer.from("x"));
        sink.end({ "grpc-status": "0" });
      },
    },
    settled: (complete) => void settled.push(complete),
  }));
  const whole = await transport.request({ method: "POST", target: "/" });
  assert.equal(await text(whole.body), "x");
  assert.deepEqual(whole.trailers!(), { "grpc-status": "0" });
  assert.deepEqual(settled, [true]);
  await transport.request({ method: "POST", target: "/" });
  await transport.close();
  assert.deepEqual(settled, [true, false]);
});

test("a reader that leaves, an aborted request and a closed transport abort the handler's signal", async () => {
  const signals: AbortSignal[] = [];
  const transport = createMemoryTransport(
    streaming((sink, incoming) => {
      signals.push(incoming.signal);
      sink.write(Buffer.from("x"));
    }),
  );
  const left = await transport.request({ method: "GET", target: "/" });
  for await (const piece of left.body) {
    assert.equal(piece.length, 1);
    break;
  }
  assert.equal(signals[0]!.aborted, true);

  const stop = new AbortController();
  const aborted = await transport.request({ method: "GET", target: "/", signal: stop.signal });
  const reading = text(aborted.body);
  stop.abort(new Error("enough"));
  await assert.rejects(reading, /enough/);
  assert.equal(signals[1]!.aborted, true);

  const open = await transport.request({ method: "GET", target: "/" });
  await transport.close();
  await assert.rejects(text(open.body), (error) => Fault.is(error, "io.closed"));
  await assert.rejects(transport.request({ method: "GET", target: "/" }), (error) => Fault.is(error, "io.closed"));
});

test("aborting a request whose handler has not answered rejects it with the reason", async () => {
  let handlerSignal: AbortSignal | undefined;
  const transport = createMemoryTransport((incoming) => {
    handlerSignal = incoming.signal;
    return new Promise(() => {});
  });
  const stop = new AbortController();
  const pending = transport.request({ method: "GET", target: "/", signal: stop.signal });
  stop.abort(new Error("enough"));
  await assert.rejects(pending, /enough/);
  assert.equal(handlerSignal!.aborted, true);
});
