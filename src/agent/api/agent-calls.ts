/** The service that upstream's agent knows (sidero.md §5.2), without its defects. */
import type { ServiceImpl } from "@connectrpc/connect";
import type { Inventory } from "#decide/boot/asker.ts";
import { machineOf } from "#decide/identity/machine.ts";
import type { Digest, MachineFacts } from "#decide/identity/machine.ts";
import { addressProblem, addressesAfter, networksOf } from "#decide/registration/address.ts";
import { lacksBmc } from "#decide/registration/bmc.ts";
import { wipeModeOf } from "#decide/wipe/mode.ts";
import { wipeOrderOf } from "#decide/registration/wipe.ts";
import type { HardwareInformation } from "#kinds/metal/v1alpha2/hardware.ts";
import type { Server, WipeOrder } from "#kinds/metal/v1alpha2/server.ts";
import type { Clock } from "#io/clock.ts";
import type { Agent, CreateServerRequest, CreateServerResponse } from "#proto/api_pb.js";
import { checkClaims } from "./access.ts";
import type { BmcAccounts } from "./bmc.ts";
import type { Boot } from "./boots.ts";
import { refusal } from "./faults.ts";
import type { Guard } from "./guard.ts";
import { clean, hardwareOf } from "./hardware.ts";
import type { AgentLogs } from "./logs.ts";
import { Newcomers } from "./newcomers.ts";
import { register, summaryOf } from "./registration.ts";
import type { Registered } from "./registration.ts";
import type { Registry } from "./registry.ts";
import type { Identity, Presence } from "./presence.ts";
import type { WipeOrders } from "./wipe-orders.ts";

export interface AgentSettings {
  /** New Servers are accepted. */
  readonly autoAccept: boolean;
  /** The agent makes a BMC user on machines that have none configured. */
  readonly autoBmcSetup: boolean;
  /** Wipe quickly. */
  readonly insecureWipe: boolean;
  /** Milliseconds since 1970: orders to wipe from before are of a backup that was restored. */
  readonly ordersSince?: number | undefined;
  /** Milliseconds a machine may take to come back. */
  readonly rebootTimeout: number;
  /** Where the Secrets with accounts of BMCs are; absent: upstream's, `default`. */
  readonly bmcSecretNamespace?: string;
  /** Whose word counts where nobody sees the caller's hardware address; absent: nobody's. */
  readonly identity?: Identity;
  /** CIDRs of addresses that no Server is to have. */
  readonly negativeAddressFilter: readonly string[];
}

export interface AgentCallsOptions {
  readonly registry: Registry;
  readonly inventory: Inventory;
  readonly digest: Digest;
  readonly clock: Clock;
  readonly guard: Guard;
  readonly logs: AgentLogs;
  readonly settings: AgentSettings;
  readonly wipes: WipeOrders;
  readonly presence: Presence;
  /** Undefined: nobody can log in at BMCs here, and no machine is asked to set one up. */
  readonly accounts: BmcAccounts | undefined;
}

export function createAgentCalls(options: AgentCallsOptions): ServiceImpl<typeof Agent> {
  const { registry, inventory, digest, clock, guard, logs, settings, wipes, presence, accounts } = options;
  const newcomers = new Newcomers(clock);
  const filtered = networksOf(settings.negativeAddressFilter);

  async function createServer(request: CreateServerRequest, boot: Boot): Promise<Answer<CreateServerResponse>> {
    const { hardware: reported } = request;
    if (reported === undefined) throw refusal("agent.malformed", "hardware: missing");
    const hardware = hardwareOf(reported);
    const facts = factsOf(hardware, boot);
    const seen = [...facts.macs, request.bootMac.toLowerCase(), ...permanentMacs(hardware)].filter((mac) => mac !== "");
    checkClaims(boot.caller, { ...facts, macs: seen });
    const hostname = clean(request.hostname).slice(0, 253);
    const admitNew = (): void => newcomers.admit(boot.caller.address);
    const mayRefresh = (server: Server): Promise<void> => presence.mustNotBeForeign(server, boot.caller.address);
    const options = { registry, known: inventory, digest, autoAccept: settings.autoAccept, mayRefresh, admitNew };
    const registered = await register({ facts, hardware, hostname }, options);
    const { server } = registered;
    const order = await confirmed(server);
    remember(boot, facts, registered, order);
    const setupBmc = settings.autoBmcSetup && accounts !== undefined && lacksBmc(server);
    if (setupBmc) boot.bmcAsked.add("");
    return {
      server: boot.server!,
      setupBmc,
      ...(order && {
        wipe: true,
        wipeOrder: order.id,
        insecureWipe: wipeModeOf(server, settings.insecureWipe) === "fast",
        rebootTimeout: settings.rebootTimeout / 1000,
      }),
    };
  }

  function currentOrder(server: Server): WipeOrder | undefined {
    return wipeOrderOf(server, inventory.binding(server.metadata.name!), settings.ordersSince);
  }

  /** Upstream's agent wipes on this word alone, and a cache may not know yet who holds the machine. */
  async function confirmed(server: Server): Promise<WipeOrder | undefined> {
    const order = currentOrder(server);
    return order !== undefined && (await registry.binding(server.metadata.name!)) === undefined ? order : undefined;
  }

  function remember(boot: Boot, facts: MachineFacts, { server, isNew, changes }: Registered, order: WipeOrder | undefined): void {
    const name = server.metadata.name!;
    const isFirst = boot.server === undefined;
    boot.facts = facts;
    boot.server = name;
    boot.waitingFor = server.spec?.accepted === true ? "an order" : "being accepted (spec.accepted of its Server)";
    if (order !== undefined) boot.wipeOrder = order.id;
    logs.rename(boot.id, name);
    if (!isNew && !isFirst && changes.length === 0) return;
    const what = isNew ? "registered as a new Server" : "came back";
    const change = changes.length === 0 ? "" : `; changed: ${changes.join(", ")}`;
    const text = `${what}: ${summaryOf(server.spec?.hardware ?? {})}${change}`;
    guard.saw(boot, { what: "agent.registered", text, waitingFor: boot.waitingFor });
  }

  /** The Server that a call is about: the boot's own, whatever of its names it is called by. */
  async function ownServer(uuid: string, boot: Boot): Promise<Server> {
    if (uuid === "") throw refusal("agent.malformed", "uuid: missing");
    // Known from registration; after a restart of this process, from the token; without one, there is only the name.
    const name = boot.server ?? machineOf(boot.facts, inventory, digest)?.server?.metadata.name;
    const asked = uuid.toLowerCase();
    const isOwn = name !== undefined && (asked === name || asked === boot.facts.uuid?.toLowerCase());
    if (!isOwn && (name !== undefined || boot.caller.token !== undefined)) {
      throw refusal("agent.denied", `uuid: ${clean(uuid)} is not the machine that calls`);
    }
    const server = await registry.server(name ?? asked);
    if (server === undefined)
      throw refusal("agent.not-registered", `uuid: there is no Server ${clean(uuid)}; call CreateServer first`);
    boot.server = server.metadata.name!;
    return server;
  }

  async function ordered(server: Server): Promise<WipeOrder> {
    const order = currentOrder(server);
    if (order === undefined) throw refusal("agent.not-ordered", `nobody ordered ${server.metadata.name} to be wiped`);
    return order;
  }

  async function editStatus(server: Server, change: (status: Status, current: Server) => Status): Promise<void> {
    const after = await registry.edit(server.metadata.name!, (current) => ({
      ...current,
      status: change(current.status ?? {}, current),
    }));
    if (after === undefined) throw refusal("agent.not-registered", "the Server is gone");
  }

  return {
    createServer: guard.method(createServer),

    markServerAsWiped: guard.method(async ({ uuid, wipeOrder }, boot) => {
      const server = await ownServer(uuid, boot);
      const { id } = await ordered(server);
      await presence.mustBeOwn(server, boot.caller.address);
      if ((wipeOrder || boot.wipeOrder) !== id) {
        throw refusal("agent.not-ordered", `wipe_order: the order in force is ${id}, and this boot was not given it`);
      }
      await wipes.finish(server.metadata.name!, id);
      guard.saw(boot, { what: "agent.step", text: "wiped" });
      return {};
    }),

    reconcileServerAddresses: guard.method(async ({ uuid, address: reported }, boot) => {
      const server = await ownServer(uuid, boot);
      for (const [i, address] of reported.entries()) {
        const problem = addressProblem(address);
        if (problem !== undefined) throw refusal("agent.malformed", `address[${i}]: ${clean(problem)}`);
      }
      await editStatus(server, (status) => {
        const before = status.addresses ?? [];
        const after = addressesAfter(before, reported, filtered);
        return after === before ? status : { ...status, addresses: [...after] };
      });
      return {};
    }),

    heartbeat: guard.method(async ({ uuid }, boot) => {
      const server = await ownServer(uuid, boot);
      const { id } = await ordered(server);
      await presence.mustBeOwn(server, boot.caller.address);
      // The first one comes before the first byte is written, and is its BeginWipe.
      await (boot.wiping === id ? wipes.heard(server.metadata.name!, id) : wipes.begin(server.metadata.name!, id));
      boot.wiping = id;
      return {};
    }),

    updateBMCInfo: guard.method(async ({ uuid, bmcInfo }, boot) => {
      const server = await ownServer(uuid, boot);
      if (bmcInfo === undefined) throw refusal("agent.malformed", "bmc_info: missing");
      if (accounts === undefined) throw refusal("agent.not-wanted", "nobody can log in at BMCs here");
      const said = await accounts.update(server, boot, bmcInfo);
      guard.saw(boot, { what: "agent.step", text: `set up its BMC: ${said}` });
      return {};
    }),
  };
}

/** A response without what protobuf adds. */
type Answer<Response> = Partial<Omit<Response, "$typeName" | "$unknown">>;
type Status = NonNullable<Server["status"]>;

/** What names the machine; a report without interfaces leaves the one that the boot script went to. */
function factsOf({ system, network }: HardwareInformation, { caller }: Boot): MachineFacts {
  const macs = network?.interfaces?.flatMap(({ mac = "" }) => (mac === "" ? [] : [mac])) ?? [];
  const own = caller.token?.mac;
  return { uuid: system?.uuid, serial: system?.serialNumber, macs: macs.length === 0 && own !== undefined ? [own] : macs };
}

function permanentMacs({ network }: HardwareInformation): string[] {
  return network?.interfaces?.flatMap(({ permanentMac = "" }) => permanentMac) ?? [];
}
