/**
 * The load generator, a process of its own: `load.ts URL TOKEN`, orders and answers as messages. HTTP/1.1 over TLS, connections kept
 * alive, one request at a time on each. What can be prepared is prepared before the clock starts.
 */
import { changed, connect } from "./client.ts";
import type { Client } from "./client.ts";
import { fanOut } from "./fan-out.ts";
import { SERVERS, nameOf, serverText } from "./object.ts";
import type { Answer, Figures, Message, Order, Target } from "./order.ts";
import { usageOf } from "./usage.ts";

const [url = "", token = ""] = process.argv.slice(2);
const target: Target = { url, token };
/** Milliseconds between two attempts at a server that is coming up. */
const PROBE = 5;
/** The server's processes. */
let pids: readonly number[] = [];

/** How long `clients` take to do everything, each the next thing when it is done with its last, and what that costs the server. */
async function timed(clients: number, things: readonly (() => Promise<unknown>)[]): Promise<{ time: number; cpu: number }> {
  let next = 0;
  const [cpu, begun] = [usageOf(pids).cpu, performance.now()];
  await Promise.all(
    Array.from({ length: clients }, async () => {
      while (next < things.length) await things[next++]!();
    }),
  );
  return { time: performance.now() - begun, cpu: usageOf(pids).cpu - cpu };
}

async function operations(client: Client, { do: what, from, count, clients }: Operations): Promise<Figures> {
  // Every client has its connection before the clock starts.
  await timed(
    clients,
    list(clients, () => () => client.send("GET", "/version")),
  );
  const path = (i: number): string => `${SERVERS}/${nameOf(from + i)}`;
  let things: (() => Promise<unknown>)[];
  if (what === "get") {
    things = list(count, (i) => () => client.send("GET", path(i)));
  } else if (what === "create") {
    const bodies = list(count, (i) => serverText(from + i));
    things = list(count, (i) => () => client.send("POST", SERVERS, bodies[i]));
  } else {
    const { items } = await client.list();
    const byName = new Map(items.map((item) => [item.metadata.name, item]));
    const bodies = list(count, (i) => changed(byName.get(nameOf(from + i))!));
    things = list(count, (i) => () => client.send("PUT", path(i), bodies[i]));
  }
  const { time, cpu } = await timed(clients, things);
  return { total: [time], cpu: [cpu / count] };
}

type Operations = Extract<Order, { clients: number }>;

async function lists(client: Client, count: number): Promise<Figures> {
  await client.send("GET", "/version");
  const figures: Record<string, number[]> = { each: [], cpu: [] };
  for (let i = 0; i < count; i++) {
    const { time, cpu } = await timed(1, [() => client.send("GET", SERVERS)]);
    figures["each"]!.push(time);
    figures["cpu"]!.push(cpu);
  }
  return figures;
}

/** When, by the clock that all processes share, a list had all objects. */
async function awaitList(objects: number): Promise<Figures> {
  for (;;) {
    try {
      const { items } = await using(1, (client) => client.list());
      if (items.length === objects) return { at: [Date.now()] };
    } catch {
      // Not listening yet, or listening and not ready.
    }
    await new Promise((resolve) => setTimeout(resolve, PROBE));
  }
}

async function using<T>(connections: number, work: (client: Client) => Promise<T>): Promise<T> {
  const client = connect(target, connections);
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

function obey(order: Order): Promise<Figures> {
  switch (order.do) {
    case "create":
    case "get":
    case "update":
      return using(order.clients, (client) => operations(client, order));
    case "list":
      return using(1, (client) => lists(client, order.count));
    case "await-list":
      return awaitList(order.objects);
    case "fan-out":
      return using(1, (writer) => using(order.watchers, (watchers) => fanOut(writer, watchers, order)));
  }
}

function list<T>(length: number, make: (index: number) => T): T[] {
  return Array.from({ length }, (_, index) => make(index));
}

process.on("message", ({ order, ...server }: Message) => {
  pids = server.pids;
  obey(order).then(
    (figures) => process.send!({ figures } satisfies Answer),
    (error: unknown) => process.send!({ problem: String((error as Error).stack ?? error) } satisfies Answer),
  );
});
