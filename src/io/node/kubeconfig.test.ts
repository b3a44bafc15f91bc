import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Fault } from "#std/fault.ts";
import { readKubeconfig } from "./kubeconfig.ts";

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "kubeconfig-"));
});
after(() => rm(folder, { recursive: true }));

interface Parts {
  cluster?: object;
  user?: object;
  context?: object;
}

async function file(parts: Parts): Promise<string> {
  const path = join(folder, `${Math.random()}.json`);
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "here",
    clusters: [{ name: "c", cluster: { server: "https://192.0.2.1:6443", ...parts.cluster } }],
    users: [{ name: "u", user: { ...parts.user } }],
    contexts: [
      { name: "here", context: { cluster: "c", user: "u", ...parts.context } },
      { name: "there", context: { cluster: "c", user: "nobody" } },
    ],
  };
  await writeFile(path, JSON.stringify(config));
  return path;
}

const base64 = (text: string): string => Buffer.from(text).toString("base64");

test("certificates, inline and from files relative to the kubeconfig", async () => {
  await writeFile(join(folder, "client.key"), "KEY");
  const path = await file({
    cluster: { "certificate-authority-data": base64("CA"), "tls-server-name": "kubernetes" },
    user: { "client-certificate-data": base64("CERT"), "client-key": "client.key" },
    context: { namespace: "machines" },
  });
  assert.deepEqual(await readKubeconfig({ path }), {
    context: "here",
    namespace: "machines",
    client: { server: "https://192.0.2.1:6443", ca: "CA", certificate: "CERT", key: "KEY", serverName: "kubernetes" },
  });
});

test("a static token, and a server whose certificate is not checked", async () => {
  const path = await file({ cluster: { "insecure-skip-tls-verify": true }, user: { token: "secret" } });
  const { client, namespace } = await readKubeconfig({ path });
  assert.deepEqual(client, { server: "https://192.0.2.1:6443", token: "secret", insecure: true });
  assert.equal(namespace, "default");
});

test("an exec plugin is run for its token", async () => {
  const plugin = join(folder, "plugin.sh");
  const credential = { apiVersion: "client.authentication.k8s.io/v1", kind: "ExecCredential", status: { token: "made" } };
  await writeFile(plugin, `#!/bin/sh\nprintf '%s' '${JSON.stringify(credential)}'\n`);
  await chmod(plugin, 0o755);
  const path = await file({ user: { exec: { apiVersion: "client.authentication.k8s.io/v1", command: plugin } } });
  const { client } = await readKubeconfig({ path });
  assert.equal(typeof client.token, "function");
  assert.equal(await (client.token as () => Promise<string>)(), "made");
});

async function refusal(path: string, context?: string): Promise<Fault> {
  const error = await readKubeconfig({ path, ...(context === undefined ? {} : { context }) }).catch((caught: unknown) => caught);
  assert.ok(Fault.is(error));
  return error;
}

test("what cannot be used is refused with what to change", async () => {
  const good = await file({});
  assert.match((await refusal(join(folder, "absent"))).message, /ENOENT/);
  assert.equal((await refusal(good, "elsewhere")).message, 'no context "elsewhere"; there are: here, there');
  assert.equal((await refusal(good, "there")).message, 'context "there" names a user "nobody" that is not there');
  assert.equal((await refusal(await file({ cluster: { "proxy-url": "http://proxy" } }))).code, "kubeconfig.unsupported");
  const failing = await refusal(await file({ user: { exec: { command: "/nonexistent/plugin" } } }));
  assert.match(failing.message, /^credentials: .*nonexistent/);
});
