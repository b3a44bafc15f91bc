/** One writer, many watchers: how long until all of them have an event, and how many events a second all of them together get. */
import { changed } from "./client.ts";
import type { Client, Listed } from "./client.ts";
import { SERVERS } from "./object.ts";
import type { Figures, Order } from "./order.ts";

/** `each`: from before a write until the last watcher has it, one write at a time. `burst`: all of as many writes, back to back. */
export async function fanOut(writer: Client, watchers: Client, order: Extract<Order, { do: "fan-out" }>): Promise<Figures> {
  const { metadata, items } = await writer.list();
  const arrivals = new Arrivals();
  const path = `${SERVERS}?watch=1&timeoutSeconds=600&resourceVersion=${metadata.resourceVersion}`;
  await Promise.all(Array.from({ length: order.watchers }, () => watchers.watch(path, (count) => arrivals.add(count))));

  let present = items[0]!;
  const server = `${SERVERS}/${present.metadata.name}`;
  const write = async (): Promise<void> => {
    present = JSON.parse((await writer.send("PUT", server, changed(present))).toString()) as Listed;
  };
  const each: number[] = [];
  for (let i = 0; i < order.events; i++) {
    const begun = performance.now();
    await Promise.all([write(), arrivals.expect(order.watchers)]);
    each.push(performance.now() - begun);
  }
  const begun = performance.now();
  const all = arrivals.expect(order.watchers * order.events);
  for (let i = 0; i < order.events; i++) await write();
  await all;
  return { each, burst: [performance.now() - begun] };
}

/** Counts what comes to all watchers together. */
class Arrivals {
  #missing = 0;
  #resolve: () => void = () => {};

  expect(count: number): Promise<void> {
    this.#missing = count;
    return new Promise((resolve) => (this.#resolve = resolve));
  }

  add(count: number): void {
    this.#missing -= count;
    if (this.#missing === 0) this.#resolve();
  }
}
