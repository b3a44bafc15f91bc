/** The peers of an interface, by `wg`: what differs from what was set before, or all of them when that is not known. */
import type { TunnelOptions, TunnelPeer } from "../../tunnel.ts";
import { run } from "./run.ts";

/** Keys in one command; each takes 57 bytes of it. */
const MOST_REMOVED = 500;

export class PeerTable {
  readonly #options: TunnelOptions;
  /** Address of each key; undefined after a failure. */
  #known: ReadonlyMap<string, string> | undefined;
  #last: Promise<void> = Promise.resolve();

  constructor(options: TunnelOptions) {
    this.#options = options;
  }

  set(peers: readonly TunnelPeer[]): Promise<void> {
    const wanted = new Map<string, string>();
    // WireGuard gives an address to the last that asks for it. So whoever had it before is left out: it would be a peer with no address.
    const holders = new Map(peers.map(({ publicKey, address }) => [address, publicKey]));
    for (const { publicKey, address } of peers) if (holders.get(address) === publicKey) wanted.set(publicKey, address);
    const done = this.#last.then(() => this.#change(wanted));
    this.#last = done.catch(() => {});
    return done;
  }

  async #change(wanted: ReadonlyMap<string, string>): Promise<void> {
    const known = this.#known;
    this.#known = undefined;
    await (known === undefined ? this.#setAll(wanted) : this.#setDifference(known, wanted));
    this.#known = wanted;
  }

  async #setAll(wanted: ReadonlyMap<string, string>): Promise<void> {
    const { name, privateKey, port } = this.#options;
    const own = ["[Interface]", `PrivateKey = ${privateKey}`, `ListenPort = ${port}`];
    await run("wg", ["syncconf", name, "/dev/stdin"], `${[...own, ...peerLines(wanted)].join("\n")}\n`);
  }

  async #setDifference(known: ReadonlyMap<string, string>, wanted: ReadonlyMap<string, string>): Promise<void> {
    const { name } = this.#options;
    const gone = [...known.keys()].filter((key) => wanted.get(key) !== known.get(key));
    const come = new Map([...wanted].filter(([key, address]) => known.get(key) !== address));
    for (let at = 0; at < gone.length; at += MOST_REMOVED) {
      const some = gone.slice(at, at + MOST_REMOVED);
      await run("wg", ["set", name, ...some.flatMap((key) => ["peer", key, "remove"])]);
    }
    if (come.size > 0) await run("wg", ["addconf", name, "/dev/stdin"], `${peerLines(come).join("\n")}\n`);
  }
}

function peerLines(peers: ReadonlyMap<string, string>): string[] {
  return [...peers].flatMap(([key, address]) => ["[Peer]", `PublicKey = ${key}`, `AllowedIPs = ${address}/128`]);
}
