/** The door to plain TCP in the process: whoever connects says from where. */
import { Fault } from "#std/fault.ts";
import type { ConnectTcp, ListenTcp, TcpConnection, TcpEvents, TcpListenOptions } from "../tcp.ts";

interface Listening {
  readonly options: TcpListenOptions;
  readonly accept: (connection: TcpConnection) => TcpEvents;
  readonly open: Set<End>;
}

/** One end of a connection. */
class End implements TcpConnection {
  readonly peer: TcpConnection["peer"];
  readonly #waiting: Uint8Array[] = [];
  #isPaused = false;
  other!: End;
  events!: TcpEvents;
  isClosed = false;

  constructor(address: string) {
    this.peer = { address, port: 1024 };
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    while (!this.#isPaused && this.#waiting.length > 0) this.events.data(this.#waiting.shift()!);
    if (!this.#isPaused) this.other.events.drain?.();
  }

  write(bytes: Uint8Array): boolean {
    this.other.#receive(bytes.slice());
    return !this.other.#isPaused;
  }

  destroy(): void {
    for (const end of [this, this.other]) {
      if (end.isClosed) continue;
      end.isClosed = true;
      end.events.closed();
    }
  }

  #receive(bytes: Uint8Array): void {
    if (this.isClosed) return;
    if (this.#isPaused) this.#waiting.push(bytes);
    else this.events.data(bytes);
  }
}

export class MemoryTcp {
  readonly #listening = new Map<string, Listening>();

  readonly listen: ListenTcp = (options, accept) => {
    const place = `${options.host} ${options.port}`;
    if (this.#listening.has(place)) {
      return Promise.reject(new Fault("io.address-in-use", `cannot listen on ${place}`, { fault: "world", retry: "later" }));
    }
    const open = new Set<End>();
    this.#listening.set(place, { options, accept, open });
    const close = (): Promise<void> => {
      this.#listening.delete(place);
      for (const end of open) end.destroy();
      return Promise.resolve();
    };
    return Promise.resolve({ port: options.port, close });
  };

  /** A door whose connections come from this address. */
  from(address: string): ConnectTcp {
    return ({ host, port }, events) => {
      const listening = this.#listening.get(`${host} ${port}`);
      if (listening === undefined) {
        const message = `cannot connect to ${host}:${port}: nobody listens`;
        return Promise.reject(new Fault("io.unreachable", message, { fault: "world", retry: "soon" }));
      }
      const { options, accept, open } = listening;
      const [client, server] = [new End(host), new End(address)];
      [client.other, server.other, client.events] = [server, client, events];
      const crowd = [...open].filter((end) => end.peer.address === address).length;
      if (open.size >= options.connections || crowd >= options.perAddress) {
        server.events = { data() {}, closed() {} };
        client.destroy();
        return Promise.resolve(client);
      }
      open.add(server);
      server.events = { data() {}, closed: () => void open.delete(server) };
      const { data, drain, closed } = accept(server);
      // It may have been refused there and then.
      if (server.isClosed) return Promise.resolve(client);
      server.events = { data, ...(drain && { drain }), closed: () => (open.delete(server), closed()) };
      return Promise.resolve(client);
    };
  }
}
