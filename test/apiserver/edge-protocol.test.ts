/** The listener with foreign clients and with bytes no client would send: curl, openssl, and hand-written requests. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect as connectHttp2, constants } from "node:http2";
import { after, before, describe, test } from "node:test";
import { Fault } from "#std/fault.ts";
import { listen } from "#io/node/serve.ts";
import type { Handler } from "#io/serve.ts";
import { dial, LIMITS, pause, startPlain, startTls, text, type Tls, until, untilClosed } from "./edge-fixture.ts";

const LIMIT = 100_000;

/** `/echo` reads its body, `/big` is long, `/ignore` answers without reading; others tell what they were asked. */
const handler: Handler = async (incoming) => {
  const { method, target, headers, peer } = incoming;
  if (target === "/ignore") return text("not read", 401);
  if (target === "/big")
    return { status: 200, headers: {}, body: Array.from({ length: 10_000 }, (_, i) => Buffer.from(`${i},`.padEnd(400))) };
  if (target === "/none") return { status: 204, headers: {}, body: [] };
  if (target === "/odd") return text("odd", 200, { warning: ['299 - "é\n😀"', "b"], connection: "close" });
  if (target === "/throws") throw new Error("against the contract");
  try {
    const body = target === "/echo" ? (await incoming.body(LIMIT)).length : 0;
    return text(
      JSON.stringify({
        method,
        target,
        body,
        host: headers["host"],
        accept: headers["accept"],
        x: headers["x"],
        certificate: peer.certificate?.length ?? 0,
      }),
    );
  } catch (error) {
    assert.ok(Fault.is(error, "io.too-large"));
    return text("too large", 413);
  }
};

describe("over TLS", () => {
  let tls: Tls;
  before(async () => {
    tls = await startTls(handler);
  });
  after(() => tls.close());

  for (const version of ["--http1.1", "--http2"]) {
    const curl = (...args: string[]): Promise<string> => tls.curl(version, "-w", "|%{http_code} %{http_version}", ...args);
    const http = version === "--http2" ? "2" : "1.1";

    test(`${version}: request and answer`, async () => {
      const [body, code] = (await curl(`${tls.url}/a?b=%ff`, "-H", "X: 1", "-H", "X: 2")).split("|");
      assert.equal(code, `200 ${http}`);
      assert.deepEqual(JSON.parse(body!), {
        method: "GET",
        target: "/a?b=%ff",
        body: 0,
        host: tls.url.slice(8),
        accept: "*/*",
        x: "1, 2",
        certificate: 0,
      });
    });

    test(`${version}: bodies to the limit and beyond, announced or in chunks`, async () => {
      const send = async (length: number, ...args: string[]): Promise<string> => {
        const child = spawn("curl", [
          "-sS",
          version,
          "--cacert",
          tls.files.ca,
          "-H",
          "Expect:",
          ...args,
          "--data-binary",
          "@-",
          "-w",
          "|%{http_code}",
          `${tls.url}/echo`,
        ]);
        child.stdin.on("error", () => {});
        child.stdin.end(Buffer.alloc(length, "x"));
        let out = "";
        child.stdout.on("data", (piece) => (out += String(piece)));
        await once(child, "close");
        return out;
      };
      assert.match(await send(LIMIT), new RegExp(`"body":${LIMIT},.*\\|200$`));
      assert.equal(await send(LIMIT + 1), "too large|413");
      assert.equal(await send(20_000_000), "too large|413");
      if (http === "1.1") assert.equal(await send(20_000_000, "-H", "Transfer-Encoding: chunked"), "too large|413");
    });

    test(`${version}: a body nobody reads does not spoil the connection`, async () => {
      const answer = await curl(
        "-d",
        "x".repeat(50_000),
        `${tls.url}/ignore`,
        "--next",
        "--cacert",
        tls.files.ca,
        version,
        `${tls.url}/after`,
      );
      assert.match(answer, /^not read\|401 .*"target":"\/after"/);
    });

    test(`${version}: HEAD, 204, long answers, odd headers`, async () => {
      const head = await curl("-I", `${tls.url}/big`);
      assert.match(head, /content-length: 4000000\r\n/);
      assert.match(await curl("-i", `${tls.url}/none`), /204.*\r\n\r\n\|204/s);
      const [big] = (await curl(`${tls.url}/big`)).split("|");
      assert.equal(big!.length, 4_000_000);
      assert.equal(big!.slice(3_999_600).trim(), "9999,");
      const odd = await curl("-i", `${tls.url}/odd`);
      assert.ok(odd.includes(`warning: 299 - "${Buffer.from("é 😀").toString("latin1")}"\r\nwarning: b\r\n`), odd);
    });

    test(`${version}: a handler that breaks its contract costs one exchange`, async () => {
      await assert.rejects(curl(`${tls.url}/throws`));
      assert.match(await curl(`${tls.url}/after`), /200/);
    });

    test(`${version}: a client certificate counts only when our authority signed it`, async () => {
      const seen = async (...args: string[]) =>
        (JSON.parse(await tls.curl(version, ...args, tls.url)) as { certificate: number }).certificate;
      assert.ok((await seen("--cert", tls.files.certificate, "--key", tls.files.key)) > 300);
      assert.equal(await seen(), 0);
    });
  }

  test("a resumed session does not turn a stranger's certificate into a known one", async () => {
    const { certificate: cert, key } = tls.impostor;
    const ask = async (session?: Buffer): Promise<{ answer: string; session: Buffer; reused: boolean }> => {
      const socket = await tls.connect({ cert, key, ...(session === undefined ? {} : { session }) });
      let latest = socket.getSession()!;
      socket.on("session", (fresh) => (latest = fresh));
      socket.write("GET /who HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
      const reused = socket.isSessionReused();
      return { answer: await untilClosed(socket), session: latest, reused };
    };
    const first = await ask();
    const second = await ask(first.session);
    assert.equal(second.reused, true);
    for (const { answer } of [first, second]) assert.match(answer, /"certificate":0/);
  });

  test("openssl verifies the certificate by name and by address, and is offered h2", async () => {
    for (const [flag, name] of [
      ["-verify_hostname", "localhost"],
      ["-verify_ip", "127.0.0.1"],
      ["-verify_ip", "::1"],
    ] as const) {
      const child = spawn("openssl", [
        "s_client",
        "-connect",
        tls.url.slice(8),
        "-CAfile",
        tls.files.ca,
        "-verify_return_error",
        flag,
        name,
        "-alpn",
        "h2,http/1.1",
      ]);
      child.stdin.end();
      let out = "";
      child.stdout.on("data", (piece) => (out += String(piece)));
      await once(child, "close");
      assert.match(out, /Verification: OK/);
      assert.match(out, /ALPN protocol: h2/);
      assert.match(out, /sidero-ca/);
    }
  });

  test("TLS before 1.2 and bytes that are no TLS are refused", async () => {
    await assert.rejects(tls.curl("--tls-max", "1.1", tls.url));
    const socket = await dial(tls.port);
    socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert.doesNotMatch(await untilClosed(socket), /200/);
  });

  test("HTTP/2: a reset stream aborts its request, the connection goes on", async () => {
    const session = connectHttp2(tls.url, { ca: tls.pki.authority });
    session.on("error", () => {});
    const ask = session.request({ ":method": "POST", ":path": "/echo" });
    ask.on("error", () => {});
    ask.write("x");
    await pause(50);
    ask.close(constants.NGHTTP2_CANCEL);
    const next = session.request({ ":path": "/after" });
    next.setEncoding("utf8");
    let body = "";
    next.on("data", (piece) => (body += piece));
    await once(next, "end");
    assert.match(body, /"target":"\/after"/);
    session.close();
  });
});

describe("bytes that are hardly HTTP/1.1", () => {
  const exchange = async (bytes: string | Buffer): Promise<string> => {
    const listener = await startPlain(handler, { headers: 300, idle: 300, stalled: 300 });
    const socket = await dial(listener.port);
    socket.write(bytes);
    const answer = await untilClosed(socket);
    await listener.close();
    return answer;
  };
  for (const [name, bytes] of [
    ["no HTTP at all", "hello\r\n\r\n"],
    ["a TLS hello", Buffer.from("16030100a5010000a1030300", "hex")],
    ["no Host", "GET / HTTP/1.1\r\n\r\n"],
    ["two lengths", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx"],
    [
      "a length and chunks (RFC 9112 §6.1)",
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    ["a negative length", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n"],
    ["a header without a colon", "GET / HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n"],
    ["a bare carriage return in a header", "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n"],
    ["bytes above 127 in the target (RFC 3986 §2)", Buffer.from("GET /\xe9 HTTP/1.1\r\nHost: a\r\n\r\n", "latin1")],
    ["a NUL in the target", "GET /\u0000 HTTP/1.1\r\nHost: a\r\n\r\n"],
  ] as const) {
    test(name, async () => {
      const answer = await exchange(bytes);
      assert.ok(answer.startsWith("HTTP/1.1 400 Bad Request\r\n"), answer);
    });
  }

  test("headers without end", async () => {
    assert.match(await exchange(`GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(70_000)}`), /^HTTP\/1\.1 431 /);
  });

  test("a chunk size that is no number ends the connection, not the server", async () => {
    assert.doesNotMatch(await exchange("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), /200 OK/);
  });

  test("requests in one packet are answered in order", async () => {
    const answer = await exchange(["/a", "/b", "/c"].map((path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`).join(""));
    assert.deepEqual(
      [...answer.matchAll(/"target":"(.*?)"/g)].map((found) => found[1]),
      ["/a", "/b", "/c"],
    );
  });

  test("HTTP/1.0 is answered and closed", async () => {
    assert.match(await exchange("GET /old HTTP/1.0\r\n\r\n"), /^HTTP\/1\.1 200 OK\r\n.*"target":"\/old"/s);
  });

  test("a body is asked for when it is wanted, and not otherwise (RFC 9110 §10.1.1)", async () => {
    const head = (path: string) => `POST ${path} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n`;
    const listener = await startPlain(handler);
    const wanted = await dial(listener.port);
    let received = "";
    wanted.on("data", (bytes) => (received += String(bytes)));
    wanted.write(head("/echo"));
    await until(() => received.includes("100 Continue"), "continue");
    wanted.write("1234");
    await until(() => received.includes('"body":4'), "the answer");
    wanted.destroy();
    const unwanted = await dial(listener.port);
    unwanted.write(head("/ignore"));
    const answer = await untilClosed(unwanted);
    assert.match(answer, /^HTTP\/1\.1 401 .*connection: close/is);
    assert.doesNotMatch(answer, /100 Continue/);
    await listener.close();
  });
});

test("an address that is taken, and one that is not ours, are faults", async () => {
  const listener = await startPlain(handler);
  const again = listen({ host: "127.0.0.1", port: listener.port, limits: LIMITS }, handler);
  await assert.rejects(again, (error) => Fault.is(error, "io.address-in-use") && error.message.includes(String(listener.port)));
  await assert.rejects(listen({ host: "192.0.2.1", port: 0, limits: LIMITS }, handler), (error) =>
    Fault.is(error, "io.listen-failed"),
  );
  const tls = { key: "no key", certificate: "no certificate", clientCa: "" };
  await assert.rejects(listen({ host: "127.0.0.1", port: 0, tls, limits: LIMITS }, handler), (error) =>
    Fault.is(error, "io.listen-failed"),
  );
  await listener.close();
});
