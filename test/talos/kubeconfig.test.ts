/** The kubeconfig of a cluster: kubectl reads it, openssl and an API-server-like TLS server take its certificate. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, createServer } from "node:tls";
import { tmpdir } from "node:os";
import { after, test } from "node:test";
import { parse } from "yaml";
import { standardKey, systemPki } from "#io/node/pki.ts";
import { locateKubectl, withoutPeer } from "../peers/locate.ts";
import { issueKubernetesAdmin, printKubeconfig } from "#talos/kubeconfig.ts";

const directory = mkdtempSync(`${tmpdir()}/sidero-kubeconfig-`);
after(() => rmSync(directory, { recursive: true }));

interface Kubeconfig {
  clusters: [{ name: string; cluster: { server: string; "certificate-authority-data": string } }];
  users: [{ name: string; user: { "client-certificate-data": string; "client-key-data": string } }];
  "current-context": string;
}

test(
  "a kubeconfig from the Kubernetes authority, be it of ECDSA (ours) or RSA (kubeadm's)",
  { skip: withoutPeer("kubectl") },
  async () => {
    const now = Date.now();
    for (const algorithm of ["ecdsa-p256", "rsa-2048"] as const) {
      const authority = await systemPki.issue({
        algorithm,
        subject: [{ type: "O", value: "kubernetes" }],
        notBefore: now - 1000,
        notAfter: now + 3_600_000,
        isAuthority: true,
        usages: ["server", "client"],
      });
      const client = await issueKubernetesAdmin(authority, { pki: systemPki, now });
      const text = printKubeconfig({ clusterName: "c1", server: "https://10.0.0.1:6443", ca: authority.certificate, client });
      const config = parse(text) as Kubeconfig;
      assert.equal(config["current-context"], "c1-admin@c1");
      const [{ user }] = config.users;
      const file = (name: string, content: string): string => {
        writeFileSync(`${directory}/${name}`, content);
        return `${directory}/${name}`;
      };
      const ca = file("ca.crt", Buffer.from(config.clusters[0].cluster["certificate-authority-data"], "base64").toString());
      const crt = file("client.crt", Buffer.from(user["client-certificate-data"], "base64").toString());
      const openssl = (...args: string[]): string => execFileSync("openssl", args, { encoding: "utf8", stdio: "pipe" });
      assert.match(openssl("verify", "-CAfile", ca, "-purpose", "sslclient", crt), /OK/);
      const shown = openssl("x509", "-in", crt, "-noout", "-text");
      for (const word of [
        "Subject: O = system:masters, CN = kubernetes-admin",
        "Public-Key: (2048 bit)",
        "TLS Web Client Authentication",
      ])
        assert.ok(shown.includes(word), `${word} in\n${shown}`);
      const kubectl = execFileSync(
        locateKubectl("1.36"),
        ["--kubeconfig", file("config", text), "config", "view", "-o", "jsonpath={.clusters[0].cluster.server} {.users[0].name}"],
        { encoding: "utf8" },
      );
      assert.equal(kubectl, "https://10.0.0.1:6443 c1-admin");
      assert.equal(await subjectSeen(authority, user), "kubernetes-admin");
    }
  },
);

/** The name by which a server knows the holder of the certificate. */
async function subjectSeen(
  authority: { certificate: string; key: string },
  user: Kubeconfig["users"][0]["user"],
): Promise<string> {
  const serving = await systemPki.issue(
    {
      algorithm: "ecdsa-p256",
      subject: [],
      notBefore: Date.now() - 1000,
      notAfter: Date.now() + 60_000,
      isAuthority: false,
      usages: ["server"],
      names: ["127.0.0.1"],
    },
    authority,
  );
  const server = createServer({
    cert: serving.certificate,
    key: standardKey(serving.key),
    ca: authority.certificate,
    requestCert: true,
    rejectUnauthorized: true,
  });
  server.on("secureConnection", (socket) => socket.end(String(socket.getPeerCertificate().subject.CN)));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket = connect({
    host: "127.0.0.1",
    port: (server.address() as AddressInfo).port,
    ca: authority.certificate,
    cert: Buffer.from(user["client-certificate-data"], "base64"),
    key: Buffer.from(user["client-key-data"], "base64"),
  });
  let said = "";
  socket.setEncoding("utf8").on("data", (piece: string) => (said += piece));
  await once(socket, "close");
  server.close();
  return said;
}
