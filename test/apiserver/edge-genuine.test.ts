/** The edge of `sidero up` beside the genuine server's: who is let in, what odd paths and bodies are answered, word for word. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { readKubeconfig } from "../peers/kubeconfig.ts";
import { withoutPeer } from "../peers/locate.ts";
import { type Server, startGenuine, startSidero } from "../peers/server.ts";

const TOKENS = 'bobtok,bob,u1,"devs,ops"\nadmintok,adm,u2,system:masters\n';

interface Reply {
  readonly code: number;
  readonly type: string | undefined;
  readonly body: unknown;
}

/** `METHOD target [token]`, the token `-` for none, and a body of so many bytes. */
const CASES: readonly (readonly [string, number?])[] = [
  ["GET /api/v1/namespaces nope"],
  ["GET /livez nope"],
  ["GET /livez -"],
  ["GET /livez"],
  ["HEAD /livez"],
  ["POST /livez"],
  ["GET /livez?exclude=ping"],
  ["GET /readyz bobtok"],
  ["GET /readyz/ping"],
  ["GET /healthz -"],
  ["HEAD /version"],
  ["POST /version"],
  ["GET /api/v1/namespaces bobtok"],
  ["GET /api/v1/namespaces/d bobtok"],
  ["GET /api/v1/namespaces/d/secrets/x/status bobtok"],
  ["POST /apis/a/v1/namespaces/d/secrets bobtok"],
  ["DELETE /apis/a/v1/namespaces/d/secrets bobtok"],
  ["GET /apis/metal.sidero.dev/v1/servers/x bobtok"],
  ["GET /api/v1/watch/nodes bobtok"],
  ["GET /api/v1/nodes?watch=1 bobtok"],
  ["PROPFIND /api/v1/nodes bobtok"],
  ["GET / bobtok"],
  ["GET /metrics bobtok"],
  ["GET /livez/ping bobtok"],
  ["GET /%3Cb%3E&%22 bobtok"],
  ["GET /api/v1/namespaces/%zz"],
  ["GET /api/v1/nope"],
  ["GET /api/v2/x"],
  ["GET /api/v1/"],
  ["GET /api/"],
  ["GET /api/v1//namespaces"],
  ["GET /api/v1/./namespaces"],
  ["GET /api/v1/namespaces/"],
  ["GET /api/v1/namespaces/.."],
  ["GET /apis/"],
  ["HEAD /api"],
  ["HEAD /apis/coordination.k8s.io/v1"],
  ["HEAD /openapi/v3"],
  ["HEAD /"],
  ["GET /api/v1/namespaces/a%25b"],
  ["GET /api/v1/namespaces/a%2Fb"],
  ["GET /api/v1/namespaces/default//secrets"],
  ["GET /api/v1/namespaces/default/namespaces"],
  ["GET /api/v1/namespaces/default/nodes"],
  ["GET /api/v1/namespaces/default/secrets/"],
  ["GET /api/v1/namespaces/default/secrets/x/"],
  ["GET /api/v1/namespaces/default/secrets/x/status"],
  ["GET /api/v1/namespaces/default/secrets/x/y/z"],
  ["GET /api/v1/secrets/"],
  ["GET /api/v1/secrets/x"],
  ["POST /api/v1/secrets"],
  ["DELETE /api/v1/secrets"],
  ["PUT /api/v1/namespaces/default/secrets"],
  ["POST /api/v1/namespaces/default/secrets/x"],
  ["POST /api/v1/namespaces/default/status"],
  ["OPTIONS /api/v1/namespaces"],
  ["TRACE /api/v1/namespaces"],
  ["HEAD /api/v1/namespaces"],
  ["PUT /api"],
  ["GET /apis/nope"],
  ["GET /apis/nope/v1"],
  ["GET /apis/nope/v1/x"],
  ["POST /api/v1/namespaces/default/secrets", 3 * 1024 * 1024 + 1],
  ["PUT /api/v1/namespaces/default/secrets/x", 5 * 1024 * 1024],
  ["POST /api/v1/namespaces/default/secrets bobtok", 5 * 1024 * 1024],
  ["POST /api/v1/namespaces/default/secrets nope", 5 * 1024 * 1024],
];

describe("the edge beside the genuine one", { skip: withoutPeer("refapi") }, () => {
  const directory = mkdtempSync(join(tmpdir(), "sidero-edge-genuine-"));
  const agent = new Agent({ rejectUnauthorized: false, keepAlive: true });
  let servers: readonly Server[] = [];
  let urls: readonly string[] = [];

  before(async () => {
    const tokens = join(directory, "tokens.csv");
    writeFileSync(tokens, TOKENS);
    servers = await Promise.all([
      startSidero("--token-auth-file", tokens),
      startGenuine("--anonymous-admin=false", "--token-auth-file", tokens),
    ]);
    urls = servers.map((server) => readKubeconfig(server.kubeconfig).server);
  });
  after(async () => {
    agent.destroy();
    await Promise.all(servers.map((server) => server.stop()));
    rmSync(directory, { recursive: true });
  });

  const ask = (url: string, line: string, length: number): Promise<Reply> => {
    const [method, target, token = "admintok"] = line.split(" ") as [string, string, string?];
    const { hostname, port } = new URL(url);
    const headers = {
      "content-type": "application/json",
      ...(token === "-" ? {} : { authorization: `Bearer ${token}` }),
      ...(length === 0 ? {} : { "content-length": length }),
    };
    return new Promise((resolve, reject) => {
      const asking = request({ agent, hostname, port, method, path: target, headers }, (answer) => {
        const pieces: Buffer[] = [];
        answer.on("data", (piece: Buffer) => pieces.push(piece));
        answer.on("end", () => {
          const type = answer.headers["content-type"];
          resolve({ code: answer.statusCode!, type, body: readable(Buffer.concat(pieces).toString(), type) });
        });
      });
      asking.on("error", reject);
      asking.end(length === 0 ? undefined : Buffer.alloc(length, "x"));
    });
  };

  for (const [line, length = 0] of CASES) {
    test(`${line}${length === 0 ? "" : ` with ${length} bytes`}`, async () => {
      const [ours, genuine] = await Promise.all(urls.map((url) => ask(url, line, length)));
      assert.deepEqual(ours, genuine);
    });
  }

  test("without credentials all but health and version is 401, where the genuine one knows an anonymous user", async () => {
    const refused = await ask(urls[0]!, "GET /api -", 0);
    assert.deepEqual(refused, await ask(urls[1]!, "GET /api nope", 0));
    const anonymous = await ask(urls[1]!, "GET /api -", 0);
    assert.equal(anonymous.code, 403);
  });

  test("paths that mean nothing are answered with the list of those that do", async () => {
    for (const line of ["GET /nope", "GET //api", "GET /readyz/nope", "GET /readyz/", "POST /nope"]) {
      const [ours, genuine] = await Promise.all(urls.map((url) => ask(url, line, 0)));
      const paths = (ours!.body as { paths: string[] }).paths;
      assert.deepEqual([ours!.code, ours!.type, Array.isArray(paths)], [genuine!.code, genuine!.type, true]);
      for (const path of ["/api", "/api/v1", "/apis", "/livez", "/version", "/apis/metal.sidero.dev/v1alpha2"])
        assert.ok(paths.includes(path), path);
    }
  });
});

/** What the genuine server says why it refuses is its own. */
function readable(text: string, type: string | undefined): unknown {
  const same = text.replaceAll(": refapi: not in system:masters", "");
  return type === "application/json" && same !== "" ? (JSON.parse(same) as unknown) : same;
}
