/** One client door, two ways to a handler: through TLS and node's sockets, and in process. Both must be the same to a client. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Fault } from "#std/fault.ts";
import type { HttpTransport } from "#io/http.ts";
import { createMemoryTransport } from "#io/memory/transport.ts";
import { createHttpClient } from "#io/node/http-client.ts";
import type { Handler, Sink } from "#io/serve.ts";
import { pause, startTls, text, type Tls, until } from "./edge-fixture.ts";

const state: { signal?: AbortSignal; taken: number } = { taken: 0 };

const handler: Handler = async (incoming) => {
  const { method, target, headers, signal } = incoming;
  state.signal = signal;
  switch (target) {
    case "/echo":
      return { status: 201, headers: { warning: ["a", "b"] }, body: [await incoming.body(1e6)] };
    case "/limit":
      await assert.rejects(incoming.body(3), (error) => Fault.is(error, "io.too-large") && error.facts["limit"] === 3);
      return text("", 413);
    case "/pieces":
      return {
        status: 200,
        headers: {},
        body: [Buffer.from("a"), Buffer.alloc(0), Buffer.alloc(200_000, "b"), Buffer.from("c")],
      };
    case "/stream":
      return { status: 200, headers: {}, body: { open: (sink) => tick(sink, signal) } };
    case "/flood":
      return { status: 200, headers: {}, body: { open: (sink) => flood(sink, signal) } };
    case "/never":
      return new Promise(() => {});
    default:
      return text(JSON.stringify({ method, target, x: headers["x"], authorization: headers["authorization"] }));
  }
};

function tick(sink: Sink, signal: AbortSignal): void {
  for (const line of ["one\n", "two\n", "three\n"]) sink.write(Buffer.from(line));
  setTimeout(() => {
    if (signal.aborted) return;
    sink.write(Buffer.from("four\n"));
    sink.end();
  }, 10);
}

function flood(sink: Sink, signal: AbortSignal): void {
  state.taken = 0;
  const more = (): void => {
    for (; !sink.full && !signal.aborted; state.taken += 10_000) sink.write(Buffer.alloc(10_000));
    if (!signal.aborted) sink.onDrain(() => setImmediate(more));
  };
  more();
}

async function whole(body: AsyncIterable<Uint8Array>): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

let tls: Tls;
before(async () => {
  tls = await startTls(handler, { buffered: 100_000 });
});
after(() => tls.close());

const ways: Record<string, () => HttpTransport> = {
  memory: () => createMemoryTransport(handler, { buffered: 100_000 }),
  node: () => createHttpClient({ server: tls.url, ca: tls.pki.authority }),
};

for (const [name, create] of Object.entries(ways)) {
  describe(name, () => {
    let transport: HttpTransport;
    before(() => {
      transport = create();
    });
    after(() => transport.close());

    test("request and answer", async () => {
      const answer = await transport.request({ method: "PATCH", target: "/a?b=%20c", headers: { x: "y" } });
      assert.equal(answer.status, 200);
      assert.deepEqual(JSON.parse(await whole(answer.body)), { method: "PATCH", target: "/a?b=%20c", x: "y" });
    });

    test("bodies, repeated headers, and a limit", async () => {
      const answer = await transport.request({ method: "POST", target: "/echo", body: Buffer.from("é".repeat(300_000)) });
      assert.equal(answer.status, 201);
      assert.deepEqual(answer.headers["warning"], ["a", "b"]);
      assert.equal((await whole(answer.body)).length, 300_000);
      const refused = await transport.request({ method: "POST", target: "/limit", body: Buffer.from("1234") });
      assert.equal(refused.status, 413);
      assert.equal(await whole(refused.body), "");
    });

    test("pieces arrive whole and in order; HEAD has none", async () => {
      const { body } = await transport.request({ method: "GET", target: "/pieces" });
      assert.match(await whole(body), /^ab{200000}c$/);
      assert.equal(await whole((await transport.request({ method: "HEAD", target: "/pieces" })).body), "");
    });

    test("a stream arrives as it is written, and ends", async () => {
      const { body } = await transport.request({ method: "GET", target: "/stream" });
      assert.equal(await whole(body), "one\ntwo\nthree\nfour\n");
    });

    test("a reader that stops reading stops the writer; one that leaves aborts it", async () => {
      const { body } = await transport.request({ method: "GET", target: "/flood" });
      let held = -1;
      for (const deadline = performance.now() + 10_000; held !== state.taken; await pause(100)) {
        assert.ok(performance.now() < deadline, "the writer stops");
        held = state.taken;
      }
      let read = 0;
      for await (const piece of body) if ((read += piece.length) > held + 1_000_000) break;
      await until(() => state.signal!.aborted, "the writer hears that the reader left");
      assert.ok(state.taken >= read);
    });

    test("aborting rejects with the reason: before, while waiting, while reading", async () => {
      const reason = new Error("enough");
      const before = transport.request({ method: "GET", target: "/x", signal: AbortSignal.abort(reason) });
      await assert.rejects(before, (error) => error === reason);
      const waiting = new AbortController();
      const pending = transport.request({ method: "GET", target: "/never", signal: waiting.signal });
      await pause(50);
      waiting.abort(reason);
      await assert.rejects(pending, (error) => error === reason);
      const reading = new AbortController();
      const { body } = await transport.request({ method: "GET", target: "/flood", signal: reading.signal });
      setTimeout(() => reading.abort(reason), 20);
      await assert.rejects(whole(body), (error) => error === reason);
      await until(() => state.signal!.aborted, "the writer hears of it");
    });

    test("closing ends what is under way, and what comes later", async () => {
      const closing = create();
      const { body } = await closing.request({ method: "GET", target: "/flood" });
      const reading = assert.rejects(whole(body), (error) => Fault.is(error));
      await closing.close();
      await reading;
      await assert.rejects(closing.request({ method: "GET", target: "/x" }), (error) => Fault.is(error, "io.closed"));
    });
  });
}

describe("what only a network has", () => {
  const failing = async (options: Parameters<typeof createHttpClient>[0], code: string): Promise<void> => {
    const client = createHttpClient(options);
    await assert.rejects(
      client.request({ method: "GET", target: "/" }),
      (error) => Fault.is(error, code) && error.message.includes(options.server),
    );
    await client.close();
  };

  test("certificates that do not verify, addresses where nobody is", async () => {
    await failing({ server: tls.url }, "io.untrusted");
    await failing({ server: tls.url, ca: tls.pki.authority, serverName: "elsewhere.example" }, "io.untrusted");
    await failing({ server: "https://127.0.0.1:1" }, "io.unreachable");
    await failing({ server: "https://nowhere.invalid" }, "io.unreachable");
    const insecure = createHttpClient({ server: tls.url, insecure: true });
    assert.equal((await insecure.request({ method: "HEAD", target: "/" })).status, 200);
    await insecure.close();
  });

  test("who we are: a token that changes, or a certificate; a path before every target", async () => {
    let count = 0;
    const client = createHttpClient({
      server: `${tls.url}/prefix/`,
      ca: tls.pki.authority,
      certificate: tls.pki.admin.certificate,
      key: tls.pki.admin.key,
      token: async () => `token-${++count}`,
    });
    for (const token of ["token-1", "token-2"]) {
      const { body } = await client.request({ method: "GET", target: "/x" });
      assert.deepEqual(JSON.parse(await whole(body)), { method: "GET", target: "/prefix/x", authorization: `Bearer ${token}` });
    }
    await client.close();
  });

  test("a server that dies in the middle of an answer is a fault, not an end", async () => {
    const dying = await startTls(handler, { stalled: 200 });
    const client = createHttpClient({ server: dying.url, ca: dying.pki.authority });
    const { body } = await client.request({ method: "GET", target: "/flood" });
    await until(() => state.signal!.aborted, "the server cuts the stalled stream");
    await assert.rejects(whole(body), (error) => Fault.is(error, "io.unreachable"));
    await client.close();
    await dying.close();
  });
});
