/** The boots that call: what the server remembers between one call of a machine and the next. All of it may be lost; then it is found out again. */
import type { MachineFacts } from "#decide/identity/machine.ts";
import type { BootToken } from "#decide/identity/token.ts";
import type { Whom } from "#decide/sighting.ts";

/** Boots remembered; beyond that the ones silent for longest are forgotten. */
const MOST = 16_384;

/** Who calls: with a token, or (where access is open) from an address. */
export interface Caller {
  readonly address: string;
  readonly token?: BootToken;
}

export interface Boot {
  /** The token's, or one made up for the address. */
  readonly id: string;
  /** As it called last: its address may change. */
  caller: Caller;
  facts: MachineFacts;
  /** Name of its Server, once that is known. */
  server?: string;
  /** The wipe order that was told in this boot. */
  wipeOrder?: string;
  /** The wipe order that upstream's agent said it carries out. */
  wiping?: string;
  /** Who asked this boot to set its BMC up: ids of orders, "" for the answer to its registration. */
  readonly bmcAsked: Set<string>;
  /** Where upstream's agent said its BMC is, before it tells user and password. */
  bmcAddress?: { readonly ip: string; readonly port: number };
  /** What the machine waits for while it is idle, in words. */
  waitingFor?: string;
  /** Number of the first log line that is not here yet. */
  nextLine: number;
}

export class Boots {
  readonly #newId: () => string;
  readonly #boots = new Map<string, Boot>();

  constructor(newId: () => string) {
    this.#newId = newId;
  }

  /** The boot of a caller, a new one if it has not called before. */
  of(caller: Caller): Boot {
    const key = caller.token?.boot ?? caller.address;
    const boot = this.#boots.get(key) ?? this.#begun(caller);
    boot.caller = caller;
    this.#boots.delete(key);
    this.#boots.set(key, boot);
    if (this.#boots.size > MOST) this.#boots.delete(this.#boots.keys().next().value!);
    return boot;
  }

  /** A machine without a token says hello: what its address did before was another boot. */
  begin(caller: Caller): Boot {
    if (caller.token === undefined) this.#boots.delete(caller.address);
    return this.of(caller);
  }

  #begun(caller: Caller): Boot {
    const { uuid, mac, serial } = caller.token ?? {};
    const facts = { uuid, macs: mac === undefined ? [] : [mac], serial };
    return { id: caller.token?.boot ?? this.#newId(), caller, facts, bmcAsked: new Set(), nextLine: 0 };
  }
}

/** Everything that tells the recorder which machine a sighting is of. */
export function whomOf({ address, token }: Caller, boot?: Boot): Whom {
  const uuid = boot?.facts.uuid?.toLowerCase() || token?.uuid;
  const mac = token?.mac ?? boot?.facts.macs[0];
  return {
    address,
    ...(uuid === undefined || uuid === "" ? {} : { uuid }),
    ...(mac === undefined ? {} : { mac }),
    ...(boot?.server === undefined ? {} : { server: boot.server }),
  };
}
