/** What UDP does on every door: the machine's, and the network in the process. Node's twin is asked on loopback alone; its interfaces are proved in test/boot. */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { describe, test } from "node:test";
import { MemoryNetwork } from "#io/memory/network.ts";
import { interfaces } from "#io/node/interfaces.ts";
import { openUdp } from "#io/node/udp.ts";
import type { Datagram, Interfaces, OpenUdp, UdpOptions, UdpSocket } from "#io/udp.ts";
import { Fault } from "#std/fault.ts";

interface Twin {
  readonly openUdp: OpenUdp;
  readonly interfaces: Interfaces;
}

const twins: Record<string, () => Twin> = {
  node: () => ({ openUdp, interfaces }),
  memory: () => new MemoryNetwork().host(),
};

/** A socket that keeps what it receives. */
class Inbox {
  readonly datagrams: Datagram[] = [];
  socket!: UdpSocket;

  static async open(context: TestContext, open: OpenUdp, options: Partial<UdpOptions>): Promise<Inbox> {
    const inbox = new Inbox();
    inbox.socket = await open({ family: 4, host: "", port: 0, ...options }, (datagram) => inbox.datagrams.push(datagram));
    context.after(() => inbox.socket.close());
    return inbox;
  }

  async texts(count: number): Promise<string[]> {
    for (let i = 0; i < 200 && this.datagrams.length < count; i++) await pass(5);
    return this.datagrams.map(({ bytes }) => Buffer.from(bytes).toString());
  }
}

function pass(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

async function refused(attempt: Promise<unknown>, code: string, message: RegExp): Promise<void> {
  await assert.rejects(attempt, (fault) => {
    assert.ok(Fault.is(fault, code), String(fault));
    assert.match(fault.message, message);
    return true;
  });
}

for (const [name, make] of Object.entries(twins)) {
  describe(`udp: ${name}`, () => {
    for (const [family, host] of [
      [4, "127.0.0.1"],
      [6, "::1"],
    ] as const) {
      test(`there and back again over IPv${family}`, async (context) => {
        const { openUdp } = make();
        const [a, b] = [
          await Inbox.open(context, openUdp, { family, host }),
          await Inbox.open(context, openUdp, { family, host }),
        ];
        assert.equal(a.socket.address, host);
        assert.notEqual(a.socket.port, b.socket.port);
        const message = Buffer.from("hello");
        await a.socket.send(message, { address: host, port: b.socket.port });
        message.fill(0);
        assert.deepEqual(await b.texts(1), ["hello"]);
        assert.deepEqual(b.datagrams[0]!.from, { address: host, port: a.socket.port });
        await b.socket.send(Buffer.from("yes"), b.datagrams[0]!.from);
        assert.deepEqual(await a.texts(1), ["yes"]);
      });
    }

    test("a socket bound to an interface receives by it, and names it when it cannot be had", async (context) => {
      const { openUdp } = make();
      const bound = await Inbox.open(context, openUdp, { interface: "lo", reuseAddress: true });
      const second = await Inbox.open(context, openUdp, {
        interface: "lo",
        reuseAddress: true,
        port: bound.socket.port,
        host: "127.0.0.1",
      });
      const sender = await Inbox.open(context, openUdp, { host: "127.0.0.1" });
      await sender.socket.send(Buffer.from("one"), { address: "127.0.0.1", port: bound.socket.port });
      await pass(50);
      assert.equal(bound.datagrams.length + second.datagrams.length >= 1, true);
      await refused(
        openUdp({ family: 4, host: "", port: 0, interface: "none7" }, () => {}),
        "io.no-interface",
        /on none7: there is no such/,
      );
    });

    test("the broadcast address reaches sockets on every address", async (context) => {
      const { openUdp } = make();
      const receiver = await Inbox.open(context, openUdp, { interface: "lo" });
      const sender = await Inbox.open(context, openUdp, { interface: "lo", broadcast: true });
      await sender.socket.send(Buffer.from("all"), { address: "255.255.255.255", port: receiver.socket.port });
      assert.deepEqual(await receiver.texts(1), ["all"]);
      const mute = await Inbox.open(context, openUdp, { interface: "lo" });
      await refused(mute.socket.send(Buffer.from("x"), { address: "255.255.255.255", port: 9 }), "io.failed", /EACCES/);
    });

    test("several hear a broadcast on one port, also one that is bound to the broadcast address alone", async (context) => {
      const { openUdp } = make();
      const all = await Inbox.open(context, openUdp, { interface: "lo", reuseAddress: true });
      const port = all.socket.port;
      const tap = await Inbox.open(context, openUdp, { interface: "lo", reuseAddress: true, host: "255.255.255.255", port });
      const sender = await Inbox.open(context, openUdp, { interface: "lo", broadcast: true });
      await sender.socket.send(Buffer.from("one"), { address: "127.0.0.1", port });
      await sender.socket.send(Buffer.from("all"), { address: "255.255.255.255", port });
      assert.deepEqual(await all.texts(2), ["one", "all"]);
      assert.deepEqual(await tap.texts(1), ["all"]);
    });

    test("a port is one socket's, unless both share it", async (context) => {
      const { openUdp } = make();
      const first = await Inbox.open(context, openUdp, {});
      const again = openUdp({ family: 4, host: "", port: first.socket.port }, () => {});
      await refused(again, "io.address-in-use", new RegExp(`UDP port ${first.socket.port}: another program has this port`));
      await first.socket.close();
      const second = await Inbox.open(context, openUdp, { port: first.socket.port });
      assert.equal(second.socket.port, first.socket.port);
    });

    test("what cannot be sent is told", async (context) => {
      const { openUdp } = make();
      const { socket } = await Inbox.open(context, openUdp, { interface: "lo" });
      await refused(socket.send(new Uint8Array(65_508), { address: "127.0.0.1", port: 9 }), "io.too-large", /127\.0\.0\.1/);
      await socket.close();
      await socket.close();
      await refused(socket.send(new Uint8Array(1), { address: "127.0.0.1", port: 9 }), "io.failed", /closed/);
      await refused(
        openUdp({ family: 4, host: "192.0.2.77", port: 0 }, () => {}),
        "io.listen-failed",
        /cannot open UDP/,
      );
    });

    test("thousands of datagrams arrive whole and in order", async (context) => {
      const { openUdp } = make();
      const receiver = await Inbox.open(context, openUdp, { host: "127.0.0.1" });
      const sender = await Inbox.open(context, openUdp, { host: "127.0.0.1" });
      const to = { address: "127.0.0.1", port: receiver.socket.port };
      const expected = Array.from({ length: 2000 }, (_, i) => `${i} ${"x".repeat(i % 100)}`);
      for (const [i, text] of expected.entries()) {
        await sender.socket.send(Buffer.from(text), to);
        if (i % 100 === 99) await receiver.texts(i + 1);
      }
      assert.deepEqual(await receiver.texts(2000), expected);
    });

    test("the loopback interface is there", async () => {
      const lo = (await make().interfaces.list()).find((each) => each.name === "lo")!;
      assert.deepEqual(
        { isUp: lo.isUp, isLoopback: lo.isLoopback, mac: lo.mac, index: lo.index },
        { isUp: true, isLoopback: true, mac: undefined, index: 1 },
      );
      assert.deepEqual(
        lo.addresses.find(({ family }) => family === 4),
        { address: "127.0.0.1", prefix: 8, family: 4 },
      );
      assert.equal(await make().interfaces.neighbour("192.0.2.99"), undefined);
      assert.equal(await make().interfaces.neighbour("2001:db8::99"), undefined);
    });
  });
}

describe("udp: memory only", () => {
  test("segments are apart, and a host answers by the interface it was asked on", async (context) => {
    const network = new MemoryNetwork();
    const [server, left, right] = [network.host(), network.host(), network.host()];
    server.connect("left", "eth0", ["10.0.0.1/24"]);
    server.connect("right", "eth1", ["10.0.1.1/24"]);
    left.connect("left", "eth0", ["10.0.0.2/24"], "52:54:00:00:00:02");
    right.connect("right", "eth0", ["10.0.1.2/24"]);
    const asked = await Promise.all(
      ["eth0", "eth1"].map((device) =>
        Inbox.open(context, server.openUdp, { interface: device, port: 67, broadcast: true, reuseAddress: true }),
      ),
    );
    const clients = await Promise.all(
      [left, right].map((host) => Inbox.open(context, host.openUdp, { interface: "eth0", port: 68, broadcast: true })),
    );
    await clients[0]!.socket.send(Buffer.from("left"), { address: "255.255.255.255", port: 67 });
    assert.deepEqual([await asked[0]!.texts(1), asked[1]!.datagrams.length], [["left"], 0]);
    assert.deepEqual(asked[0]!.datagrams[0]!.from, { address: "10.0.0.2", port: 68 });
    await asked[1]!.socket.send(Buffer.from("right"), { address: "255.255.255.255", port: 68 });
    assert.deepEqual([await clients[1]!.texts(1), clients[0]!.datagrams.length], [["right"], 0]);
    await asked[0]!.socket.send(Buffer.from("directed"), { address: "10.0.0.255", port: 68 });
    assert.deepEqual(await clients[0]!.texts(1), ["directed"]);
    await refused(
      clients[0]!.socket
        .send(Buffer.from("x"), { address: "10.0.0.2", port: 1 })
        .then(() => left.openUdp({ family: 4, host: "10.0.0.9", port: 0 }, () => {})),
      "io.listen-failed",
      /no interface/,
    );
    left.disconnect("eth0");
    await refused(clients[0]!.socket.send(Buffer.from("x"), { address: "10.0.0.1", port: 67 }), "io.unreachable", /ENETUNREACH/);
  });

  test("members of a group hear what is sent to it", async (context) => {
    const group = "ff02::1:2";
    const network = new MemoryNetwork();
    const hosts = [network.host(), network.host()];
    for (const host of hosts) host.connect("wire", "eth0", ["fe80::1/64"]);
    const inboxes = hosts.map(({ openUdp }) =>
      Inbox.open(context, openUdp, { family: 6, interface: "eth0", port: 547, groups: [group] }),
    );
    const [member] = await Promise.all(inboxes);
    const stranger = await Inbox.open(context, hosts[0]!.openUdp, { family: 6, interface: "eth0", port: 546 });
    await stranger.socket.send(Buffer.from("members"), { address: group, port: 547 });
    assert.deepEqual(await member!.texts(1), ["members"]);
    await stranger.socket.send(Buffer.from("others"), { address: "ff02::1:3", port: 547 });
    await pass(5);
    assert.equal(member!.datagrams.length, 1);
  });

  test("loss, doubles and delays follow the seed", async (context) => {
    const run = async (seed: number): Promise<string[]> => {
      const network = new MemoryNetwork();
      network.faults = { seed, loss: 0.3, duplication: 0.2 };
      const host = network.host();
      const receiver = await Inbox.open(context, host.openUdp, { host: "127.0.0.1" });
      const sender = await Inbox.open(context, host.openUdp, { host: "127.0.0.1" });
      for (let i = 0; i < 100; i++)
        await sender.socket.send(Buffer.from(String(i)), { address: "127.0.0.1", port: receiver.socket.port });
      await pass(20);
      return receiver.texts(0);
    };
    const first = await run(1);
    assert.deepEqual(await run(1), first);
    assert.notDeepEqual(await run(2), first);
    assert.ok(new Set(first).size < 90 && first.length > new Set(first).size);
  });
});
