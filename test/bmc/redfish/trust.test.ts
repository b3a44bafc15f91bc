/** TLS with controllers: certificates that somebody has signed, that nobody has, and that are others than before. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { after, test } from "node:test";
import { createRedfishBmc, type RedfishBmc, type RedfishOptions } from "#bmc/redfish/client.ts";
import { type Log, silent } from "#io/log.ts";
import { systemClock } from "#io/node/clock.ts";
import { openHttp } from "#io/node/http-client.ts";
import { listen } from "#io/node/serve.ts";
import type { Listener } from "#io/serve.ts";
import { Replay } from "./replay.ts";

const never = new AbortController().signal;
const SYSTEM = "/redfish/v1/Systems/system";
const directory = mkdtempSync(`${tmpdir()}/sidero-trust-`);
after(() => rmSync(directory, { recursive: true, force: true }));

interface Pair {
  readonly key: string;
  readonly certificate: string;
  readonly fingerprint: string;
}

/** Self-signed; by default with a key as short as old controllers have. */
function certificate(name: string, ...more: string[]): Pair {
  const [key, pem] = [`${directory}/${name}.key`, `${directory}/${name}.pem`];
  const kind = more.length > 0 ? more : ["-newkey", "rsa:1024"];
  execFileSync(
    "openssl",
    ["req", "-x509", "-nodes", "-days", "30", "-subj", `/CN=${name}`, "-keyout", key, "-out", pem, ...kind],
    {
      stdio: "ignore",
    },
  );
  const text = readFileSync(pem, "utf8");
  const fingerprint = new X509Certificate(text).fingerprint256.replaceAll(":", "").toLowerCase();
  return { key: readFileSync(key, "utf8"), certificate: text, fingerprint };
}

/** The same service, under the certificate it has today. */
function serve({ key, certificate: pem }: Pair, replay: Replay, port = 0): Promise<Listener> {
  const limits = { headers: 5000, idle: 5000, buffered: 1 << 20, stalled: 5000 };
  const tls = { key, certificate: pem, clientCa: pem, ciphers: "DEFAULT@SECLEVEL=0" };
  return listen({ host: "127.0.0.1", port, limits, tls }, replay.handler);
}

function bmcAt({ port }: Listener, options: Partial<RedfishOptions> = {}, host = "127.0.0.1"): RedfishBmc {
  const credentials = { user: "root", password: "calvin-0-secret" };
  return createRedfishBmc({
    server: `https://${host}:${port}`,
    system: SYSTEM,
    credentials,
    open: openHttp,
    clock: systemClock,
    log: silent,
    ...options,
  });
}

test("the first certificate is taken loudly, another one is refused before anything is told to it", async () => {
  const [old, renewed] = [certificate("old"), certificate("renewed")];
  const replay = new Replay("openbmc/bmcweb");
  const loud: [string, unknown][] = [];
  const log: Log = { ...silent, warn: (message, facts) => void loud.push([message, facts?.["fingerprint"]]) };
  let pinned: string | undefined;
  const first = await serve(old, replay);
  const { port } = first;
  try {
    const bmc = bmcAt(first, { log, onPin: (fingerprint) => (pinned = fingerprint) });
    assert.equal(await bmc.power(never), "off");
    await bmc.close();
    assert.equal(pinned, old.fingerprint);
    assert.equal(loud.length, 1);
    assert.match(loud[0]![0], /trusted from now on/);
    assert.equal(loud[0]![1], old.fingerprint);
    const again = bmcAt(first, { log, known: pinned });
    assert.equal(await again.power(never), "off");
    await again.close();
    assert.equal(loud.length, 1, "nothing is new about it");
  } finally {
    await first.close();
  }
  const second = await serve(renewed, replay, port);
  const heard = replay.log.length;
  try {
    const bmc = bmcAt(second, { log, known: pinned });
    await assert.rejects(bmc.power(never), (error: Error & { code?: string }) => {
      assert.equal(error.code, "bmc.untrusted");
      assert.match(error.message, new RegExp(`the one known is ${old.fingerprint}, it shows ${renewed.fingerprint}`));
      assert.match(error.message, /spec\.bmc\.fingerprint/);
      return true;
    });
    await bmc.close();
    assert.equal(replay.log.length, heard, "it has not heard a word");
    const told = bmcAt(second, { known: pinned, expected: renewed.fingerprint });
    assert.equal(await told.power(never), "off", "what a person says goes before what was seen");
    await told.close();
    const wrong = bmcAt(second, { expected: old.fingerprint });
    await assert.rejects(wrong.power(never), { code: "bmc.untrusted", message: /spec\.bmc\.fingerprint wants/ });
    await wrong.close();
  } finally {
    await second.close();
  }
});

test("a certificate that verifies needs no pin, and one for another host does not verify", async () => {
  const san = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-addext"];
  const [good, other] = [
    certificate("good", ...san, "subjectAltName=IP:127.0.0.1"),
    certificate("other", ...san, "subjectAltName=IP:192.0.2.1"),
  ];
  for (const [pair, pins] of [
    [good, 0],
    [other, 1],
  ] as const) {
    const replay = new Replay("openbmc/bmcweb");
    const listener = await serve(pair, replay);
    let pinned = 0;
    const bmc = bmcAt(listener, { ca: pair.certificate, onPin: () => pinned++ });
    try {
      assert.equal(await bmc.power(never), "off");
      assert.equal(pinned, pins);
    } finally {
      await bmc.close();
      await listener.close();
    }
  }
});

test("a service that is not there, and one that does not speak TLS", async () => {
  const replay = new Replay("openbmc/bmcweb");
  const limits = { headers: 5000, idle: 5000, buffered: 1 << 20, stalled: 5000 };
  const plain = await listen({ host: "127.0.0.1", port: 0, limits }, replay.handler);
  const bmc = bmcAt(plain);
  await assert.rejects(bmc.power(never), { code: "bmc.unreachable", retry: "soon" });
  await bmc.close();
  await plain.close();
  const gone = bmcAt(plain);
  await assert.rejects(gone.power(never), { code: "bmc.unreachable" });
  await gone.close();
});
