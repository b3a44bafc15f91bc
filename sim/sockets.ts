/** What the kernel does with a process's sockets when it dies. */
import type { OpenHttp } from "#io/http.ts";
import type { OpenUdp } from "#io/udp.ts";
import type { TalosApi, TalosDial } from "#talos/api.ts";
import type { Life } from "./machine/life.ts";

/** Sockets that are closed by the kernel when the process dies. */
export function untilDeath(openUdp: OpenUdp, life: Life): OpenUdp {
  return async (options, receive) => {
    const socket = await openUdp(options, (datagram) => {
      if (life.alive) receive(datagram);
    });
    const forget = life.onEnd(() => void socket.close());
    return {
      address: socket.address,
      port: socket.port,
      send: async (bytes, to) => (life.alive ? socket.send(bytes, to) : undefined),
      close: async () => {
        forget();
        await socket.close();
      },
    };
  };
}

/** Answers reach nobody any more. */
export function httpUntilDeath(open: OpenHttp, life: Life): OpenHttp {
  return (target) => {
    const inner = open(target);
    return {
      request: async (request) => {
        const answer = await (life.alive ? life.live(inner.request(request)) : new Promise<never>(() => {}));
        return { ...answer, body: untilEnd(answer.body, life) };
      },
      close: () => inner.close(),
    };
  };
}

/** Nothing comes any more, and whoever sends finds its other end closed. */
async function* untilEnd<T>(stream: AsyncIterable<T>, life: Life): AsyncGenerator<T, void, undefined> {
  for await (const piece of stream) {
    if (!life.alive) break;
    yield piece;
  }
  if (!life.alive) await new Promise<never>(() => {});
}

/** The same for calls to Talos. */
export function talosUntilDeath(dial: TalosDial, life: Life): TalosDial {
  return (target) => {
    const inner = dial(target);
    const calls = Object.entries(inner).map(([name, call]: [string, (...asked: unknown[]) => unknown]) => {
      if (name === "close") return [name, call];
      if (name === "events") return [name, (...asked: unknown[]) => untilEnd(call(...asked) as AsyncIterable<unknown>, life)];
      return [
        name,
        (...asked: unknown[]) => (life.alive ? life.live(call(...asked) as Promise<unknown>) : new Promise(() => {})),
      ];
    });
    return Object.fromEntries(calls) as TalosApi;
  };
}
