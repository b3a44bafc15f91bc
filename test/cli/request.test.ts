/** `sidero request` on Servers of an API server in this process; what answers plays the controller. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { request } from "#cli/request.ts";
import type { Terminal } from "#cli/terminal.ts";
import { REQUEST_ANNOTATION, Server } from "#kinds/metal/v1alpha2/server.ts";
import { Fault } from "#std/fault.ts";
import { startWorld, type World } from "../kube/world.ts";

let world: World;
before(async () => {
  world = await startWorld();
  await world.client.for(Server).create({ metadata: { name: "a" }, spec: { accepted: true, hostname: "rack1-07" } });
});
after(() => world.stop());

/** Answers the next request as a controller would. */
async function answer(outcome: string): Promise<string> {
  const servers = world.client.for(Server);
  const { resourceVersion = "" } = (await servers.get("a")).metadata;
  for await (const event of servers.watch({ resourceVersion })) {
    if (event.type !== "MODIFIED") continue;
    const value = event.object.metadata.annotations?.[REQUEST_ANNOTATION] ?? "";
    const at = "2030-01-01T00:00:00Z";
    await servers.patch("a", { status: { request: { value, outcome, at } } }, { subresource: "status" });
    return value;
  }
  throw new Error("the watch ended");
}

const lines: string[] = [];
const terminal = (now: number): Terminal => ({
  client: world.client,
  print: (line) => lines.push(line),
  style: (_how, text) => text,
  now: () => now,
});

test("a request is an annotation that is new each time, and what came of it is said", async () => {
  const answered = answer("its BMC was told");
  await request("rack1-07", "power-on", terminal(Date.UTC(2030, 0, 1)));
  assert.equal(await answered, "power-on 2030-01-01T00:00:00.000Z");
  assert.deepEqual(lines, ["a: power-on: its BMC was told"]);
});

test("a refusal fails with its reason", async () => {
  const answered = answer("refused: the machine is allocated");
  await assert.rejects(request("a", "wipe", terminal(Date.UTC(2030, 0, 2))), (fault) => {
    assert.ok(Fault.is(fault, "cli.refused"));
    assert.equal(fault.message, "refused: the machine is allocated");
    return true;
  });
  await answered;
});

test("where no controller runs, it says so", async () => {
  const signal = AbortSignal.timeout(50);
  await assert.rejects(request("a", "reboot", { ...terminal(Date.UTC(2030, 0, 3)), signal }), (fault) =>
    Fault.is(fault, "cli.unanswered"),
  );
});
