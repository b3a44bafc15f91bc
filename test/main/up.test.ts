/** `sidero up` as a process: what it says, who gets in, and how it ends. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile, stat, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { createHttpClient, type HttpClientOptions } from "#io/node/http-client.ts";
import { waitFor } from "../peers/process.ts";
import { listeningPorts } from "./listening.ts";
import { access, ask, type Context, end, launch, run, type Sidero, temporary, untilReady, up, urlOf } from "./sidero.ts";
import { handshake } from "./tls.ts";

const CONFIG_MAPS = "/api/v1/namespaces/default/configmaps";
const TOKENS = `admin-token,ann,1,"system:masters,others"\njane-token,jane,2\n`;

const messageOf = ({ text }: { text: string }): string => (JSON.parse(text) as { message: string }).message;

describe("one server", () => {
  const actions: (() => unknown)[] = [];
  const context: Context = { after: (action) => void actions.push(action) };
  let sidero: Sidero;
  let admin: HttpClientOptions;
  let isEarly = false;
  /** The API, for who has no certificate to show. */
  const bearer = (token?: string): HttpClientOptions => ({
    server: admin.server,
    ca: admin.ca!,
    ...(token === undefined ? {} : { token }),
  });

  before(async () => {
    const tokens = join(await temporary(context), "tokens.csv");
    await writeFile(tokens, TOKENS);
    sidero = launch(join(await temporary(context), "data"), {
      "token-auth-file": tokens,
      "health-addr": "127.0.0.1:0",
      "diagnostics-address": "127.0.0.1:0",
    });
    context.after(() => sidero.child.stop("SIGKILL"));
    sidero.child.process.stdout!.on("data", (said: Buffer) => {
      isEarly ||= said.includes("ready") && !existsSync(sidero.kubeconfig);
    });
    await untilReady(sidero);
    admin = await access(sidero);
  });
  after(async () => {
    for (const action of actions.toReversed()) await action();
  });

  test("is ready only when its kubeconfig is there, which is nobody else's to read", async () => {
    assert.equal(isEarly, false);
    assert.equal((await stat(sidero.kubeconfig)).mode & 0o777, 0o600);
    assert.equal((await stat(join(sidero.kubeconfig, ".."))).mode & 0o777, 0o700);
    assert.equal((await ask(admin, CONFIG_MAPS)).status, 200);
  });

  test("lets nobody in without credentials, but for health and version", async () => {
    for (const path of [CONFIG_MAPS, "/", "/apis", "/openapi/v2", "/metrics", "/sidero/backup", "/readyz/ping"]) {
      const answer = await ask(bearer(), path);
      assert.deepEqual([answer.status, messageOf(answer)], [401, "Unauthorized"], path);
    }
    for (const path of ["/livez", "/readyz", "/healthz", "/version"]) assert.equal((await ask(bearer(), path)).status, 200, path);
  });

  test("knows the bearers of its tokens", async () => {
    assert.equal((await ask(bearer("admin-token"), CONFIG_MAPS)).status, 200);
    assert.equal((await ask(bearer("admin-toke"), CONFIG_MAPS)).status, 401);
    const answer = await ask(bearer("jane-token"), CONFIG_MAPS);
    assert.deepEqual(
      [answer.status, messageOf(answer)],
      [403, 'configmaps is forbidden: User "jane" cannot list resource "configmaps" in API group "" in the namespace "default"'],
    );
    assert.equal((await ask(bearer("jane-token"), "/sidero/backup")).status, 403);
  });

  test("answers probes with health and nothing else", async () => {
    const health = { server: urlOf(sidero, "health") };
    for (const path of ["/healthz", "/readyz", "/readyz?verbose"]) {
      assert.deepEqual(await ask(health, path), { status: 200, text: "ok" }, path);
    }
    for (const path of ["/", "/livez", "/readyz/ping", "/metrics", "/version", "/api", CONFIG_MAPS, "/readyz/..", "//readyz"]) {
      assert.equal((await ask({ ...health, token: "admin-token" }, path)).status, 404, path);
    }
  });

  test("shows metrics to administrators, those of the controllers among them", async () => {
    const server = urlOf(sidero, "metrics");
    assert.match(server, /^https:/);
    assert.equal((await ask({ ...bearer(), server }, "/metrics")).status, 401);
    assert.equal((await ask({ ...bearer("jane-token"), server }, "/metrics")).status, 403);
    assert.equal((await ask({ ...bearer("admin-token"), server }, "/metrics")).status, 200);
    assert.equal((await ask({ ...admin, server }, "/other")).status, 404);
    // The first reconciliation follows the lease by a moment.
    for (;;) {
      const { status, text } = await ask({ ...admin, server }, "/metrics");
      assert.equal(status, 200);
      if (/^sidero_\w+\{.*controller="server-?class".*\} [1-9]/im.test(text)) break;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });

  test("speaks TLS 1.2 and later", async () => {
    const { port } = new URL(admin.server);
    assert.equal(await handshake(port, "-tls1_1"), undefined);
    assert.equal((await handshake(port, "-tls1_2"))?.version, "TLSv1.2");
    assert.equal((await handshake(port, "-tls1_3"))?.version, "TLSv1.3");
  });

  test("keeps others away from its data", async () => {
    const other = await run(["up", `--data=${join(sidero.kubeconfig, "..")}`, "--api-address=127.0.0.1:0"]);
    assert.equal(other.code, 1);
    assert.match(other.stderr, /^sidero: \S+ is in use by another process$/m);
    assert.equal(other.stdout, "");
    assert.equal((await ask(admin, CONFIG_MAPS)).status, 200);
  });

  test("ends its watches and itself when told to", async () => {
    const transport = createHttpClient(admin);
    const watches = await Promise.all(
      Array.from({ length: 5 }, () => transport.request({ method: "GET", target: `${CONFIG_MAPS}?watch=true` })),
    );
    const ended = Promise.all(watches.map((watch) => Array.fromAsync(watch.body)));
    const start = performance.now();
    sidero.child.process.kill("SIGTERM");
    assert.equal(await sidero.ended, 0);
    assert.ok(performance.now() - start < 15_000);
    await ended;
    await transport.close();
    assert.match(sidero.child.log(), /stopping signal=SIGTERM\n$/);
  });
});

test("a restart changes nothing for clients", async (context) => {
  const data = await temporary(context);
  const first = await up(context, data);
  const before = await access(first);
  const made = { method: "POST", body: Buffer.from(JSON.stringify({ metadata: { name: "kept" } })) };
  assert.equal((await ask(before, CONFIG_MAPS, { ...made, headers: { "content-type": "application/json" } })).status, 201);
  const files = ["kubeconfig", "pki/ca.crt", "pki/apiserver.crt", "pki/admin.crt"].map((name) => join(data, name));
  const contents = (): Promise<Buffer[]> => Promise.all(files.map((file) => readFile(file)));
  const old = await contents();
  await end(first);

  // On the same port, and with every setting of TLS and diagnostics that the first had not.
  const { host, port } = new URL(before.server);
  const second = await up(context, data, {
    "api-address": host,
    "tls-min-version": "VersionTLS12",
    "tls-cipher-suites": "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "diagnostics-address": "127.0.0.1:0",
    "insecure-diagnostics": "true",
  });
  assert.deepEqual(await contents(), old);
  assert.equal((await ask(before, `${CONFIG_MAPS}/kept`)).status, 200);
  assert.deepEqual(await handshake(port, "-tls1_2"), { version: "TLSv1.2", cipher: "ECDHE-ECDSA-AES256-GCM-SHA384" });
  assert.equal(await handshake(port, "-tls1_2", "ECDHE-ECDSA-AES128-GCM-SHA256"), undefined);
  assert.match(urlOf(second, "metrics"), /^http:/);
  assert.match((await ask({ server: urlOf(second, "metrics") }, "/metrics")).text, /^process_cpu_seconds_total /m);
  await end(second);

  const third = await up(context, data, { "api-address": host, "tls-min-version": "VersionTLS13" });
  assert.equal(await handshake(port, "-tls1_2"), undefined);
  assert.equal((await handshake(port, "-tls1_3"))?.version, "TLSv1.3");
  await end(third);

  const fourth = await up(context, data, { "api-address": host, "tls-min-version": "VersionTLS10" });
  assert.equal((await handshake(port, "-tls1"))?.version, "TLSv1.0");
  await end(fourth);
});

test("every listener can be off", async (context) => {
  const data = await temporary(context);
  const sidero = await up(context, data, { "api-address": "off" });
  assert.deepEqual(await listeningPorts(sidero.child.process.pid!), []);
  assert.equal(existsSync(sidero.kubeconfig), false);
  sidero.child.process.kill("SIGINT");
  assert.equal(await sidero.ended, 0);
});

test("a start that fails ends whole and says why", async (context) => {
  const data = await temporary(context);
  const blocker = createServer().listen(0, "127.0.0.1");
  context.after(() => blocker.close());
  await once(blocker, "listening");
  const { port } = blocker.address() as AddressInfo;
  const sidero = launch(data, { "diagnostics-address": `127.0.0.1:${port}` });
  assert.equal(await sidero.ended, 1);
  assert.match(
    sidero.child.log(),
    new RegExp(`^sidero: --diagnostics-address: cannot listen on 127.0.0.1:${port}: the address is in use$`, "m"),
  );
  assert.doesNotMatch(sidero.child.log(), /^ready$/m);

  // Its directory is nobody's any more; and one that is told to end while it starts ends well, too.
  const second = launch(data);
  context.after(() => second.child.stop("SIGKILL"));
  await waitFor(second.child, "serving", 30_000, () => (second.child.log().includes("serving the API") ? true : undefined));
  second.child.process.kill("SIGTERM");
  assert.equal(await second.ended, 0);
});

test("a second signal ends it at once", async (context) => {
  const sidero = await up(context, await temporary(context));
  const admin = await access(sidero);
  // A request that does not get on is waited for.
  const { hostname, port } = new URL(admin.server);
  const { ca, certificate: cert, key } = admin;
  const slow = request({ hostname, port, ca, cert, key, method: "POST", path: CONFIG_MAPS, headers: { "content-length": "10" } });
  slow.on("error", () => {});
  slow.flushHeaders();
  await once(slow, "socket");
  await ask(admin, CONFIG_MAPS);
  sidero.child.process.kill("SIGTERM");
  await waitFor(sidero.child, "stopping", 30_000, () => (sidero.child.log().includes("stopping") ? true : undefined));
  await new Promise((resolve) => setTimeout(resolve, 300));
  sidero.child.process.kill("SIGINT");
  assert.equal(await sidero.ended, "SIGINT");
});

test("without its journal's thread it ends loudly, to be started again", async (context) => {
  const dying = new URL("./dying-thread.ts", import.meta.url).href;
  const sidero = launch(await temporary(context), {}, { NODE_OPTIONS: `--import=${dying}` });
  context.after(() => sidero.child.stop("SIGKILL"));
  assert.equal(await sidero.ended, 1);
  assert.match(sidero.child.log(), /the thread dies of this/);
});
