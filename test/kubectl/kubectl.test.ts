/**
 * Dialogues with both kubectls on both servers: what a person reads must be the same. The genuine server's transcripts are kept in
 * `transcripts/` (TRANSCRIPTS=1 writes them) for people to read; the comparison is always with the genuine server itself.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { explains, readKnown } from "../contract/api/difference.ts";
import type { Known } from "../contract/api/difference.ts";
import { Http } from "../contract/api/http.ts";
import { prepare } from "../contract/api/prepare.ts";
import { readKubeconfig } from "../peers/kubeconfig.ts";
import { locateKubectl, withoutPeer } from "../peers/locate.ts";
import { startCollector, startPair } from "../peers/server.ts";
import type { Server } from "../peers/server.ts";
import { DIALOGUES } from "./dialogues.ts";
import { converse, transcript } from "./shell.ts";

const CRDS = fileURLToPath(new URL("../../deploy/crds", import.meta.url));
const MINORS = ["1.32", "1.36"] as const;
const known = readKnown(readFileSync(new URL("DIFFERENCES.md", import.meta.url), "utf8"));
const seen = new Set<Known>();
const skip = withoutPeer("refapi", "kcm", "kubectl");

describe("kubectl", { skip, timeout: 900_000, concurrency: 3 }, () => {
  const servers: Server[] = [];
  let collector: { stop(): Promise<void> } | undefined;
  const kubectls = new Map<string, string>();

  before(async () => {
    for (const minor of MINORS) kubectls.set(minor, locateKubectl(minor));
    servers.push(...(await startPair()));
    for (const server of servers) {
      const http = new Http(readKubeconfig(server.kubeconfig));
      await prepare(http);
      http.close();
    }
    execFileSync(kubectls.get("1.36")!, ["--kubeconfig", servers[1]!.kubeconfig, "apply", "-f", CRDS], { stdio: "ignore" });
    collector = startCollector(servers[1]!);
  });

  after(async () => {
    await collector?.stop();
    await Promise.all(servers.map((server) => server.stop()));
  });

  for (const minor of MINORS) {
    for (const dialogue of DIALOGUES) {
      test(`${minor} ${dialogue.name}`, async () => {
        const namespace = `${dialogue.name}-${minor.replace(".", "-")}`;
        const kubectl = kubectls.get(minor)!;
        const [ours, genuine] = await Promise.all(
          servers.map(({ kubeconfig }) => converse(dialogue, kubectl, kubeconfig, namespace)),
        );
        if (process.env["TRANSCRIPTS"] === "1") write(minor, dialogue.name, transcript(genuine!));
        const different = ours!.flatMap((turn, i) => {
          if (transcript([turn]) === transcript([genuine![i]!])) return [];
          const explanation = known.find((entry) =>
            explains(entry, `${minor} ${dialogue.name}`, { path: turn.line, ours: turn, genuine: genuine![i] }),
          );
          if (explanation === undefined) return [`--- ours\n${transcript([turn])}\n--- genuine\n${transcript([genuine![i]!])}`];
          seen.add(explanation);
          return [];
        });
        assert.equal(different.length, 0, `${different.length} lines differ\n${different.join("\n")}`);
      });
    }
  }
});

test("every kubectl difference listed is still one", { skip }, () => {
  const stale = known.filter((entry) => !seen.has(entry)).map((entry) => `${entry.case} ${entry.path}`);
  assert.deepEqual(stale, []);
});

function write(minor: string, name: string, text: string): void {
  const folder = new URL(`transcripts/${minor}/`, import.meta.url);
  mkdirSync(folder, { recursive: true });
  writeFileSync(new URL(`${name}.txt`, folder), text);
}
