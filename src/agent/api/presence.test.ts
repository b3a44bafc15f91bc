import assert from "node:assert/strict";
import { test } from "node:test";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import { silent } from "#io/log.ts";
import { Fault } from "#std/fault.ts";
import { createPresence, type Identity } from "./presence.ts";

const server = {
  metadata: { name: "a" },
  spec: {
    accepted: true,
    hardware: { network: { interfaces: [{ mac: "52:54:00:00:00:0A" }, { permanentMac: "52:54:00:00:00:0b" }] } },
  },
} as unknown as Server;
const bare = { metadata: { name: "b" }, spec: { accepted: true } } as unknown as Server;

/** What becomes of a call from an address that belongs to `mac`: own, then not foreign; and the Events. */
async function judged(mac: string | undefined, address = "10.0.0.9", identity: Identity = "neighbour", of = server) {
  const events: string[] = [];
  const registry = {
    event: (_: Server, type: string, reason: string, text: string) => void events.push(`${type} ${reason}: ${text}`),
  };
  const presence = createPresence({ identity, neighbour: async () => mac, registry, log: silent });
  const outcome = (work: Promise<void>): Promise<string> =>
    work.then(
      () => "taken",
      (error: unknown) => (Fault.is(error, "agent.denied") ? "denied" : String(error)),
    );
  const own = await outcome(presence.mustBeOwn(of, address));
  return { own, notForeign: await outcome(presence.mustNotBeForeign(of, address)), events };
}

test("an interface of its own, also by the address in its ROM", async () => {
  for (const mac of ["52:54:00:00:00:0a", "52:54:00:00:00:0B"]) {
    assert.deepEqual(await judged(mac), { own: "taken", notForeign: "taken", events: [] });
  }
});

test("another machine is refused in every way, and whoever looks after the Server learns of it", async () => {
  const { own, notForeign, events } = await judged("52:54:00:00:00:99", "10.0.0.9", "network");
  assert.deepEqual([own, notForeign], ["denied", "denied"]);
  assert.match(
    events[0]!,
    /^Warning Server Registration: A machine at 10\.0\.0\.9 says .* 52:54:00:00:00:99.* if its network card was replaced: kubectl patch/,
  );
});

test("where nobody sees whose address it is: by setting", async () => {
  const refused = await judged(undefined);
  assert.deepEqual([refused.own, refused.notForeign], ["denied", "taken"]);
  assert.match(refused.events[0]!, /--identity network/);
  assert.equal((await judged(undefined, "10.0.0.9", "network")).own, "taken");
  assert.equal((await judged(undefined, "127.1.0.8")).own, "taken", "simulated on this host");
  for (const address of ["127.0.0.1", "::1"])
    assert.equal((await judged(undefined, address)).own, "denied", "a proxy on this host may relay anybody");
});

test("a Server made by hand has nothing to compare with", async () => {
  assert.equal((await judged("52:54:00:00:00:99", "10.0.0.9", "neighbour", bare)).own, "taken");
});
