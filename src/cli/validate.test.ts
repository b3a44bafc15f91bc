import assert from "node:assert/strict";
import { test } from "node:test";
import type { GenPorts } from "./gen.ts";
import { validate } from "./validate.ts";

const CONFIG = "version: v1alpha1\nmachine:\n  type: worker\n  ca: {crt: a}\n  install: {}\ncluster:\n  ca: {crt: a}\n";

async function run(text: string, mode: "metal" | "cloud", strict = false): Promise<string[]> {
  const lines: string[] = [];
  const say = (line: string) => void lines.push(line);
  const ports = { readFile: async () => text, tell: say, print: say } as unknown as GenPorts;
  await validate({ config: "c.yaml", mode, strict }, ports).catch((error: Error) => say(error.message));
  return lines;
}

test("says where a configuration is valid, and why not elsewhere", async () => {
  assert.deepEqual(await run(CONFIG, "cloud"), ["c.yaml is valid for cloud mode\n"]);
  assert.deepEqual(await run(CONFIG, "metal"), [
    "c.yaml is not valid for metal mode:\n  machine.install: it needs disk or diskSelector",
  ]);
});

test("warns of what is deprecated, or refuses it", async () => {
  const init = CONFIG.replace("worker", "init").replace("{crt: a}", "{crt: a, key: b}");
  const warning = "machine.type: init is deprecated, use controlplane and bootstrap the cluster";
  assert.deepEqual(await run(init, "cloud"), [`warning: ${warning}`, "c.yaml is valid for cloud mode\n"]);
  assert.deepEqual(await run(init, "cloud", true), [`c.yaml is not valid for cloud mode:\n  ${warning}`]);
});
