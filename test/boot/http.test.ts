/** What machines download, with curl and with bytes that firmware or an attacker might send. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { after, before, beforeEach, describe, test } from "node:test";
import { promisify } from "node:util";
import { decodeToken } from "#decide/identity/token.ts";
import { createMemorySeal } from "#io/memory/seal.ts";
import { type BootServer, IN_FLIGHT, INITRD, inventoryOf, KERNEL, PROGRAM, startBoot } from "./http-fixture.ts";

const MACHINE = "uuid=4c4c4544-0042-3510-8054-b4c04f333732&mac=52-54-00-00-00-01&serial=S1&arch=x86_64&platform=pcbios";

function sha(bytes: Buffer): string {
  return createHash("sha512").update(bytes).digest("hex");
}

async function curl(...args: string[]): Promise<Buffer> {
  const options = { encoding: "buffer", maxBuffer: 1e8 } as const;
  return (await promisify(execFile)("curl", ["-sS", "--max-time", "20", ...args], options)).stdout;
}

/** All that comes for these bytes until the peer closes, as it does after HTTP/1.0. */
async function raw(port: number, bytes: string): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1" });
  await once(socket, "connect");
  socket.write(bytes, "latin1");
  let text = "";
  for await (const piece of socket) text += (piece as Buffer).toString("latin1");
  return text;
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let i = 0; i < 500; i++) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.fail(`never: ${what}`);
}

describe("files", () => {
  let server: BootServer;
  before(async () => {
    server = await startBoot();
  });
  beforeEach(() => void (server.sightings.length = 0));
  after(() => server.close());

  for (const version of ["--http1.0", "--http1.1", "--http2-prior-knowledge"]) {
    test(`curl ${version}: whole, in part, not again`, async () => {
      const url = `${server.url}/env/default/vmlinuz`;
      assert.equal(sha(await curl(version, url)), sha(KERNEL));
      assert.deepEqual(await curl(version, "-r", "1000-1999", url), KERNEL.subarray(1000, 2000));
      assert.deepEqual(await curl(version, "-r", "1499000-", url), KERNEL.subarray(1_499_000));
      assert.deepEqual(await curl(version, "-r", "-10", url), KERNEL.subarray(-10));
      const code = async (...args: string[]) =>
        String(await curl(version, "-o", "/dev/null", "-w", "%{http_code}", ...args, url));
      assert.equal(await code("-r", "0-9"), "206");
      assert.equal(await code("-r", "1500000-"), "416");
      const head = String(await curl(version, "--head", url));
      assert.match(head, /content-length: 1500000\r\n/i);
      assert.match(head, /accept-ranges: bytes\r\n/i);
      const [, etag] = /etag: ("[0-9a-f]{32}")\r\n/i.exec(head)!;
      const [, modified] = /last-modified: (.*)\r\n/i.exec(head)!;
      assert.equal(etag, `"${sha(KERNEL).slice(0, 32)}"`);
      assert.equal(await code("-H", `If-None-Match: ${etag}`), "304");
      assert.equal(await code("-H", `If-Modified-Since: ${modified}`), "304");
      assert.equal(await code("-r", "0-9", "-H", `If-Range: ${etag}`), "206");
      assert.equal(await code("-r", "0-9", "-H", 'If-Range: "old"'), "200");
      assert.equal(await code("-X", "POST", "-d", "x"), "405");
    });
  }

  test("curl goes on where it stopped", async () => {
    const file = `/tmp/boot-http-${process.pid}`;
    const url = `${server.url}/env/default/initramfs.xz`;
    try {
      await curl("-r", "0-999999", "-o", file, url);
      await curl("-C", "-", "-o", file, url);
      const [sum] = (await promisify(execFile)("sha512sum", [file])).stdout.split(" ");
      assert.equal(sum, sha(INITRD));
    } finally {
      await promisify(execFile)("rm", ["-f", file]);
    }
  });

  test("programs, with the type that UEFI wants", async () => {
    assert.deepEqual(await curl(`${server.url}/tftp/snp.efi`), PROGRAM);
    assert.deepEqual(await curl(`${server.url}/tftp/arm64/ipxe.efi`), PROGRAM);
    assert.deepEqual(await curl(`${server.url}/tftp/ipxe-arm64.efi`), PROGRAM, "by upstream's name");
    assert.match(String(await curl("--head", `${server.url}/tftp/snp.efi`)), /content-type: application\/efi\r\n/i);
    assert.match(
      String(await curl("--head", `${server.url}/tftp/undionly.kpxe`)),
      /content-type: application\/octet-stream\r\n/i,
    );
  });

  const NOT_THERE = [
    "/",
    "/env",
    "/env/",
    "/env/default",
    "/env/default/",
    "/env/default/passwd",
    "/env/default/arm64/vmlinuz",
    "/env/default/mips/vmlinuz",
    "/env/default/amd64/x/vmlinuz",
    "/env/Default/vmlinuz",
    "/env/nothing/vmlinuz",
    "/env/../env/default/vmlinuz",
    "/env/default/../default/vmlinuz",
    "/env/%2e%2e/vmlinuz",
    "/env/default%2fvmlinuz",
    "/env/default/vmlinuz/",
    "/env/default/vmlinuz%00",
    "/env/constructor/vmlinuz",
    "/env/__proto__/vmlinuz",
    "/tftp/",
    "/tftp/..",
    "/tftp/../../../etc/passwd",
    "/tftp/..%2f..%2f..%2fetc%2fpasswd",
    "/tftp/%2e%2e/%2e%2e/etc/passwd",
    "/tftp/..\\..\\etc\\passwd",
    "/tftp//etc/passwd",
    "/tftp/constructor",
    "/tftp/__proto__",
    "/etc/passwd",
    "//etc/passwd",
    "/ipxe/",
    "/boot.ipxe/x",
  ];
  test("what is not in a map is not there, however it is written", async () => {
    for (const target of NOT_THERE) {
      const answer = await raw(server.port, `GET ${target} HTTP/1.0\r\n\r\n`);
      assert.match(answer, /^HTTP\/1\.1 404 [\s\S]*\r\n\r\nnot found\n$/, target);
    }
    assert.equal(server.sightings.filter(({ what }) => what === "http.refused").length, NOT_THERE.length);
    assert.equal(server.sightings[4]!.text, "GET /env/default/: 404, not found");
    assert.deepEqual(server.sightings[4]!.of, { address: "127.0.0.1" });
  });

  test("what is hardly a request", async () => {
    const answers = async (bytes: string): Promise<string> => (await raw(server.port, bytes)).slice(9, 12);
    assert.equal(await answers("GET /%ff HTTP/1.0\r\n\r\n"), "400");
    assert.equal(await answers("GET /%zz HTTP/1.0\r\n\r\n"), "400");
    assert.equal(await answers("OPTIONS * HTTP/1.0\r\n\r\n"), "405");
    assert.equal(await answers("GET * HTTP/1.0\r\n\r\n"), "400");
    assert.equal(await answers("PUT /env/default/vmlinuz HTTP/1.0\r\n\r\n"), "405");
    assert.equal(await answers(`GET /${"x".repeat(3000)} HTTP/1.0\r\n\r\n`), "414");
    assert.equal(await answers(`GET /x HTTP/1.0\r\nX: ${"x".repeat(100_000)}\r\n\r\n`), "431");
    assert.equal(await answers("GET http://elsewhere/env/default/vmlinuz HTTP/1.0\r\nRange: bytes=0-1\r\n\r\n"), "206");
  });

  test("HTTP/1.0 as some firmware speaks it: whole, with its length, then closed", async () => {
    const answer = await raw(server.port, "GET /env/default/vmlinuz HTTP/1.0\r\n\r\n");
    const body = answer.indexOf("\r\n\r\n") + 4;
    assert.match(answer.slice(0, body), /content-length: 1500000\r\n/i);
    assert.equal(sha(Buffer.from(answer.slice(body), "latin1")), sha(KERNEL));
  });

  test("downloads are seen: sent with their rate, or how far they got", async () => {
    await curl(`${server.url}/env/default/vmlinuz`);
    await until(() => server.sightings.length === 1, "it is seen");
    const [sent] = server.sightings;
    assert.deepEqual([sent!.what, sent!.bytes, sent!.of.address], ["http.sent", 1_500_000, "127.0.0.1"]);
    assert.match(sent!.text, /^sent \/env\/default\/vmlinuz, 1\.5 MB, [\d.]+ MB\/s$/);
    const { size } = server.assets.get("default/initramfs.xz")!;
    server.assets.set("default/initramfs.xz", {
      sha512: "00".repeat(64),
      size,
      async *read(start, end) {
        if (start > 1_000_000) await new Promise((resolve) => setTimeout(resolve, 200));
        yield INITRD.subarray(start, end);
      },
    });
    const aborted = httpRequest(`${server.url}/env/default/initramfs.xz`).end();
    const [response] = (await once(aborted, "response")) as [IncomingMessage];
    response.resume();
    await new Promise((resolve) => setTimeout(resolve, 100));
    response.destroy();
    await until(() => server.sightings.length === 2, "it is seen");
    assert.equal(server.sightings[1]!.what, "http.failed");
    assert.match(
      server.sightings[1]!.text,
      /^\/env\/default\/initramfs\.xz broke off after 1\.\d of 3\.0 MB: the machine went away$/,
    );
  });

  test("a file that turns out to be damaged is cut off, so that nobody takes it for whole", async () => {
    server.assets.set("default/vmlinuz", {
      sha512: "11".repeat(64),
      size: 1_000_000,
      async *read(start, end) {
        if (start > 0) throw new Error("bad sector");
        yield Buffer.alloc(end - start);
      },
    });
    await assert.rejects(curl(`${server.url}/env/default/vmlinuz`), /curl: \(18\)/);
    await assert.rejects(curl("--http2-prior-knowledge", `${server.url}/env/default/vmlinuz`), /curl: \(92\)/);
    await until(() => server.sightings.length === 2, "it is seen");
    assert.match(server.sightings[0]!.text, /broke off after 0\.262 of 1\.0 MB: bad sector$/);
  });
});

describe("scripts", () => {
  let server: BootServer;
  before(async () => {
    server = await startBoot();
  });
  after(() => server.close());

  test("a machine nobody knows gets the agent, with a token of its own", async () => {
    const text = String(await curl(`${server.url}/ipxe?${MACHINE}`));
    const line = /^kernel --name=vmlinuz \/env\/agent-amd64\/vmlinuz (.*) \|\|/m.exec(text)![1]!;
    assert.ok(line.includes(` sidero.mac=52:54:00:00:00:01 sidero.endpoint=127.0.0.1:${server.port} `), line);
    const token = decodeToken(/sidero\.token=(\S+)/.exec(line)![1]!, createMemorySeal(1), Date.now());
    assert.deepEqual(
      [token.uuid, token.mac, token.serial, token.address],
      ["4c4c4544-0042-3510-8054-b4c04f333732", "52:54:00:00:00:01", "S1", "127.0.0.1"],
    );
    const other = String(await curl(`${server.url}/ipxe?${MACHINE}`));
    assert.notEqual(/sidero\.token=(\S+)/.exec(other)![1], /sidero\.token=(\S+)/.exec(text)![1]);
    const [seen] = server.sightings;
    assert.deepEqual(seen!.of, {
      mac: "52:54:00:00:00:01",
      uuid: "4c4c4544-0042-3510-8054-b4c04f333732",
      server: "4c4c4544-0042-3510-8054-b4c04f333732",
      address: "127.0.0.1",
    });
    assert.match(seen!.text, /^agent: no Server 4c4c4544-\S+ yet: it is to register$/);
    assert.equal(seen!.waitingFor, undefined);
    assert.match(String(await curl("--head", `${server.url}/ipxe?${MACHINE}`)), /cache-control: no-store\r\n/i);
  });

  test("without the agent's image it waits, and the sighting says what for", async () => {
    const text = String(await curl(`${server.url}/ipxe?${MACHINE.replace("x86_64", "arm64")}`));
    assert.match(text, /^echo Sidero: waiting: the agent's vmlinuz-arm64 is not there/m);
    assert.match(text, /^chain --replace --autofree \/ipxe\?uuid=4c4c\S+&arch=arm64&platform=pcbios \|\| goto again$/m);
    assert.match(server.sightings.at(-1)!.waitingFor!, /^the agent's vmlinuz-arm64 is not there/);
  });

  test("an asker that says nothing is told so", async () => {
    assert.match(String(await curl(`${server.url}/ipxe`)), /^echo Sidero: nothing to boot: it said neither/m);
  });

  test("the entry leads to where it came from", async () => {
    for (const path of ["/boot.ipxe", "/boot.ipxe?x", "/tftp/autoexec.ipxe"]) {
      const text = String(await curl(`${server.url}${path}`));
      assert.ok(text.includes(`chain --replace --autofree ${server.url}/ipxe?uuid=\${uuid}&mac=\${netX/mac:hexhyp}&`), text);
    }
    const named = String(await curl("-H", "Host: sidero.example:80", `${server.url}/boot.ipxe`));
    assert.ok(named.includes(" http://sidero.example:80/ipxe?"));
  });
});

test("settings: the endpoint, arguments of the agent; and before the caches are full everybody waits", async () => {
  const settings = {
    endpoint: "fd00::1",
    port: 9000,
    diskMethod: "ipxe-exit",
    agentArguments: [{ key: "panic", value: "5" }, { key: "no_timer_check" }],
    tokenLifetime: 1000,
  } as const;
  const inventory = { ...inventoryOf(), isComplete: true };
  const server = await startBoot({ settings, inventory });
  const text = String(await curl(`${server.url}/ipxe?${MACHINE}`));
  assert.match(text, / panic=5 .*sidero\.endpoint=\[fd00::1\]:9000 .* no_timer_check \|\|/);
  inventory.isComplete = false;
  assert.match(String(await curl(`${server.url}/ipxe?${MACHINE}`)), /waiting: Sidero to have read its Servers/);
  const answer = await curl("-i", `${server.url}/configdata?uuid=4c4c4544-0042-3510-8054-b4c04f333732`);
  assert.match(String(answer), /503 [\s\S]*retry-after: 5\r\n/i);
  await server.close();
});

test("arguments that do not fit wait for whoever can change them", async () => {
  const settings = {
    endpoint: "",
    port: 8081,
    diskMethod: "ipxe-exit",
    agentArguments: [{ key: "x", value: "y".repeat(2000) }],
    tokenLifetime: 1000,
  } as const;
  const server = await startBoot({ settings });
  const text = String(await curl(`${server.url}/ipxe?${MACHINE}`));
  assert.match(
    text,
    /waiting: somebody to correct the setting extra-agent-kernel-args: the kernel arguments are 2\d{3} characters long/,
  );
  await server.close();
});

test("two hundred machines at once get one file each, within the bound, while scripts are answered", async () => {
  const server = await startBoot();
  const download = async (): Promise<string> => {
    const request = httpRequest(`${server.url}/env/agent-amd64/initramfs.xz`, { agent: false }).end();
    const [response] = (await once(request, "response")) as [IncomingMessage];
    const hash = createHash("sha512");
    for await (const piece of response) hash.update(piece as Buffer);
    return hash.digest("hex");
  };
  const all = Promise.all(Array.from({ length: 200 }, download));
  const scripts = await Promise.all(Array.from({ length: 10 }, () => curl(`${server.url}/ipxe?${MACHINE}`)));
  assert.ok(scripts.every((text) => text.includes("agent-amd64")));
  const whole = sha(INITRD);
  for (const sum of await all) assert.equal(sum, whole);
  await until(() => server.admission.inFlight === 0, "all has left");
  // Nobody was slow enough to count apart.
  assert.equal(server.admission.peak, IN_FLIGHT, "the bound was reached, and kept");
  await until(() => server.sightings.filter(({ what }) => what === "http.sent").length === 200, "all are seen");
  await server.close();
});
