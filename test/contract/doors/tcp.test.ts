/** What plain TCP does on every door: the machine's loopback, and the process. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MemoryTcp } from "#io/memory/tcp.ts";
import { connectTcp, listenTcp } from "#io/node/tcp.ts";
import type { ConnectTcp, ListenTcp, TcpConnection, TcpListenOptions } from "#io/tcp.ts";
import { Fault } from "#std/fault.ts";

interface Twin {
  readonly listen: ListenTcp;
  readonly connect: ConnectTcp;
}

const twins: Record<string, () => Twin> = {
  node: () => ({ listen: listenTcp, connect: connectTcp }),
  memory: () => {
    const tcp = new MemoryTcp();
    return { listen: tcp.listen, connect: tcp.from("127.0.0.1") };
  },
};

async function until(is: () => boolean): Promise<void> {
  for (let i = 0; i < 400 && !is(); i++) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.ok(is());
}

/** One end, with what came. */
class End {
  text = "";
  isClosed = false;
  drained = 0;
  connection!: TcpConnection;
  readonly events = {
    data: (bytes: Uint8Array): void => void (this.text += Buffer.from(bytes).toString()),
    drain: (): void => void this.drained++,
    closed: (): void => void (this.isClosed = true),
  };
}

for (const [name, open] of Object.entries(twins)) {
  describe(name, () => {
    const start = async (options: Partial<TcpListenOptions> = {}) => {
      const twin = open();
      const served: End[] = [];
      const all = { host: "127.0.0.1", port: name === "memory" ? 4001 : 0, connections: 10, perAddress: 10, ...options };
      const listener = await twin.listen(all, (connection) => {
        const end = new End();
        end.connection = connection;
        served.push(end);
        return end.events;
      });
      const dial = async (): Promise<End> => {
        const end = new End();
        end.connection = await twin.connect({ host: "127.0.0.1", port: listener.port }, end.events);
        return end;
      };
      return { ...twin, listener, served, dial };
    };

    test("bytes go both ways, and whoever ends it ends it for both", async () => {
      const { listener, served, dial } = await start();
      const client = await dial();
      client.connection.write(Buffer.from("hello"));
      await until(() => served[0]?.text === "hello");
      assert.equal(served[0]!.connection.peer.address, "127.0.0.1");
      served[0]!.connection.write(Buffer.from("hi"));
      await until(() => client.text === "hi");
      client.connection.destroy();
      await until(() => client.isClosed && served[0]!.isClosed);
      await listener.close();
    });

    test("who is paused receives nothing until it goes on, and then everything", async () => {
      const { listener, served, dial } = await start();
      const client = await dial();
      client.connection.write(Buffer.from("a"));
      await until(() => served[0]?.text === "a");
      served[0]!.connection.pause();
      const piece = Buffer.alloc(1024 * 1024, "b");
      let isFull = false;
      for (let i = 0; i < 64 && !isFull; i++) isFull = !client.connection.write(piece);
      assert.ok(isFull, "the sender is told");
      await new Promise((resolve) => setTimeout(resolve, 20));
      assert.equal(served[0]!.text.length, 1);
      served[0]!.connection.resume();
      await until(() => client.drained > 0 && served[0]!.text.length > 1024 * 1024);
      await listener.close();
    });

    test("too many at once are cut, and closing cuts all", async () => {
      const { listener, served, dial } = await start({ perAddress: 2 });
      const [one, two, three] = [await dial(), await dial(), await dial()];
      await until(() => three.isClosed);
      assert.deepEqual([one.isClosed, two.isClosed, served.length], [false, false, 2]);
      one.connection.destroy();
      await until(() => served[0]!.isClosed);
      const four = await dial();
      await until(() => served.length === 3);
      await listener.close();
      await until(() => two.isClosed && four.isClosed);
    });

    test("what cannot be had", async () => {
      const { listen, connect, listener } = await start();
      const again = listen({ host: "127.0.0.1", port: listener.port, connections: 1, perAddress: 1 }, () => new End().events);
      await assert.rejects(again, (fault) => Fault.is(fault, "io.address-in-use"));
      await listener.close();
      const nobody = connect({ host: "127.0.0.1", port: listener.port }, new End().events);
      await assert.rejects(nobody, (fault) => Fault.is(fault, "io.unreachable"));
    });
  });
}
