import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Fault } from "#std/fault.ts";
import { parseKubeconfig } from "./kubeconfig.ts";

function kubeconfig(cluster: object, user: object, more = {}): string {
  return JSON.stringify({
    "current-context": "a@c",
    contexts: [{ name: "a@c", context: { cluster: "c", user: "a" } }],
    clusters: [
      { name: "other", cluster: { server: "https://other" } },
      { name: "c", cluster },
    ],
    users: [{ name: "a", user }],
    ...more,
  });
}

test("the current context's server and credentials, as they stand in the text", () => {
  const text = kubeconfig(
    { server: "https://10.0.0.1:6443", "certificate-authority-data": btoa("CA") },
    { "client-certificate-data": btoa("CERT"), "client-key-data": btoa("KEY") },
  );
  assert.deepEqual(parseKubeconfig(text), { server: "https://10.0.0.1:6443", ca: "CA", certificate: "CERT", key: "KEY" });
  assert.deepEqual(parseKubeconfig(kubeconfig({ server: "https://k", "tls-server-name": "n" }, { token: "t" })), {
    server: "https://k",
    token: "t",
    serverName: "n",
  });
});

test("nothing of this host is read or run for it", () => {
  const server = { server: "https://k" };
  for (const [cluster, user, field] of [
    [server, { exec: { command: "/bin/sh" } }, "exec"],
    [server, { tokenFile: "/etc/shadow" }, "tokenFile"],
    [server, { "client-key": "/root/.ssh/id" }, "client-key"],
    [{ ...server, "certificate-authority": "/etc/ca" }, {}, "certificate-authority"],
    [{ ...server, "proxy-url": "http://p" }, {}, "proxy-url"],
    [{ ...server, "insecure-skip-tls-verify": true }, {}, "insecure-skip-tls-verify"],
  ] as const) {
    assert.throws(() => parseKubeconfig(kubeconfig(cluster, user)), {
      message: `the kubeconfig uses ${field}, which is not supported here`,
    });
  }
  assert.throws(() => parseKubeconfig(kubeconfig({ server: "file:///etc/passwd" }, {})), /a server that is no URL/);
});

test("whatever the text, it is read or refused with kube.workload, whose words say nothing of it", () => {
  const secret = "hunter2";
  for (const text of [`a: [${secret}`, `&a [*a, ${secret}]`, secret, `users: ${secret}`]) {
    assert.throws(
      () => parseKubeconfig(text),
      (error) => Fault.is(error, "kube.workload") && !error.message.includes(secret),
    );
  }
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), fc.object(), (text, object) => {
      for (const each of [text, JSON.stringify(object), kubeconfig(object, object)]) {
        try {
          parseKubeconfig(each);
        } catch (error) {
          assert.ok(Fault.is(error, "kube.workload"), String(error));
        }
      }
    }),
  );
});
