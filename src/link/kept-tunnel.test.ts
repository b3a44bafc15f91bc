import assert from "node:assert/strict";
import { test } from "node:test";
import { silent } from "#io/log.ts";
import { VirtualClock } from "#io/memory/clock.ts";
import { MemoryTunnel } from "#io/memory/tunnel.ts";
import { Fault } from "#std/fault.ts";
import { keepTunnel, type TunnelStatus } from "./kept-tunnel.ts";

const OPTIONS = { name: "siderolink", privateKey: "", address: "fd00::1", prefixLength: 64, port: 51821, mtu: 1280 };
const peer = (name: string, address: string) => ({ publicKey: name, address });

test("a tunnel that ends by itself comes back with the peers of now, and says how it is", async () => {
  const clock = new VirtualClock();
  const memory = new MemoryTunnel(clock);
  const told: TunnelStatus[] = [];
  const kept = await keepTunnel(OPTIONS, { open: memory.open, clock, log: silent, onStatus: (status) => void told.push(status) });
  await kept.setPeers([peer("a", "fd00::a")]);
  const isNow = (): string => told.at(-1)!.is;
  assert.equal(isNow(), "up");
  assert.ok(memory.shakeHands("a"));
  assert.deepEqual([...(await kept.handshakes()).keys()], ["a"]);

  memory.problem = "no memory";
  memory.lose("wireguard-go: it ended with 2");
  await clock.advance(10);
  assert.match(JSON.stringify(told.at(-1)), /"is":"down".*"because":"wireguard-go: it ended with 2"/);
  await assert.rejects(kept.handshakes(), (fault) => Fault.is(fault, "io.no-tunnel"));
  await kept.setPeers([peer("a", "fd00::a"), peer("b", "fd00::b")]);
  await clock.advance(10_000);
  assert.equal(isNow(), "down");
  memory.problem = undefined;
  await clock.advance(60_000);
  assert.equal(isNow(), "up");
  assert.deepEqual([...memory.peers.keys()], ["a", "b"]);
  await kept.close();
  assert.equal(memory.options, undefined);
});

test("it can be closed while it is down, and none to begin with is said", async () => {
  const clock = new VirtualClock();
  const memory = new MemoryTunnel(clock);
  const told: string[] = [];
  const doors = { open: memory.open, clock, log: silent, onStatus: ({ is }: TunnelStatus) => void told.push(is) };
  const kept = await keepTunnel(OPTIONS, doors);
  memory.problem = "gone";
  memory.lose("gone");
  await clock.advance(5000);
  await kept.close();
  await assert.rejects(keepTunnel(OPTIONS, doors), (fault) => Fault.is(fault, "io.no-tunnel"));
  assert.deepEqual(told, ["up", "down", "down"]);
});
