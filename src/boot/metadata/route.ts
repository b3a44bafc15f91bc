/** `/configdata`: where Talos asks for its configuration (sidero.md §6), and who is answered. */
import type { Inventory } from "#decide/boot/asker.ts";
import type { Presence } from "#decide/boot/entitlement.ts";
import { bootOrderOf } from "#decide/boot/order.ts";
import { machineOf, type Digest, type Machine } from "#decide/identity/machine.ts";
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
import { askerOf } from "../http/asker.ts";
import { checkClaim, isInstalled, readToken } from "./admission.ts";
import { bootstrapDataOf } from "./chain.ts";
import { type Configuration, Configurations } from "./configurations.ts";
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

export interface ConfigRouteOptions {
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
}

export type Answer =
  | { readonly is: "served"; readonly text: Buffer }
  /** It is on record already. */
  | { readonly is: "refused"; readonly status: 403 | 404 | 429 | 500; readonly because: string }
  /** It was not gone into. */
  | { readonly is: "unheard"; readonly status: 500 | 503; readonly because: string };

/** What a machine asks with. */
export interface Question {
  readonly query: URLSearchParams;
  readonly address: string;
}

interface Known {
  readonly of: Sighting["of"];
  readonly machine: Machine | undefined;
  readonly token: BootToken | undefined;
}

/** Rejects with the Faults of the API only. */
export function createConfigRoute(options: ConfigRouteOptions): (question: Question) => Promise<Answer> {
  const { metadata, inventory, clock, log, witness } = options;
  const { port, isOpen } = metadata;
  const configurations = new Configurations();
  const refusals = new Refusals({ port, clock, log, witness, onRefused: metadata.onRefused });
  if (isOpen)
    log.warn("configurations, and with them the keys of clusters, go to anyone who asks with a machine's UUID (--open-metadata)");

  async function lookUp({ machine, token, of }: Known, address: string): Promise<Configuration> {
    const { server } = machine ?? {};
    if (machine === undefined || server === undefined) throw noConfig(404, "missing", "no Server has this UUID");
    const binding = await port.binding(machine.name);
    if (binding === undefined) throw noConfig(404, "missing", "the Server is not allocated: there is no ServerBinding");
    if (token !== undefined) {
      const presence = { address, mac: (await metadata.neighbour(address))?.toLowerCase(), identity: metadata.identity };
      checkClaim({ token, server, binding, presence, lifetime: options.tokenLifetime });
      if (presence.mac === undefined && presence.identity === "network")
        log.warn("nobody here sees whose address this is: the network is trusted to tell (--identity network)", { ...of });
    } else if (isInstalled(binding))
      log.warn("the configuration of an installed machine goes to whoever asks (--open-metadata)", { ...of });
    const className = binding.spec?.serverClassRef?.name;
    const serverClass = className ? inventory.serverClass(className) : undefined;
    if (className && serverClass === undefined) throw noConfig(500, "missing", `there is no ServerClass ${className}`);
    const data = await bootstrapDataOf(binding, port);
    const made = configurations.of({ data, server, serverClass });
    await putOnRecord(server, binding, made, token, address);
    return made;
  }

  /** Before a byte is sent: whoever boots again afterwards has had it. */
  async function putOnRecord(
    server: Server,
    binding: ServerBinding,
    { addresses }: Configuration,
    token: BootToken | undefined,
    address: string,
  ): Promise<void> {
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
  }

  /** Also of those that have no token: it is shown on the machine that they ask as. */
  function know({ query, address }: Question, uuid: string): Known & { fault?: Fault } {
    let token: BootToken | undefined;
    let fault: Fault | undefined;
    try {
      token = readToken(query.get("token") ?? undefined, options.seal, clock.now(), uuid);
    } catch (error) {
      fault = Fault.from(error);
    }
    const { mac } = token ?? askerOf(query, address);
    const machine = machineOf({ uuid: token?.uuid ?? uuid, macs: mac === undefined ? [] : [mac] }, inventory, options.digest);
    // Whoever has no token may be anybody: what it does is no part of the machine's boot.
    const isKnown = token !== undefined || isOpen;
    const of = isKnown
      ? { address, uuid, ...(mac !== undefined && { mac }), ...(machine?.server && { server: machine.name }) }
      : { address };
    return { of, machine, token, ...(fault !== undefined && !isOpen && { fault }) };
  }

  return async (question) => {
    const started = clock.monotonic();
    const { query, address } = question;
    if (!query.get("uuid")) return { is: "unheard", status: 500, because: "a metadata request without uuid" };
    const { uuid } = askerOf(query, address);
    if (!inventory.isComplete) return { is: "unheard", status: 503, because: "starting: ask again" };
    const known = know(question, uuid ?? "");
    try {
      if (known.fault !== undefined) throw known.fault;
      const { text } = await lookUp(known, address);
      witness({
        of: known.of,
        at: clock.now(),
        what: "config.served",
        text: `got its configuration, ${text.length} bytes`,
        bytes: text.length,
      });
      metadata.onServed(clock.monotonic() - started);
      return { is: "served", text };
    } catch (error) {
      const fault = Fault.from(error);
      if (!isNoConfig(fault)) throw fault;
      const { status, reason } = fault.facts;
      const isHeard = refusals.note({ of: known.of, server: known.machine?.server, reason, because: fault.message });
      return isHeard
        ? { is: "refused", status, because: fault.message }
        : { is: "refused", status: 429, because: "asked too often" };
    }
  };
}
