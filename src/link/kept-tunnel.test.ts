import assert from "node:assert/strict";
import { test } from "node:test";
import { silent } from "#io/log.ts";
import { VirtualClock } from "#io/memory/clock.ts";
import { MemoryTunnel } from "#io/memory/tunnel.ts";
import { Fault } from "#std/fault.ts";
import { type KeepOptions, KeptTunnel, type TunnelStatus } from "./kept-tunnel.ts";

const OPTIONS = { name: "siderolink", privateKey: "", address: "fd00::1", prefixLength: 64, port: 51821, mtu: 1280 };
const peer = (name: string, address: string) => ({ publicKey: name, address });

function start(parts: Partial<KeepOptions> = {}) {
  const clock = new VirtualClock();
  const memory = new MemoryTunnel(clock);
  const told: TunnelStatus[] = [];
  /** What is served by it, now and at most. */
  const served = { now: 0, times: 0 };
  const kept = new KeptTunnel({
    open: () => memory.open(OPTIONS),
    serve: async () => {
      served.now++;
      served.times++;
      return { close: async () => void served.now-- };
    },
    turn: (signal, work) => work(signal),
    clock,
    log: silent,
    onStatus: (status) => void told.push(status),
    ...parts,
  });
  const stop = new AbortController();
  const running = kept.run(stop.signal);
  const end = async (): Promise<void> => {
    stop.abort();
    await running;
  };
  return { clock, memory, told, served, kept, end };
}

test("a tunnel that ends by itself comes back with the peers of now and what is served by it, and says how it is", async () => {
  const { clock, memory, told, served, kept, end } = start();
  await clock.advance(10);
  await kept.setPeers([peer("a", "fd00::a")]);
  const isNow = (): string => told.at(-1)!.is;
  assert.deepEqual([isNow(), kept.isUp, served.now], ["up", true, 1]);
  assert.ok(memory.shakeHands("a"));
  assert.deepEqual([...(await kept.handshakes()).keys()], ["a"]);

  memory.problem = "no memory";
  memory.lose("wireguard-go: it ended with 2");
  await clock.advance(10);
  assert.match(JSON.stringify(told.at(-1)), /"is":"down".*"because":"wireguard-go: it ended with 2"/);
  assert.deepEqual([kept.isUp, served.now], [false, 0]);
  await assert.rejects(kept.handshakes(), (fault) => Fault.is(fault, "io.no-tunnel"));
  await kept.setPeers([peer("a", "fd00::a"), peer("b", "fd00::b")]);
  await clock.advance(10_000);
  assert.match(JSON.stringify(told.at(-1)), /"is":"down".*"because":"no memory"/);
  memory.problem = undefined;
  await clock.advance(60_000);
  assert.deepEqual([isNow(), served.now, served.times], ["up", 1, 2]);
  assert.deepEqual([...memory.peers.keys()], ["a", "b"]);
  await end();
  assert.deepEqual([memory.options, served.now], [undefined, 0]);
});

test("one that cannot be opened to begin with is tried again, less and less often, and said once", async () => {
  let tries = 0;
  const { clock, told, kept, end } = start({
    open: () => {
      tries++;
      return Promise.reject(new Fault("io.no-tunnel", "there is no wg", { fault: "world", retry: "later" }));
    },
  });
  await kept.setPeers([peer("a", "fd00::a")]);
  await clock.advance(3_600_000);
  assert.ok(tries > 50 && tries < 80, `${tries} tries in an hour`);
  assert.deepEqual(
    told.map(({ is }) => is),
    ["down"],
  );
  await end();
});

test("what cannot be served by it closes it again", async () => {
  let isTaken = true;
  const { clock, memory, told, end } = start({
    serve: () => (isTaken ? Promise.reject(new Error("port 4002 is in use")) : Promise.resolve({ close: async () => {} })),
  });
  await clock.advance(10);
  assert.match(JSON.stringify(told.at(-1)), /"is":"down".*port 4002 is in use/);
  assert.equal(memory.options, undefined);
  isTaken = false;
  await clock.advance(60_000);
  assert.equal(told.at(-1)!.is, "up");
  await end();
});
