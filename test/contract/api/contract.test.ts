/** The contract suite: every case on our server and on the genuine one, exchange by exchange. Differences are none, or in DIFFERENCES.md. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { readKubeconfig } from "../../peers/kubeconfig.ts";
import { withoutPeer } from "../../peers/locate.ts";
import { startCollector, startPair } from "../../peers/server.ts";
import type { Server } from "../../peers/server.ts";
import { differences, explains, print, readKnown } from "./difference.ts";
import type { Known } from "./difference.ts";
import { Http } from "./http.ts";
import { prepare } from "./prepare.ts";
import { Session } from "./session.ts";
import { SUITE } from "./suite.ts";

const known = readKnown(readFileSync(new URL("../DIFFERENCES.md", import.meta.url), "utf8"));
const seen = new Set<Known>();

describe("contract", { skip: withoutPeer("refapi"), concurrency: 4, timeout: 900_000 }, () => {
  const servers: Server[] = [];
  const clients: Http[] = [];
  let collector: { stop(): Promise<void> } | undefined;
  before(async () => {
    for (const server of await startPair()) {
      servers.push(server);
      clients.push(new Http(readKubeconfig(server.kubeconfig)));
    }
    await Promise.all(clients.map(prepare));
    if (withoutPeer("kcm") === false) collector = startCollector(servers[1]!);
  });

  after(async () => {
    for (const client of clients) client.close();
    await collector?.stop();
    await Promise.all(servers.map((server) => server.stop()));
  });

  for (const [number, subject] of SUITE.entries()) {
    const skip = subject.collector === true ? withoutPeer("kcm") : false;
    test(subject.name, { skip }, async () => {
      const [ours, genuine] = await Promise.all(clients.map((http) => new Session(http, `case-${number}`).begin(subject)));
      const unexplained = differences(ours, genuine).filter((difference) => {
        const explanations = known.filter((candidate) => explains(candidate, subject.name, difference));
        for (const explanation of explanations) seen.add(explanation);
        return explanations.length === 0;
      });
      assert.equal(unexplained.length, 0, `${unexplained.length} differences\n${unexplained.map(print).join("\n")}`);
    });
  }
});

test("every difference in DIFFERENCES.md is still one", { skip: withoutPeer("refapi", "kcm") }, () => {
  const stale = known.filter((entry) => !seen.has(entry)).map((entry) => `${entry.case} ${entry.path}`);
  assert.deepEqual(stale, []);
});
