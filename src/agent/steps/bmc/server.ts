/** What the server has to do with a BMC's set-up: it knows what is on record, and proves by logging in over the network. */
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import type { Transport } from "@connectrpc/connect";
import type { Way } from "#decide/bmc-setup/found.ts";
import { Agent } from "#proto/api_pb.js";
import { BmcRefusal_Reason, BmcRefusalSchema, BmcStanding, Machine } from "#proto/sidero/agent/v1/machine_pb.js";

export interface Standing {
  /** What became of logging in with what is on record. */
  readonly state: "none" | "works" | "denied" | "unreachable";
  /** Name of the account on record; "" for none. */
  readonly user: string;
  /** What was met with, for people. */
  readonly detail: string;
}

/** `proven`: on record from now on. The others: nothing has changed, and `detail` says what was met with. */
export interface Proof {
  readonly state: "proven" | "denied" | "unreachable";
  readonly detail: string;
}

/** Rejects with ConnectError: refused for good, or out of reach itself. */
export interface BmcServer {
  offer(ways: readonly Way[], description: string): Promise<Standing>;
  /** Has the password on record beside the one that works, before the BMC has it. */
  prepare(user: string, password: string): Promise<void>;
  prove(way: Way, user: string, password: string): Promise<Proof>;
}

/** Milliseconds for a call in which the server logs in at a BMC, perhaps at several addresses, each of which may be silent. */
const LOGIN = 120_000;
const CALL = 30_000;

export interface BmcServerOptions {
  readonly transport: Transport;
  /** Of this boot; "" for the caller's. */
  readonly boot: string;
  /** UUID or Server name. */
  readonly uuid: string;
  /** The order it answers; "" for registration's. */
  readonly order: string;
  readonly signal: AbortSignal;
}

export function createBmcServer({ transport, boot, uuid, order, signal }: BmcServerOptions): BmcServer {
  const machine = createClient(Machine, transport);
  const agent = createClient(Agent, transport);
  return {
    async offer(ways, description) {
      const addresses = ways.map(({ address, port, channel }) => ({ ip: address, port, channel }));
      const offered = await machine.offerBmc({ boot, order, addresses, description }, { timeoutMs: LOGIN, signal });
      return { state: STATES[offered.standing] ?? "none", user: offered.user, detail: offered.detail };
    },
    prepare: async (user, pass) => void (await machine.prepareBmc({ boot, order, user, pass }, { timeoutMs: CALL, signal })),
    async prove({ address, port }, user, pass) {
      try {
        await agent.updateBMCInfo({ uuid, bmcInfo: { ip: address, port, user, pass } }, { timeoutMs: LOGIN, signal });
        return { state: "proven", detail: "" };
      } catch (reason) {
        const error = ConnectError.from(reason);
        const [refusal] = error.findDetails(BmcRefusalSchema);
        if (refusal?.reason === BmcRefusal_Reason.DENIED) return { state: "denied", detail: error.rawMessage };
        if (refusal?.reason === BmcRefusal_Reason.UNREACHABLE) return { state: "unreachable", detail: error.rawMessage };
        throw error;
      }
    },
  };
}

/** Upstream's server takes what it is told (sidero.md §5.2), and asks only where nothing is on record. */
export function createUpstreamBmcServer({ transport, uuid, signal }: Omit<BmcServerOptions, "boot" | "order">): BmcServer {
  const agent = createClient(Agent, transport);
  return {
    offer: async () => ({ state: "none", user: "", detail: "" }),
    prepare: async () => {},
    async prove({ address, port }, user, pass) {
      await agent.updateBMCInfo({ uuid, bmcInfo: { ip: address, port, user, pass } }, { timeoutMs: CALL, signal });
      return { state: "proven", detail: "" };
    },
  };
}

/** Whether calling again cannot help: this set-up is not wanted, or this machine may not. */
export function isFinal(error: unknown): boolean {
  return error instanceof ConnectError && FINAL.has(error.code);
}

const FINAL = new Set([Code.FailedPrecondition, Code.PermissionDenied, Code.InvalidArgument, Code.Unimplemented, Code.NotFound]);

const STATES: Readonly<Record<number, Standing["state"]>> = {
  [BmcStanding.NONE]: "none",
  [BmcStanding.WORKS]: "works",
  [BmcStanding.DENIED]: "denied",
  [BmcStanding.UNREACHABLE]: "unreachable",
};
