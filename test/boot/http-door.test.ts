/** One plain port for HTTP/1.x and h2c, with clients we did not write (curl, node's) and with bytes that firmware sends. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { connect as connectHttp2, type IncomingHttpHeaders } from "node:http2";
import { connect as connectTcp, type Socket } from "node:net";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { listen } from "#io/node/serve.ts";
import type { Handler, Listener, Outgoing } from "#io/serve.ts";

const LIMITS = { headers: 2_000, idle: 10_000, buffered: 1024 * 1024, stalled: 5_000 };
const settled: boolean[] = [];

const handler: Handler = async ({ method, target, peer, local }): Promise<Outgoing> => {
  if (target === "/stream") {
    return {
      status: 200,
      headers: { "content-type": "application/grpc" },
      body: {
        open(sink) {
          sink.write(Buffer.from("one"));
          sink.end({ "grpc-status": "0", "grpc-message": "fine" });
        },
      },
      settled: (complete) => void settled.push(complete),
    };
  }
  if (target === "/never") return { status: 200, headers: {}, body: { open() {} }, settled: (whole) => void settled.push(whole) };
  return { status: 200, headers: {}, body: [Buffer.from(JSON.stringify({ method, target, peer, local }))] };
};

/** Sends the pieces, with pauses in between, and gives back all that comes until the peer closes. */
async function raw(port: number, ...pieces: string[]): Promise<string> {
  const socket = connectTcp({ port, host: "127.0.0.1" });
  await once(socket, "connect");
  const received = read(socket);
  for (const piece of pieces) {
    socket.write(piece, "latin1");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return received;
}

async function read(socket: Socket): Promise<string> {
  let text = "";
  for await (const piece of socket) text += (piece as Buffer).toString("latin1");
  return text;
}

describe("a plain port", () => {
  let listener: Listener;
  let url: string;
  before(async () => {
    listener = await listen({ host: "::", port: 0, limits: LIMITS }, handler);
    url = `http://127.0.0.1:${listener.port}`;
  });
  after(() => listener.close());

  const curl = async (...args: string[]): Promise<string> =>
    (await promisify(execFile)("curl", ["-sS", "--max-time", "10", "-w", "|%{http_version}", ...args])).stdout;

  for (const [flag, version] of [
    ["--http1.0", "1.0"],
    ["--http1.1", "1.1"],
    // curl offers an upgrade that nobody takes.
    ["--http2", "1.1"],
    ["--http2-prior-knowledge", "2"],
  ] as const) {
    test(`curl ${flag}`, async () => {
      const [body, spoken] = (await curl(flag, `${url}/a?b`)).split("|");
      // RFC 9112 §2.3: the version in an answer is the server's own.
      assert.equal(spoken, version === "1.0" ? "1.1" : version);
      assert.deepEqual(JSON.parse(body!), {
        method: "GET",
        target: "/a?b",
        peer: { address: "127.0.0.1" },
        local: { address: "127.0.0.1", port: listener.port },
      });
      assert.match(await curl(flag, `${url}/stream`), /^one\|/);
      assert.match(await curl(flag, "--head", `${url}/a`), /content-length: \d+\r\n/i);
      assert.match(await curl(flag, "--data-binary", "x".repeat(100_000), `${url}/stream`), /^one\|/);
    });
  }

  test("trailers end a stream of HTTP/2, also when the request was not read", async () => {
    const session = connectHttp2(url);
    for (const body of ["", "unread", "x".repeat(100_000)]) {
      const stream = session.request({ ":path": "/stream", ":method": "POST" });
      stream.end(body);
      const trailers = once(stream, "trailers") as Promise<[IncomingHttpHeaders]>;
      let text = "";
      for await (const piece of stream) text += String(piece);
      assert.equal(text, "one");
      const [{ "grpc-status": status, "grpc-message": message }] = await trailers;
      assert.deepEqual([status, message], ["0", "fine"]);
    }
    session.close();
  });

  test("trailers end a stream of HTTP/1.1 in chunks, and one of HTTP/1.0 goes without", async () => {
    const chunked = await raw(listener.port, "GET /stream HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert.match(chunked, /\r\n3\r\none\r\n0\r\ngrpc-status: 0\r\ngrpc-message: fine\r\n\r\n$/);
    assert.match(await raw(listener.port, "GET /stream HTTP/1.0\r\n\r\n"), /\r\n\r\none$/);
  });

  test("the first bytes may come one by one, in either protocol", async () => {
    const slow = await raw(listener.port, "P", "RI", "NT /x HTTP/1.0\r\n", "\r\n");
    assert.match(slow, /^HTTP\/1\.1 400 /, "almost the preface, but no method that we know");
    assert.match(await raw(listener.port, "G", "ET /x HTTP/1.0", "\r\n\r\n"), /"target":"\/x"/);
    // Preface, SETTINGS, and GOAWAY from us for a frame on stream 0 that may not be there.
    const http2 = await raw(
      listener.port,
      "PRI",
      " * HTTP/2.0\r\n\r\nS",
      "M\r\n\r\n\0\0\0\x04\0\0\0\0\0",
      "\0\0\0\x01\x05\0\0\0\0",
    );
    assert.equal(http2.charCodeAt(3), 4, "SETTINGS come first");
    assert.ok(http2.includes("\x07\0\0\0\0\0"), "GOAWAY");
  });

  test("a client that sends its request and closes its side, as nc does, still gets its answer", async () => {
    const socket = connectTcp({ port: listener.port, host: "127.0.0.1", allowHalfOpen: true });
    await once(socket, "connect");
    socket.end("GET /half HTTP/1.0\r\n\r\n");
    assert.match(await read(socket), /"target":"\/half"/);
  });

  test("requests that come together are answered in order", async () => {
    const answers = await raw(
      listener.port,
      "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    );
    assert.match(answers, /"\/1".*"\/2"/s);
  });

  test("whoever says nothing, or not enough, is sent away in time", async () => {
    assert.match(await raw(listener.port), /^HTTP\/1\.1 408 /);
    assert.match(await raw(listener.port, "PRI * HT"), /^HTTP\/1\.1 408 /);
  });

  test("an answer is settled once: whole, or not", async () => {
    settled.length = 0;
    assert.match(await curl(`${url}/stream`), /one/);
    const socket = connectTcp({ port: listener.port, host: "127.0.0.1" });
    socket.write("GET /never HTTP/1.1\r\nHost: a\r\n\r\n");
    await once(socket, "data");
    socket.destroy();
    for (let i = 0; i < 100 && settled.length < 2; i++) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepEqual(settled, [true, false]);
  });
});

test("closing does not wait for connections that have not said anything", async () => {
  const listener = await listen({ host: "127.0.0.1", port: 0, limits: LIMITS }, handler);
  const socket = connectTcp({ port: listener.port, host: "127.0.0.1" });
  await once(socket, "connect");
  await new Promise((resolve) => setTimeout(resolve, 50));
  const start = performance.now();
  await Promise.all([listener.close(), once(socket, "close")]);
  assert.ok(performance.now() - start < 1_000);
});

test("one address gets so many connections and no more, and room again when they end", async (context) => {
  const crowded = await listen({ host: "127.0.0.1", port: 0, limits: { ...LIMITS, perAddress: 2 } }, handler);
  context.after(() => crowded.close());
  const from = async (localAddress: string): Promise<Socket> => {
    const socket = connectTcp({ port: crowded.port, host: "127.0.0.1", localAddress });
    socket.on("error", () => {});
    await once(socket, "connect");
    return socket;
  };
  const ask = async (socket: Socket): Promise<string> => {
    socket.write("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    return read(socket).catch(() => "");
  };
  const first = [await from("127.0.0.2"), await from("127.0.0.2")];
  assert.equal(await ask(await from("127.0.0.2")), "");
  assert.match(await ask(await from("127.0.0.3")), /^HTTP\/1.1 200/, "others are not concerned");
  assert.match(await ask(first[0]!), /^HTTP\/1.1 200/);
  assert.match(await ask(await from("127.0.0.2")), /^HTTP\/1.1 200/);
  first[1]!.destroy();
});
