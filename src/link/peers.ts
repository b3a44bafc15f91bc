/** Who is in the tunnel: the machines that ServerBindings hold, and guests that nobody holds. WireGuard is told of all of them at once whenever one comes or goes. */
import type { Pin } from "#decide/link/provision.ts";
import { type Clock, sleep } from "#io/clock.ts";
import type { Log } from "#io/log.ts";
import type { Tunnel, TunnelPeer } from "#io/tunnel.ts";
import { Fault } from "#std/fault.ts";
import { equal } from "#std/json.ts";

/** Guests remembered: beyond that the first to come goes. */
const MOST_GUESTS = 4096;
const RETRY = 5_000;

export interface Found {
  /** Of the Server; of a guest its UUID. */
  readonly name: string;
  readonly isGuest: boolean;
  readonly publicKey: string;
}

export interface PeersOptions {
  readonly tunnel: Pick<Tunnel, "setPeers">;
  readonly clock: Clock;
  readonly log: Log;
  /** Told whenever somebody comes or goes. */
  readonly onCount?: (count: { readonly machines: number; readonly guests: number }) => void;
}

export class Peers {
  readonly #options: PeersOptions;
  readonly #machines = new Map<string, TunnelPeer>();
  readonly #guests = new Map<string, { readonly peer: TunnelPeer; readonly pin: Pin }>();
  readonly #byAddress = new Map<string, Found>();
  #isDirty = false;
  #telling: Promise<void> | undefined;

  constructor(options: PeersOptions) {
    this.#options = options;
  }

  at(address: string): Found | undefined {
    return this.#byAddress.get(address);
  }

  nameAt(address: string): string | undefined {
    return this.#byAddress.get(address)?.name;
  }

  nameOf(publicKey: string): string | undefined {
    for (const { name, publicKey: key } of this.#byAddress.values()) if (key === publicKey) return name;
    return undefined;
  }

  guestPin(uuid: string): Pin | undefined {
    return this.#guests.get(uuid)?.pin;
  }

  /** Resolves when WireGuard knows of it; `undefined`: it is nobody's any more. */
  setMachine(name: string, peer: TunnelPeer | undefined): Promise<void> {
    const before = this.#machines.get(name);
    if (equal(before, peer)) return this.#telling ?? Promise.resolve();
    if (before !== undefined) this.#forget(before);
    if (peer === undefined) this.#machines.delete(name);
    else {
      this.#evict(peer);
      this.#machines.set(name, peer);
      this.#byAddress.set(peer.address, { name, isGuest: false, publicKey: peer.publicKey });
    }
    return this.#tell();
  }

  setGuest(uuid: string, pin: Pin, address: string): Promise<void> {
    const peer = { publicKey: pin.publicKey, address };
    this.#evict(peer);
    this.#guests.delete(uuid);
    this.#guests.set(uuid, { peer, pin });
    this.#byAddress.set(address, { name: uuid, isGuest: true, publicKey: pin.publicKey });
    if (this.#guests.size > MOST_GUESTS) this.#leave(this.#guests.keys().next().value!);
    return this.#tell();
  }

  /** Whoever had this address as a guest has become a machine, or comes with another key. */
  #evict({ address }: TunnelPeer): void {
    for (const [uuid, { peer }] of this.#guests) if (peer.address === address) this.#leave(uuid);
  }

  #leave(uuid: string): void {
    const guest = this.#guests.get(uuid);
    if (guest !== undefined) this.#forget(guest.peer);
    this.#guests.delete(uuid);
  }

  #forget({ address, publicKey }: TunnelPeer): void {
    if (this.#byAddress.get(address)?.publicKey === publicKey) this.#byAddress.delete(address);
  }

  #tell(): Promise<void> {
    this.#options.onCount?.({ machines: this.#machines.size, guests: this.#guests.size });
    this.#isDirty = true;
    this.#telling ??= this.#tellAll().finally(() => (this.#telling = undefined));
    return this.#telling;
  }

  async #tellAll(): Promise<void> {
    const { tunnel, clock, log } = this.#options;
    while (this.#isDirty) {
      this.#isDirty = false;
      try {
        await tunnel.setPeers([...this.#machines.values(), ...[...this.#guests.values()].map(({ peer }) => peer)]);
      } catch (error) {
        log.error("WireGuard could not be told its peers", { because: Fault.from(error) });
        this.#isDirty = true;
        await sleep(clock, RETRY);
      }
    }
  }
}
