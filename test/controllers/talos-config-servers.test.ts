/** The bootstrap provider with real keys on a genuine API server and on ours: what openssl says of what it makes, and that it then rests. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { after, test } from "node:test";
import { createTalosConfigControllers } from "#controllers/talos-config/controller.ts";
import { silent } from "#io/log.ts";
import { systemClock } from "#io/node/clock.ts";
import { systemEntropy } from "#io/node/entropy.ts";
import { systemPki } from "#io/node/pki.ts";
import { TalosConfig } from "#kinds/bootstrap/v1beta1/talos-config.ts";
import type { Client } from "#kube/client.ts";
import { createRecorder } from "#kube/events.ts";
import { silentMetrics } from "#kube/metrics.ts";
import { Runtime } from "#kube/runtime.ts";
import { entryOf, Secret } from "#kube/secret.ts";
import { parseTalosconfig } from "#talos/talosconfig.ts";
import { connect } from "../kube/connect.ts";
import { inRealTime } from "../kube/eventually.ts";
import { createDefinitions } from "../peers/definitions.ts";
import { withoutPeer } from "../peers/locate.ts";
import { startGenuine, startSidero } from "../peers/server.ts";
import { addCluster, addMachine } from "./capi.ts";

const directory = mkdtempSync(`${tmpdir()}/sidero-talos-config-`);
after(() => rmSync(directory, { recursive: true }));

const SECRETS = ["c-talos", "c-ca", "c-talosconfig", "cp-bootstrap-data", "w-bootstrap-data"];

async function scenario(client: Client): Promise<void> {
  await addCluster({ client }, "c");
  await addMachine({ client }, "c", "cp", { generateType: "controlplane", talosVersion: "v1.11" });
  await addMachine({ client }, "c", "w", { generateType: "worker", talosVersion: "v1.11" });
  const secrets = client.for(Secret).in("default");
  const configs = client.for(TalosConfig).in("default");
  const created = async (name: string) => (await configs.get(name)).status?.initialization?.dataSecretCreated;
  await inRealTime(() => created("cp-config"), true);
  await inRealTime(() => created("w-config"), true);
  await inRealTime(async () => (await secrets.get("c-talosconfig")).metadata.name, "c-talosconfig");
  const versions = async () => {
    const objects = await Promise.all([
      ...SECRETS.map((name) => secrets.get(name)),
      configs.get("cp-config"),
      configs.get("w-config"),
    ]);
    return objects.map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`);
  };
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const resting = await versions();
  await new Promise((resolve) => setTimeout(resolve, 2000));
  assert.deepEqual(await versions(), resting);

  const access = parseTalosconfig(entryOf(await secrets.get("c-talosconfig"), "talosconfig") ?? "");
  const file = (name: string, text: string): string => {
    writeFileSync(`${directory}/${name}`, text);
    return `${directory}/${name}`;
  };
  const openssl = (...args: string[]): string => execFileSync("openssl", args, { encoding: "utf8", stdio: "pipe" });
  const crt = file("client.crt", access.client.certificate);
  assert.match(openssl("verify", "-CAfile", file("os.crt", access.ca), "-purpose", "sslclient", crt), /OK/);
  assert.match(openssl("x509", "-in", crt, "-noout", "-subject"), /O ?= ?os:admin/);
  const authority = await secrets.get("c-ca");
  const ca = file("ca.crt", entryOf(authority, "tls.crt") ?? "");
  const key = file("ca.key", entryOf(authority, "tls.key") ?? "");
  assert.equal(openssl("x509", "-in", ca, "-noout", "-pubkey"), openssl("pkey", "-in", key, "-pubout"));
}

test("the genuine server", { skip: withoutPeer("refapi"), timeout: 90_000 }, async () => {
  const server = await startGenuine();
  const { client, close } = await connect(server.kubeconfig);
  const stop = new AbortController();
  const ports = { client, clock: systemClock, entropy: systemEntropy, log: silent };
  const events = createRecorder({ ...ports, component: "sidero", instance: "test" });
  const controllers = createTalosConfigControllers({ clock: systemClock, entropy: systemEntropy, pki: systemPki });
  const runtime = new Runtime({ ...ports, metrics: silentMetrics, events, controllers });
  const running = runtime.run(stop.signal);
  try {
    await createDefinitions(client);
    await inRealTime(async () => runtime.problems.size, 0);
    await scenario(client);
  } finally {
    stop.abort();
    await running;
    await close();
    await server.stop();
  }
});

test("ours, as sidero up", { timeout: 90_000 }, async () => {
  const server = await startSidero("--providers=bootstrap-talos,core");
  const { client, close } = await connect(server.kubeconfig);
  try {
    await scenario(client);
  } finally {
    await close();
    await server.stop();
  }
});
