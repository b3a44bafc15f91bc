/** The tunnel door in the process: keeps what it is told, and is told what happens. */
import type { Clock } from "../clock.ts";
import { noTunnel, type OpenTunnel, type Tunnel, type TunnelOptions, type TunnelPeer } from "../tunnel.ts";
import type { Fault } from "#std/fault.ts";

export class MemoryTunnel {
  readonly #clock: Clock;
  readonly #handshakes = new Map<string, number>();
  #lose: ((fault: Fault) => void) | undefined;
  #peers = new Map<string, string>();
  /** Why it cannot be had; undefined: it can. */
  problem: string | undefined;
  /** Of the one that is open. */
  options: TunnelOptions | undefined;
  /** Calls of `setPeers`. */
  told = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Address of each key. */
  get peers(): ReadonlyMap<string, string> {
    return this.#peers;
  }

  /** The peer of this key has shaken hands, if it is one. */
  shakeHands(publicKey: string): boolean {
    if (!this.#peers.has(publicKey)) return false;
    this.#handshakes.set(publicKey, this.#clock.now());
    return true;
  }

  /** It ends by itself. */
  lose(message: string): void {
    this.#forget();
    this.#lose?.(noTunnel(message));
  }

  readonly open: OpenTunnel = (options) => {
    if (this.problem !== undefined) return Promise.reject(noTunnel(this.problem));
    this.#forget();
    this.options = options;
    const tunnel: Tunnel = {
      by: "memory",
      lost: new Promise((resolve) => (this.#lose = resolve)),
      setPeers: (peers) => this.#set(peers),
      handshakes: () => Promise.resolve(new Map(this.#handshakes)),
      close: () => Promise.resolve(this.#forget()),
    };
    return Promise.resolve(tunnel);
  };

  #set(peers: readonly TunnelPeer[]): Promise<void> {
    if (this.problem !== undefined || this.options === undefined)
      return Promise.reject(noTunnel(this.problem ?? "it is not open"));
    this.told++;
    const holders = new Map(peers.map(({ publicKey, address }) => [address, publicKey]));
    const kept = peers.filter(({ publicKey, address }) => holders.get(address) === publicKey);
    this.#peers = new Map(kept.map(({ publicKey, address }) => [publicKey, address]));
    for (const key of this.#handshakes.keys()) if (!this.#peers.has(key)) this.#handshakes.delete(key);
    return Promise.resolve();
  }

  #forget(): void {
    this.options = undefined;
    this.#peers = new Map();
    this.#handshakes.clear();
  }
}
