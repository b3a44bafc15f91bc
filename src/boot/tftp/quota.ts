/** How many transfers there may be at once, over all sockets. */
export interface TftpLimits {
  /** Transfers at once. Beyond it requests are not answered, so that firmware asks again, as it does after a lost packet. */
  readonly transfers: number;
  /** Of them, for one address: it may be that of a gateway which many machines are behind. */
  readonly perAddress: number;
}

export const LIMITS: TftpLimits = { transfers: 10_000, perAddress: 1_000 };

export class Quota {
  readonly #limits: TftpLimits;
  readonly #perAddress = new Map<string, number>();
  #taken = 0;

  constructor(limits: TftpLimits) {
    this.#limits = limits;
  }

  get taken(): number {
    return this.#taken;
  }

  /** Undefined when there was room, else what is in the way. */
  take(address: string): string | undefined {
    const own = this.#perAddress.get(address) ?? 0;
    if (own >= this.#limits.perAddress) return `${own} transfers to this address are under way`;
    if (this.#taken >= this.#limits.transfers) return `${this.#taken} transfers are under way`;
    this.#perAddress.set(address, own + 1);
    this.#taken++;
    return undefined;
  }

  give(address: string): void {
    const own = this.#perAddress.get(address) ?? 0;
    if (own <= 1) this.#perAddress.delete(address);
    else this.#perAddress.set(address, own - 1);
    this.#taken--;
  }
}
