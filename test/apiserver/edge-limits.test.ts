/** What a peer may cost: time, memory, connections. All limits are short here, so that a test sees them bite. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import type { Socket } from "node:net";
import { describe, test } from "node:test";
import type { Handler, Incoming, Outgoing, Sink } from "#io/serve.ts";
import { closed, dial, pause, startPlain, startTls, text, type Tls, until, untilClosed } from "./edge-fixture.ts";

const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const ok: Handler = async () => text("ok");

/** Milliseconds until the peer closes. */
async function lifetime(socket: Socket): Promise<number> {
  const start = performance.now();
  socket.resume();
  await closed(socket);
  return performance.now() - start;
}

/** Writes one piece every 20 ms until the connection is gone. */
function trickle(socket: Socket, piece: string | Buffer): void {
  const timer = setInterval(() => (socket.writable ? socket.write(piece) : clearInterval(timer)), 20);
  socket.once("close", () => clearInterval(timer));
}

/** Writes for as long as the sink takes it, and counts. */
function flood(taken: { bytes: number; aborted: boolean }, piece: Buffer): (incoming: Incoming) => Promise<Outgoing> {
  return async ({ signal }) => ({
    status: 200,
    headers: {},
    body: {
      open(sink: Sink) {
        signal.addEventListener("abort", () => (taken.aborted = true));
        const more = (): void => {
          while (!sink.full && !signal.aborted) {
            sink.write(piece);
            taken.bytes += piece.length;
          }
          if (!signal.aborted) sink.onDrain(more);
        };
        more();
      },
    },
  });
}

async function askAndNeverRead(tls: Tls, protocol: "http/1.1" | "h2"): Promise<void> {
  if (protocol === "h2") {
    const session = connectHttp2(tls.url, { ca: tls.pki.authority });
    session.on("error", () => {});
    session.request({ ":path": "/" }).on("error", () => {});
  } else {
    const socket = await tls.connect();
    socket.write(GET);
    socket.pause();
  }
}

/** What sockets of this machine may hold for a peer that does not read, both sides together. */
const KERNEL = 16 * 1024 * 1024;

// Most of these wait for time to pass: they may as well wait together.
describe("limits", { concurrency: 4 }, () => {
  test("headers that trickle in for ever are cut off, on a fresh connection and on a kept one", async () => {
    const listener = await startPlain(ok, { headers: 200 });
    const fresh = await dial(listener.port);
    fresh.write("GET / HTTP/1.1\r\nHost: a\r\n");
    trickle(fresh, "X: y\r\n");
    const kept = await dial(listener.port);
    kept.write(`${GET}GET / HTTP/1.1\r\nHost: a\r\n`);
    trickle(kept, "X: y\r\n");
    const [first, second] = await Promise.all([untilClosed(fresh), untilClosed(kept)]);
    assert.match(first, /^HTTP\/1\.1 408 /);
    assert.match(second, /ok.*HTTP\/1\.1 408 /s);
    await listener.close();
  });

  test("a connection that says nothing is cut off: before TLS, after TLS, between requests, and on HTTP/2", async () => {
    const tls = await startTls(ok, { headers: 200, idle: 300 });
    const silent = await dial(tls.port);
    const handshaken = await tls.connect();
    const used = await tls.connect();
    used.write(GET);
    const http2 = await tls.connect({ ALPNProtocols: ["h2"] });
    const trickling = await tls.connect({ ALPNProtocols: ["h2"] });
    trickling.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    trickle(trickling, Buffer.from("000000040000000000", "hex"));
    for (const time of await Promise.all([silent, handshaken, used, http2, trickling].map(lifetime)))
      assert.ok(time < 3000, `${time} ms`);
    await tls.close();
  });

  test("HTTP/2 connections without requests end after the idle time, with one they stay", async () => {
    const tls = await startTls(
      async ({ target }) => (target === "/stream" ? { status: 200, headers: {}, body: { open: () => {} } } : text("ok")),
      { idle: 200 },
    );
    const idle = connectHttp2(tls.url, { ca: tls.pki.authority });
    const busy = connectHttp2(tls.url, { ca: tls.pki.authority });
    idle.request({ ":path": "/" }).resume();
    const stream = busy.request({ ":path": "/stream" });
    stream.on("error", () => {});
    stream.resume();
    await once(idle, "close");
    await pause(300);
    assert.equal(busy.closed, false);
    await tls.close();
  });

  test("a body that stops coming is cut off, and the handler hears of it", async () => {
    let heard: unknown;
    const listener = await startPlain(
      async (incoming) => {
        await incoming.body(100).catch((error: unknown) => (heard = error));
        return text("too late");
      },
      { stalled: 200 },
    );
    const socket = await dial(listener.port);
    socket.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\nhalf");
    assert.equal(await untilClosed(socket), "");
    await until(() => heard !== undefined, "the handler hears");
    assert.match(String(heard), /the client went away/);
    await listener.close();
  });

  test("a body nobody wants is not read for ever", async () => {
    const listener = await startPlain(ok, { stalled: 200 });
    const socket = await dial(listener.port);
    socket.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nx");
    trickle(socket, "x");
    assert.match(await untilClosed(socket), /ok$/);
    await listener.close();
  });

  for (const protocol of ["http/1.1", "h2"] as const) {
    test(`${protocol}: a watcher that does not read holds no more than its bound, and is cut when it stalls`, async () => {
      const taken = { bytes: 0, aborted: false };
      const tls = await startTls(flood(taken, Buffer.alloc(1000, "x")), { buffered: 256 * 1024, stalled: 500 });
      await askAndNeverRead(tls, protocol);
      await until(() => taken.bytes >= 256 * 1024, "the sink fills");
      await pause(200);
      assert.ok(taken.bytes < KERNEL + 512 * 1024, `${taken.bytes} bytes were taken`);
      await until(() => taken.aborted, "the watcher is cut");
      await tls.close();
    });

    test(`${protocol}: a slow reader is not a stalled one`, async () => {
      const taken = { bytes: 0, aborted: false };
      const tls = await startTls(flood(taken, Buffer.alloc(1000, "x")), { buffered: 128 * 1024, stalled: 400 });
      let received = 0;
      const slow = { resume() {}, pause() {} };
      if (protocol === "h2") {
        const session = connectHttp2(tls.url, { ca: tls.pki.authority });
        session.on("error", () => {});
        const stream = session.request({ ":path": "/" });
        stream.on("error", () => {}).on("data", (piece: Buffer) => (received += piece.length));
        Object.assign(slow, { resume: () => stream.resume(), pause: () => stream.pause() });
      } else {
        const socket = await tls.connect();
        socket.on("data", (piece: Buffer) => (received += piece.length));
        socket.write(GET);
        Object.assign(slow, { resume: () => socket.resume(), pause: () => socket.pause() });
      }
      for (let turn = 0; turn < 12; turn++) {
        slow.pause();
        await pause(90);
        const before = received;
        slow.resume();
        await until(() => received > before + 200_000, "something is read");
      }
      assert.equal(taken.aborted, false);
      assert.ok(taken.bytes - received < KERNEL + 512 * 1024, `${taken.bytes - received} bytes are held`);
      await tls.close();
    });

    test(`${protocol}: an answer nobody reads is cut`, async () => {
      const body = Array.from({ length: 10_000 }, () => Buffer.alloc(4096, "x"));
      let gone = false;
      const tls = await startTls(
        async ({ signal }) => {
          signal.addEventListener("abort", () => (gone = true));
          return { status: 200, headers: {}, body };
        },
        { stalled: 300 },
      );
      await askAndNeverRead(tls, protocol);
      await until(() => gone, "the exchange ends");
      await tls.close();
    });
  }

  test("a burst of small writes leaves as few big ones", async () => {
    const pieces = 10_000;
    const listener = await startPlain(async () => ({
      status: 200,
      headers: {},
      body: {
        open(sink: Sink) {
          for (let i = 0; i < pieces; i++) sink.write(Buffer.from(`${String(i).padStart(7)}\n`));
          sink.end();
        },
      },
    }));
    const socket = await dial(listener.port);
    socket.write("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    const answer = await untilClosed(socket);
    const chunks = [...answer.matchAll(/^([0-9a-f]+)\r$/gm)].map((found) => Number.parseInt(found[1]!, 16));
    assert.equal(
      chunks.reduce((sum, size) => sum + size, 0),
      pieces * 8,
    );
    assert.ok(chunks.length <= 4, `${chunks.length} chunks`);
    await listener.close();
  });

  test("closing ends streams, lets answers finish, and leaves no connection behind", async () => {
    const reasons: string[] = [];
    let finish = (): void => {};
    const tls = await startTls(async ({ target, signal }) => {
      if (target === "/slow") {
        await new Promise<void>((resolve) => (finish = resolve));
        return text("finished");
      }
      return {
        status: 200,
        headers: {},
        body: {
          open(sink: Sink) {
            sink.write(Buffer.from("open\n"));
            signal.addEventListener("abort", () => {
              reasons.push(String(signal.reason));
              sink.write(Buffer.from("bye\n"));
              sink.end();
            });
          },
        },
      };
    });
    const idle = await tls.connect();
    const watch = await tls.connect();
    watch.write(GET);
    const slow = await tls.connect();
    slow.write("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
    const session = connectHttp2(tls.url, { ca: tls.pki.authority });
    const stream = session.request({ ":path": "/" });
    let streamed = "";
    stream.on("data", (piece) => (streamed += String(piece)));
    const unfinished = await dial(tls.port);
    const answers = [untilClosed(watch), untilClosed(slow)];
    await until(() => streamed === "open\n", "the stream is open");

    const closing = tls.close();
    await pause(50);
    finish();
    const [watched, answered] = await Promise.all(answers);
    await Promise.all([closing, untilClosed(idle), untilClosed(unfinished)]);
    assert.match(watched!, /open\n.*bye\n\r\n0\r\n\r\n$/s);
    assert.match(answered!, /finished$/);
    assert.equal(streamed, "open\nbye\n");
    assert.equal(reasons.length, 2);
    for (const reason of reasons) assert.match(reason, /shutting down/);
    await assert.rejects(dial(tls.port));
  });

  test("closing does not wait for connections that only might be used again", async () => {
    const tls = await startTls(ok);
    const kept = await tls.connect();
    kept.write(GET);
    const session = connectHttp2(tls.url, { ca: tls.pki.authority });
    await once(session.request({ ":path": "/" }).resume(), "end");
    const start = performance.now();
    await tls.close();
    assert.ok(performance.now() - start < 1_800);
  });
});
