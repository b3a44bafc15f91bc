/** Whoever asks for anything that is a machine's: which machine that is, and whether it may have it. What is refused is on record, and heard only so often. */
import type { SideroLinkEnd } from "#decide/boot/arguments.ts";
import type { Inventory } from "#decide/boot/asker.ts";
import type { Presence } from "#decide/boot/entitlement.ts";
import { bootOrderOf } from "#decide/boot/order.ts";
import { type Digest, machineOf } from "#decide/identity/machine.ts";
import type { BootToken } from "#decide/identity/token.ts";
import type { Sighting, Witness } from "#decide/sighting.ts";
import { type Clock, timestamp } from "#io/clock.ts";
import type { Entropy } from "#io/entropy.ts";
import type { Log } from "#io/log.ts";
import type { Seal } from "#io/seal.ts";
import type { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import { Fault } from "#std/fault.ts";
import { equal } from "#std/json.ts";
import { checkClaim, isInstalled, readToken } from "./admission.ts";
import { isNoConfig, noConfig, type Reason } from "./fault.ts";
import type { MetadataPort, Served } from "./port.ts";
import { Refusals } from "./refusals.ts";

export interface MetadataOptions {
  readonly port: MetadataPort;
  /** Hardware address that an address is seen on; undefined when nobody sees it. */
  readonly neighbour: (address: string) => Promise<string | undefined>;
  readonly identity: Presence["identity"];
  /** Upstream's open door (`--open-metadata`): whoever asks gets it. */
  readonly isOpen: boolean;
  readonly onServed: (milliseconds: number) => void;
  readonly onRefused: (reason: Reason | "rate") => void;
}

export interface GateOptions {
  readonly metadata: MetadataOptions;
  readonly inventory: Inventory;
  readonly seal: Seal;
  readonly digest: Digest;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
  readonly witness: Witness;
  /** Milliseconds that a script's token counts. */
  readonly tokenLifetime: number;
  /** Sidero's end of SideroLink, which machines join by a token of their boot; undefined while there is none. */
  readonly sideroLink?: (() => SideroLinkEnd | undefined) | undefined;
}

/** What is shown; all of it may be wrong. */
export interface Question {
  readonly address: string;
  readonly token?: string | undefined;
  /** SMBIOS UUID; undefined: whoever the token was made for. */
  readonly uuid?: string | undefined;
  readonly mac?: string | undefined;
}

/** A machine that may have what it asks for. */
export interface Admitted {
  readonly of: Sighting["of"];
  readonly server: Server;
  readonly binding: ServerBinding;
  readonly address: string;
  /** Absent where the door is open. */
  readonly token?: BootToken;
}

export interface Refusal {
  readonly is: "refused";
  readonly status: 403 | 404 | 429 | 500;
  readonly because: string;
}

export interface Gate {
  /** What `answer` makes of the machine that asks; rejects with the Faults of the API only. */
  pass<T>(question: Question, answer: (admitted: Admitted) => Promise<T>): Promise<T | Refusal>;
  /** Before a byte of it is sent: whoever boots again afterwards has had its configuration, which gives it these addresses. */
  record(admitted: Admitted, addresses: readonly string[]): Promise<void>;
}

interface Known {
  readonly of: Sighting["of"];
  readonly server: Server | undefined;
  readonly token?: BootToken;
  readonly fault?: Fault;
}

export function createGate(options: GateOptions): Gate {
  const { metadata, inventory, clock, log, witness } = options;
  const { port, isOpen } = metadata;
  const refusals = new Refusals({ port, clock, log, witness, onRefused: metadata.onRefused });
  if (isOpen)
    log.warn("configurations, and with them the keys of clusters, go to anyone who asks with a machine's UUID (--open-metadata)");

  /** Also of those that have no token: it is shown on the machine that they ask as. */
  function know({ token: text, uuid, mac, address }: Question): Known {
    let token: BootToken | undefined;
    let fault: Fault | undefined;
    try {
      token = readToken(text, options.seal, clock.now(), uuid);
    } catch (error) {
      fault = Fault.from(error);
    }
    const facts = { uuid: token?.uuid ?? uuid, mac: token === undefined ? mac : token.mac };
    const machine = machineOf({ uuid: facts.uuid, macs: facts.mac === undefined ? [] : [facts.mac] }, inventory, options.digest);
    const server = machine?.server;
    // Whoever has no token may be anybody: what it does is no part of the machine's boot.
    const isKnown = token !== undefined || isOpen;
    const of = {
      address,
      ...(isKnown && facts.uuid !== undefined && { uuid: facts.uuid }),
      ...(isKnown && facts.mac !== undefined && { mac: facts.mac }),
      ...(isKnown && machine !== undefined && server !== undefined && { server: machine.name }),
    };
    return { of, server, ...(token && { token }), ...(fault !== undefined && !isOpen && { fault }) };
  }

  async function admit({ server, token, of, fault }: Known, address: string): Promise<Admitted> {
    if (fault !== undefined) throw fault;
    if (server === undefined) throw noConfig(404, "missing", "no Server has this UUID");
    const binding = await port.binding(server.metadata.name ?? "");
    if (binding === undefined) throw noConfig(404, "missing", "the Server is not allocated: there is no ServerBinding");
    if (token !== undefined) {
      const presence = { address, mac: (await metadata.neighbour(address))?.toLowerCase(), identity: metadata.identity };
      checkClaim({ token, server, binding, presence, lifetime: options.tokenLifetime });
      if (presence.mac === undefined && presence.identity === "network")
        log.warn("nobody here sees whose address this is: the network is trusted to tell (--identity network)", { ...of });
    } else if (isInstalled(binding))
      log.warn("the configuration of an installed machine goes to whoever asks (--open-metadata)", { ...of });
    return { of, server, binding, address, ...(token && { token }) };
  }

  return {
    async pass(question, answer) {
      const started = clock.monotonic();
      const known = know(question);
      try {
        const answered = await answer(await admit(known, question.address));
        metadata.onServed(clock.monotonic() - started);
        return answered;
      } catch (error) {
        const fault = Fault.from(error);
        if (!isNoConfig(fault)) throw fault;
        const { status, reason } = fault.facts;
        const isHeard = refusals.note({ of: known.of, server: known.server, reason, because: fault.message });
        return isHeard
          ? { is: "refused", status, because: fault.message }
          : { is: "refused", status: 429, because: "asked too often" };
      }
    },
    async record({ server, binding, token, address }, addresses) {
      const before = binding.status?.configuration;
      const boot = token?.boot ?? before?.boot ?? options.entropy.uuid();
      const order = bootOrderOf(server, binding)?.id ?? before?.order ?? "none";
      const isSame = before !== undefined && before.boot === boot && before.order === order;
      const configuration: Served = {
        servedAt: isSame ? before.servedAt : timestamp(clock),
        boot,
        order,
        address,
        ...(addresses.length > 0 && { addresses: [...addresses] }),
        ...(token === undefined && { open: true }),
      };
      if (equal(before, configuration)) return;
      await port.record(binding, { configuration });
      const how = token === undefined ? ", which showed no token (--open-metadata)" : "";
      const type = token === undefined ? "Warning" : "Normal";
      port.event(server, type, "Server Configuration", `The machine configuration was sent to ${address}${how}.`);
    },
  };
}
