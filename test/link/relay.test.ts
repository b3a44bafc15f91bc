/** WireGuard over gRPC: the relay against connect's own client of gRPC, with a socket in WireGuard's place. */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { createHash } from "node:crypto";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { addressOf, moveAddress, networkOf } from "#decide/link/address.ts";
import { silent } from "#io/log.ts";
import { listen } from "#io/node/serve.ts";
import { openUdp } from "#io/node/udp.ts";
import { messagesOf, enveloped } from "#link/messages.ts";
import { createRelay } from "#link/relay.ts";
import { WireGuardOverGRPCService } from "#proto/siderolink/wireguard_pb.js";
import { Fault } from "#std/fault.ts";

const sha256 = (data: Uint8Array): Uint8Array => createHash("sha256").update(data).digest();
const [network, virtual] = [networkOf("x", sha256), networkOf("x", sha256, "virtual")];
const LIMITS = { headers: 5_000, idle: 60_000, buffered: 256 * 1024, stalled: 2_000 };
const addresses = ["00112233-4455-6677-8899-aabbccddeeff", "10112233-4455-6677-8899-aabbccddeeff"].map((uuid) =>
  addressOf(network, uuid, sha256, () => false),
);

class Pipe<T> {
  readonly #queue: T[] = [];
  #wake: () => void = () => {};
  #isOver = false;
  push(item: T): void {
    this.#queue.push(item);
    this.#wake();
  }
  end(): void {
    this.#isOver = true;
    this.#wake();
  }
  async *items(): AsyncGenerator<T, void> {
    for (;;) {
      while (this.#queue.length > 0) yield this.#queue.shift()!;
      if (this.#isOver) return;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

async function start(context: { after(action: () => unknown): void }) {
  const wireguard = createSocket("udp4");
  wireguard.bind(0, "127.0.0.1");
  await once(wireguard, "listening");
  context.after(() => wireguard.close());
  const names = new Map(addresses.map((address, i) => [address, `m${i}`]));
  const relay = createRelay({
    network,
    virtual,
    nameAt: (address) => names.get(address),
    tunnel: { isUp: true },
    wireguardPort: wireguard.address().port,
    openUdp,
    log: silent,
  });
  const listener = await listen({ host: "127.0.0.1", port: 0, limits: LIMITS }, relay);
  context.after(() => listener.close());
  const client = createClient(WireGuardOverGRPCService, createGrpcTransport({ baseUrl: `http://127.0.0.1:${listener.port}` }));
  const open = (address: string) => {
    const out = new Pipe<{ Data: Uint8Array }>();
    const answers = client.createStream(out.items(), { headers: { "x-siderolink-ipv6-addr": address } });
    return { out, answers: answers[Symbol.asyncIterator]() };
  };
  const received = async (): Promise<{ text: string; port: number }> => {
    const [bytes, from] = (await once(wireguard, "message")) as [Buffer, AddressInfo];
    return { text: bytes.toString(), port: from.port };
  };
  return { wireguard, open, received, names };
}

const bytes = (text: string): { Data: Uint8Array } => ({ Data: Buffer.from(text) });

test("packets go both ways, each stream is a place of its own, and ends on its own", async (context) => {
  const { wireguard, open, received } = await start(context);
  const [one, other] = addresses.map((address) => open(moveAddress(address, network, virtual)!)) as [
    ReturnType<typeof open>,
    ReturnType<typeof open>,
  ];
  one.out.push(bytes("a"));
  const first = one.answers.next();
  const a = await received();
  other.out.push(bytes("b"));
  const second = other.answers.next();
  const b = await received();
  assert.deepEqual([a.text, b.text], ["a", "b"]);
  assert.notEqual(a.port, b.port);
  wireguard.send("to a", a.port, "127.0.0.1");
  wireguard.send("to b", b.port, "127.0.0.1");
  const texts = (await Promise.all([first, second])).map(({ value }) => Buffer.from(value!.Data).toString());
  assert.deepEqual(texts, ["to a", "to b"]);
  one.out.end();
  assert.equal((await one.answers.next()).done, true);
  other.out.push(bytes("still here"));
  assert.equal((await received()).text, "still here");
  other.out.end();
  assert.equal((await other.answers.next()).done, true);
});

test("who is in the tunnel alone may, and only so many times at once", async (context) => {
  const { open, received, names } = await start(context);
  const refused = async (address: string, code: Code, message: RegExp): Promise<void> => {
    const stream = open(address);
    stream.out.push(bytes("x"));
    await assert.rejects(stream.answers.next(), (error) => {
      assert.ok(error instanceof ConnectError);
      assert.equal(error.code, code);
      assert.match(error.message, message);
      return true;
    });
    stream.out.end();
  };
  await refused("", Code.PermissionDenied, /nobody's address/);
  await refused(addresses[0]!, Code.PermissionDenied, /nobody's address/);
  const mine = moveAddress(addresses[0]!, network, virtual)!;
  const streams = [];
  for (let i = 0; i < 4; i++) {
    const stream = open(mine);
    streams.push(stream);
    stream.out.push(bytes(String(i)));
    void stream.answers.next();
    assert.equal((await received()).text, String(i));
  }
  await refused(mine, Code.Unavailable, /too many/);
  streams[0]!.out.end();
  await new Promise((resolve) => setTimeout(resolve, 200));
  const again = open(mine);
  again.out.push(bytes("again"));
  void again.answers.next();
  assert.equal((await received()).text, "again");
  for (const { out } of [...streams, again]) out.end();
  names.delete(addresses[0]!);
  await refused(mine, Code.PermissionDenied, /nobody's address/);
});

test("messages cut anywhere are the same; what is too long or compressed is refused before it is kept", async () => {
  const all = Buffer.concat(["a", "", "b".repeat(300), "c"].map((text) => enveloped(Buffer.from(text))));
  const read = async (pieces: readonly Uint8Array[], longest = 300): Promise<string[]> => {
    const texts: string[] = [];
    const stream = (async function* () {
      yield* pieces;
    })();
    for await (const message of messagesOf(stream, longest)) texts.push(Buffer.from(message).toString());
    return texts;
  };
  for (const step of [1, 2, 7, 1000]) {
    const pieces = Array.from({ length: Math.ceil(all.length / step) }, (_, i) => all.subarray(i * step, (i + 1) * step));
    assert.deepEqual(await read(pieces), ["a", "", "b".repeat(300), "c"], String(step));
  }
  assert.deepEqual(await read([all.subarray(0, -1)]), ["a", "", "b".repeat(300)], "what breaks off is left out");
  const isRefused = (error: unknown): boolean => Fault.is(error, "link.refused");
  await assert.rejects(read([all], 299), isRefused);
  await assert.rejects(read([Buffer.from([1, 0, 0, 0, 0])]), isRefused);
  await assert.rejects(read([Buffer.from([0, 255, 255, 255, 255])]), isRefused);
});
