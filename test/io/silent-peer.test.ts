/** A machine whose power is cut in the middle of a stream sends no goodbye: its end is noticed all the same. */
import assert from "node:assert/strict";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { test } from "node:test";
import { listen } from "#io/node/serve.ts";
import type { Handler } from "#io/serve.ts";

const STALLED = 200;
const limits = { headers: 10_000, idle: 120_000, buffered: 1024, stalled: STALLED };
const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/** RFC 9113 §4.1: length, type, flags, stream. SETTINGS without any; HEADERS of `GET http / a`, which end the request. */
const FRAMES = [
  [0, 0, 0, 4, 0, 0, 0, 0, 0],
  [0, 0, 6, 1, 5, 0, 0, 0, 1, 0x82, 0x86, 0x84, 0x41, 1, 0x61],
].flat();

function following(): { handler: Handler; gone: Promise<number> } {
  const { promise: gone, resolve } = Promise.withResolvers<number>();
  const handler: Handler = async ({ signal }) => {
    const begun = performance.now();
    signal.addEventListener("abort", () => resolve(performance.now() - begun));
    return { status: 200, headers: {}, body: { open: (sink) => sink.write(Buffer.from("hello")) } };
  };
  return { handler, gone };
}

test("a peer of HTTP/2 that does not answer a ping while it has a stream open is taken for gone", async () => {
  const { handler, gone } = following();
  const listener = await listen({ host: "127.0.0.1", port: 0, limits }, handler);
  const socket = connect(listener.port, "127.0.0.1", () => {
    socket.write(PREFACE);
    socket.write(Buffer.from(FRAMES));
  });
  // What is read is thrown away: nothing is ever answered.
  socket.resume();
  const took = await gone;
  assert.ok(took >= STALLED / 2 && took < 10 * STALLED, `${took} ms`);
  socket.destroy();
  await listener.close();
});

test("one that answers may be silent for as long as it likes", async () => {
  const { handler, gone } = following();
  const listener = await listen({ host: "127.0.0.1", port: 0, limits }, handler);
  const client = connectHttp2(`http://127.0.0.1:${listener.port}`);
  const stream = client.request({ ":path": "/" });
  stream.resume();
  let isGone = false;
  void gone.then(() => (isGone = true));
  await new Promise((resolve) => setTimeout(resolve, 5 * STALLED));
  assert.equal(isGone, false);
  client.destroy();
  await gone;
  await listener.close();
});
