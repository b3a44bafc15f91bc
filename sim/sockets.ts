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
      request: (request) => (life.alive ? life.live(inner.request(request)) : new Promise(() => {})),
      close: () => inner.close(),
    };
  };
}

/** The same for calls to Talos. */
export function talosUntilDeath(dial: TalosDial, life: Life): TalosDial {
  return (target) => {
    const inner = dial(target);
    const calls = Object.entries(inner).map(([name, call]: [string, (...asked: unknown[]) => unknown]) => {
      if (name === "close" || name === "events") return [name, call];
      return [
        name,
        (...asked: unknown[]) => (life.alive ? life.live(call(...asked) as Promise<unknown>) : new Promise(() => {})),
      ];
    });
    return Object.fromEntries(calls) as TalosApi;
  };
}
