/**
 * How much of all downloads may be on its way to sockets at once. Downloads send a chunk at a time and queue for each: a boot storm slows
 * everybody evenly, and memory stays bounded. Scripts and other small answers do not come here.
 */
import type { Clock, Timer } from "#io/clock.ts";

export interface AdmissionOptions {
  /** Bytes on their way at once. Chunks of peers that do not read may take as much again. */
  readonly limit: number;
  /** Bytes on their way to one address, but one chunk always: whoever opens a thousand downloads gets no more of us. Absent: no bound. */
  readonly share?: number;
  /** Milliseconds after which a chunk that has not left is no longer waited for by others. */
  readonly patience: number;
  readonly clock: Clock;
}

interface Held {
  readonly bytes: number;
  readonly since: number;
  isSlow: boolean;
}

interface Waiting {
  readonly bytes: number;
  readonly admit: () => void;
}

/** All downloads of one address. */
interface Peer {
  /** Bytes. */
  held: number;
  readonly waiting: Set<Waiting>;
}

export class Admission {
  readonly #limit: number;
  readonly #share: number;
  readonly #patience: number;
  readonly #clock: Clock;
  /** In the order in which they were admitted. */
  readonly #held = new Set<Held>();
  /** By address; those that hold something or wait. */
  readonly #peers = new Map<string, Peer>();
  /** Peers that wait and may have more, in the order of their turns. */
  readonly #turns = new Set<Peer>();
  #moving = 0;
  #slow = 0;
  #timer: Timer | undefined;
  #peak = 0;

  constructor({ limit, share = Number.POSITIVE_INFINITY, patience, clock }: AdmissionOptions) {
    this.#limit = limit;
    this.#share = share;
    this.#patience = patience;
    this.#clock = clock;
  }

  /** Bytes on their way at the worst moment so far. */
  get peak(): number {
    return this.#peak;
  }

  get inFlight(): number {
    return this.#moving + this.#slow;
  }

  /**
   * Resolves, address by address in turn, and for each first come, first served, when `bytes` may be sent, to what is to be called once they
   * have left or never will; rejects with the signal's reason. A chunk larger than the limit goes alone.
   */
  admit(bytes: number, signal: AbortSignal, address = ""): Promise<() => void> {
    signal.throwIfAborted();
    const peer = this.#peers.get(address) ?? { held: 0, waiting: new Set() };
    this.#peers.set(address, peer);
    const isNext = this.#turns.size === 0 && peer.waiting.size === 0 && this.#mayHave(peer, bytes);
    if (isNext && this.#fits(bytes)) return Promise.resolve(this.#hold(bytes, peer, address));
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        peer.waiting.delete(waiting);
        this.#queue(peer, address);
        reject(signal.reason as Error);
        this.#serve();
      };
      const waiting: Waiting = {
        bytes,
        admit: () => {
          signal.removeEventListener("abort", stop);
          resolve(this.#hold(bytes, peer, address));
        },
      };
      peer.waiting.add(waiting);
      this.#queue(peer, address);
      signal.addEventListener("abort", stop, { once: true });
      this.#serve();
    });
  }

  #fits(bytes: number): boolean {
    return this.#moving === 0 || this.#moving + bytes <= this.#limit;
  }

  #mayHave(peer: Peer, bytes: number): boolean {
    return peer.held === 0 || peer.held + bytes <= this.#share;
  }

  /** Gives the peer a turn, or takes it away, by what it waits for now. */
  #queue(peer: Peer, address: string): void {
    const [first] = peer.waiting;
    if (first !== undefined && this.#mayHave(peer, first.bytes)) this.#turns.add(peer);
    else this.#turns.delete(peer);
    if (first === undefined && peer.held === 0) this.#peers.delete(address);
  }

  #hold(bytes: number, peer: Peer, address: string): () => void {
    const held: Held = { bytes, since: this.#clock.monotonic(), isSlow: false };
    this.#held.add(held);
    this.#moving += bytes;
    peer.held += bytes;
    this.#peak = Math.max(this.#peak, this.inFlight);
    this.#queue(peer, address);
    return () => {
      if (!this.#held.delete(held)) return;
      if (held.isSlow) this.#slow -= bytes;
      else this.#moving -= bytes;
      peer.held -= bytes;
      this.#queue(peer, address);
      this.#serve();
    };
  }

  #serve(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const peer of this.#turns) {
      const [waiting] = peer.waiting;
      if (!this.#fits(waiting!.bytes)) return this.#makeRoom();
      // To the end of the row, if it goes on.
      this.#turns.delete(peer);
      peer.waiting.delete(waiting!);
      waiting!.admit();
    }
  }

  /** The oldest chunks that are slow make room for those that wait, now or when they are due. */
  #makeRoom(): void {
    for (const held of this.#held) {
      if (held.isSlow) continue;
      if (this.#slow + held.bytes > this.#limit) return;
      const due = held.since + this.#patience - this.#clock.monotonic();
      if (due > 0) {
        this.#timer = this.#clock.after(due, () => this.#serve());
        return;
      }
      held.isSlow = true;
      this.#slow += held.bytes;
      this.#moving -= held.bytes;
      return this.#serve();
    }
  }
}
