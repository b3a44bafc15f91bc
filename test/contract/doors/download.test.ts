/** The contract of downloads: the rules on both twins, then what only a network does. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { describe, test, type TestContext } from "node:test";
import type { Download, DownloadAnswer, DownloadRequest } from "#io/download.ts";
import { createMemoryDownload } from "#io/memory/download.ts";
import { createDownloads } from "#io/node/download.ts";
import { createHttpClient } from "#io/node/http-client.ts";
import { Fault } from "#std/fault.ts";
import { type Manners, startWeb, type Web } from "../../controllers/web.ts";

const CONTENT = randomBytes(300_000);
const OLD = "Wed, 01 Jan 2020 00:00:00 GMT";
const NEWER = "Thu, 02 Jan 2020 00:00:00 GMT";

interface Twin {
  readonly web: Web;
  readonly download: Download;
}

const twins: Record<string, (context: TestContext, manners: Partial<Manners>) => Promise<Twin>> = {
  async node(context, manners) {
    const web = await startWeb({ content: CONTENT, ...manners });
    const downloads = createDownloads({ silence: 2000 });
    context.after(() => Promise.all([web.close(), downloads.close()]));
    return { web, download: downloads.download };
  },
  // The same server; what is in memory is the way to it.
  async memory(context, manners) {
    const web = await startWeb({ content: CONTENT, ...manners });
    const client = createHttpClient({ server: web.origin });
    context.after(() => Promise.all([web.close(), client.close()]));
    const handler: Parameters<typeof createMemoryDownload>[0] = new Map();
    handler.set(web.origin, async ({ target, headers, signal }) => {
      const present = Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined);
      const answer = await client.request({ method: "GET", target, headers: Object.fromEntries(present), signal });
      const pieces: Buffer[] = [];
      for await (const piece of answer.body) pieces.push(Buffer.from(piece));
      return { status: answer.status, headers: answer.headers, body: pieces };
    });
    return { web, download: createMemoryDownload(handler) };
  },
};

function ask(web: Web, request: Partial<DownloadRequest> = {}): DownloadRequest {
  const { signal } = new AbortController();
  return { url: `${web.origin}/file`, from: 0, validator: undefined, unverified: false, signal, ...request };
}

async function read({ body }: DownloadAnswer): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return Buffer.concat(pieces);
}

const isCode =
  (code: string, text = /./) =>
  (error: unknown) =>
    Fault.is(error, code) && text.test(error.message);

for (const [name, make] of Object.entries(twins)) {
  describe(`download: ${name}`, () => {
    test("a whole file, with what is needed to go on with it", async (context) => {
      const { web, download } = await make(context, { etag: '"1"' });
      const answer = await download(ask(web));
      assert.deepEqual([answer.start, answer.size, answer.validator], [0, CONTENT.length, '"1"']);
      assert.ok(CONTENT.equals(await read(answer)));
    });

    test("the rest of a file that is the same", async (context) => {
      for (const manners of [{ etag: '"1"' }, { etag: "", lastModified: OLD }, { etag: 'W/"1"', lastModified: OLD }]) {
        const { web, download } = await make(context, manners);
        const { validator } = await download(ask(web));
        assert.ok(validator === '"1"' || validator === OLD);
        const rest = await download(ask(web, { from: 123_456, validator }));
        assert.deepEqual([rest.start, rest.size], [123_456, CONTENT.length]);
        assert.ok(CONTENT.subarray(123_456).equals(await read(rest)));
      }
    });

    test("the whole file when it has changed, cannot be told apart, or the server knows no ranges", async (context) => {
      for (const [manners, validator] of [
        [{ etag: '"2"' }, '"1"'],
        [{ etag: '"2"', ignoresIfRange: true }, '"1"'],
        [{ etag: '"1"', ignoresRanges: true }, '"1"'],
        [{ etag: '"1"', rangeOff: 1 }, '"1"'],
        [{ etag: "", lastModified: NEWER }, OLD],
        [{ etag: "" }, undefined],
      ] as const) {
        const { web, download } = await make(context, manners);
        const answer = await download(ask(web, { from: 5, validator }));
        assert.equal(answer.start, 0);
        assert.ok(CONTENT.equals(await read(answer)));
      }
    });

    test("nothing more when everything is there; everything when there is too much", async (context) => {
      const { web, download } = await make(context, { etag: '"1"' });
      const answer = await download(ask(web, { from: CONTENT.length, validator: '"1"' }));
      assert.deepEqual([answer.start, answer.size, (await read(answer)).length], [CONTENT.length, CONTENT.length, 0]);
      const anew = await download(ask(web, { from: CONTENT.length + 1, validator: '"1"' }));
      assert.equal(anew.start, 0);
      assert.ok(CONTENT.equals(await read(anew)));
    });

    test("what is too young or weak is no validator", async (context) => {
      for (const manners of [
        { etag: "" },
        { etag: 'W/"1"' },
        { etag: "", lastModified: new Date().toUTCString() },
        { etag: "bare" },
      ]) {
        const { web, download } = await make(context, manners);
        assert.equal((await download(ask(web))).validator, undefined);
      }
    });

    test("refusals, with their status", async (context) => {
      for (const status of [404, 403, 500, 503, 204, 304]) {
        const { web, download } = await make(context, { status });
        await assert.rejects(download(ask(web)), isCode("io.refused", new RegExp(String(status))));
      }
    });

    test("redirects, a few; not in circles, not to other schemes", async (context) => {
      const { web, download } = await make(context, {});
      const { manners } = web;
      web.manners = { ...manners, location: "/other" };
      const asked = download(ask(web));
      await assert.rejects(asked, isCode("io.redirect", /more than 10/));
      assert.equal(web.requests.length, 11);
      for (const location of ["file:///etc/passwd", "ftp://a/b", "http://["]) {
        web.manners = { ...manners, location };
        await assert.rejects(download(ask(web)), (error) => Fault.is(error, "io.redirect") || Fault.is(error, "io.url"));
      }
    });

    test("bodies that are encoded, too long, or end no one knows where", async (context) => {
      const encoded = await make(context, { encoding: "gzip" });
      await assert.rejects(encoded.download(ask(encoded.web)), isCode("io.protocol", /gzip/));
      const chunked = await make(context, { chunked: true });
      if (name === "node") {
        const answer = await chunked.download(ask(chunked.web, { unverified: true }));
        assert.equal(answer.size, undefined);
        assert.ok(CONTENT.equals(await read(answer)));
        const open = await make(context, { untilClose: true });
        await assert.rejects(open.download(ask(open.web, { unverified: true })), isCode("io.protocol", /how long/));
        assert.ok(CONTENT.equals(await read(await open.download(ask(open.web)))));
      }
    });

    test("only http and https, by URL", async (context) => {
      const { web, download } = await make(context, {});
      for (const url of ["file:///etc/passwd", "ftp://a/b", "/env/x", "", "http://"]) {
        await assert.rejects(download(ask(web, { url })), isCode("io.url"));
      }
      assert.deepEqual(web.requests, []);
    });
  });
}

test("a redirect from https to http is not followed", async () => {
  const origins: Parameters<typeof createMemoryDownload>[0] = new Map();
  origins.set("https://a", async () => ({ status: 301, headers: { location: "http://a/x" }, body: [] }));
  origins.set("http://a", async () => assert.fail("followed"));
  const { signal } = new AbortController();
  const asked = createMemoryDownload(origins)({ url: "https://a/x", from: 0, validator: undefined, unverified: true, signal });
  await assert.rejects(asked, isCode("io.redirect", /https to http/));
});

describe("downloads over a network", () => {
  test("a body that is cut, too short, or does not go on is a fault", async (context) => {
    for (const [manners, text] of [
      [{ cutAfter: 1000 }, /./],
      [{ lengthOff: 10 }, /./],
      [{ chunked: true, cutAfter: 100_000 }, /./],
      [{ hangAfter: 100 }, /./],
    ] as const) {
      const { web, download } = await twins["node"]!(context, manners);
      await assert.rejects(async () => read(await download(ask(web))), isCode("io.unreachable", text));
    }
  });

  test("nobody there, and a stop", async (context) => {
    const { web, download } = await twins["node"]!(context, { hangAfter: 100 });
    await assert.rejects(download(ask(web, { url: "http://127.0.0.1:1/x" })), isCode("io.unreachable"));
    const stop = new AbortController();
    const answer = await download(ask(web, { signal: stop.signal }));
    const reading = read(answer);
    stop.abort(new Error("enough"));
    await assert.rejects(reading, /enough/);
  });

  test("user and password go to their own origin only, and into no message", async (context) => {
    const { web, download } = await twins["node"]!(context, {});
    const other = await startWeb({ content: CONTENT });
    context.after(() => other.close());
    web.manners = { content: CONTENT, location: `${other.origin}/there` };
    const url = web.origin.replace("//", "//us%20er:se%3Acret@");
    assert.ok(CONTENT.equals(await read(await download(ask(web, { url })))));
    assert.deepEqual(web.authorizations, [`Basic ${Buffer.from("us er:se:cret").toString("base64")}`]);
    assert.deepEqual(other.authorizations, [undefined]);
    web.manners = { content: CONTENT, location: url };
    await assert.rejects(
      download(ask(web, { url })),
      (error) => Fault.is(error, "io.redirect") && !error.message.includes("se%3A"),
    );
  });

  test("nothing is read from link-local addresses, however they are written", async (context) => {
    const { web, download } = await twins["node"]!(context, {});
    const hosts = ["169.254.169.254", "2852039166", "[::ffff:169.254.1.1]", "[fe80::1]", "0xa9fea9fe"];
    for (const host of hosts) {
      await assert.rejects(download(ask(web, { url: `http://${host}/latest` })), isCode("io.url", /link-local/));
      web.manners = { content: CONTENT, location: `http://${host}/latest` };
      await assert.rejects(download(ask(web)), isCode("io.url", /link-local/));
    }
  });

  test("through the proxies that the environment names", async (context) => {
    const seen: string[] = [];
    const proxy = createServer((request, response) => {
      seen.push(`${request.method} ${request.url}`);
      response.end("by proxy");
    }).listen(0, "127.0.0.1");
    proxy.on("connect", ({ url = "" }, socket) => {
      seen.push(`CONNECT ${url}`);
      const onwards = connect(Number(url.split(":")[1]), "127.0.0.1", () => socket.write("HTTP/1.1 502 no\r\n\r\n"));
      socket.on("close", () => onwards.destroy());
    });
    await new Promise((resolve) => proxy.once("listening", resolve));
    const before = { ...process.env };
    const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    Object.assign(process.env, { http_proxy: address, https_proxy: address, no_proxy: "127.0.0.1" });
    const { web, download } = await twins["node"]!(context, {});
    context.after(() => {
      process.env = before;
      proxy.close();
    });
    assert.ok(CONTENT.equals(await read(await download(ask(web)))));
    const answer = await download(ask(web, { url: "http://kernels.example.org/vmlinuz" }));
    assert.equal((await read(answer)).toString(), "by proxy");
    assert.deepEqual(seen, ["GET http://kernels.example.org/vmlinuz"]);
  });
});
