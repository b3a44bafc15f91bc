/** The agent API: what machines in the agent call. */
import { createConnectRouter } from "@connectrpc/connect";
import type { Inventory } from "#decide/boot/asker.ts";
import { machineOf } from "#decide/identity/machine.ts";
import type { Digest } from "#decide/identity/machine.ts";
import type { BootToken } from "#decide/identity/token.ts";
import type { Witness } from "#decide/sighting.ts";
import type { Clock } from "#io/clock.ts";
import type { Entropy } from "#io/entropy.ts";
import type { Log } from "#io/log.ts";
import type { Seal } from "#io/seal.ts";
import type { Signer } from "#io/sign.ts";
import type { Handler } from "#io/serve.ts";
import { Agent } from "#proto/api_pb.js";
import { Machine } from "#proto/sidero/agent/v1/machine_pb.js";
import { createAccess } from "./access.ts";
import type { AccessOptions } from "./access.ts";
import { createAgentCalls } from "./agent-calls.ts";
import { createBmcGate } from "./bmc-gate.ts";
import { createBmcHealer } from "./bmc-healer.ts";
import type { ProveBmc } from "./bmc-prover.ts";
import { BmcRecords } from "./bmc-record.ts";
import { createBmcAccounts } from "./bmc.ts";
import type { AgentSettings } from "./agent-calls.ts";
import { Boots } from "./boots.ts";
import { createGuard } from "./guard.ts";
import { Intake } from "./intake.ts";
import { createAgentLogs } from "./logs.ts";
import type { AgentLogs } from "./logs.ts";
import { createMachineCalls } from "./machine-calls.ts";
import { createPresence } from "./presence.ts";
import { createOrders } from "./orders.ts";
import type { Orders } from "./orders.ts";
import type { Registry } from "./registry.ts";
import { MOST_BYTES, createRpcHandler } from "./rpc.ts";
import { createWipeOrders } from "./wipe-orders.ts";

export interface AgentApiOptions {
  readonly seal: Seal;
  /** Who may call: machines with the token of their boot script, or anyone. */
  readonly access: "token" | "open";
  readonly registry: Registry;
  readonly inventory: Inventory;
  readonly neighbour: AccessOptions["neighbour"];
  readonly digest: Digest;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
  readonly witness: Witness;
  readonly settings: AgentSettings;
  /** Who else gives orders has made them; default: nobody does. */
  readonly orders?: Orders;
  /** Signs erase records. */
  readonly signer?: Signer;
  /** Logs in at a BMC; absent: no machine is asked to set one up. */
  readonly proveBmc?: ProveBmc;
  /** Called with the code of each call about a BMC that was refused, to be counted. */
  readonly onBmcRefused?: (code: string) => void;
}

export interface AgentApi {
  /**
   * Serves `api.Agent` and `sidero.agent.v1.Machine` as gRPC, gRPC-Web and Connect, each at its path. Streams end with the request's signal:
   * there is nothing to close.
   */
  readonly handler: Handler;
  readonly orders: Pick<Orders, "connected" | "send" | "status">;
  /** Tries the passwords of BMCs that were being changed when an earlier process ended. Never rejects. */
  readonly healBmcs: () => Promise<void>;
  /** What a machine's agent has logged, oldest first; by the name of its Server. */
  readonly logsOf: AgentLogs["logsOf"];
}

export function createAgentHandler(options: AgentApiOptions): AgentApi {
  const { seal, access, registry, inventory, neighbour, digest, clock, entropy, log, witness, settings, signer } = options;
  const boots = new Boots(() => entropy.uuid());
  const logs = createAgentLogs();
  const orders = options.orders ?? createOrders({ clock, entropy });

  const macsOf = ({ uuid, mac, serial }: BootToken): string[] => {
    const machine = machineOf({ uuid, serial, macs: mac === undefined ? [] : [mac] }, inventory, digest);
    const interfaces = machine?.server?.spec?.hardware?.network?.interfaces ?? [];
    return interfaces.flatMap(({ mac: each = "" }) => each);
  };
  const admit = createAccess({ seal, access, clock, log, neighbour, macsOf });
  const guard = createGuard({ admit, boots, clock, log, witness, isReady: () => inventory.isComplete });

  const presence = createPresence({ identity: settings.identity ?? "neighbour", neighbour, registry, log });
  const gate = createBmcGate({ registry, neighbour, log, onRefused: options.onBmcRefused ?? (() => {}) });
  const records = new BmcRecords(registry, settings.bmcSecretNamespace ?? "default");
  const { proveBmc: prove } = options;
  const onPending = (server: string): void => healer?.watch(server);
  const accounts = prove && createBmcAccounts({ registry, records, gate, prove, clock, onPending });
  const healer = accounts && createBmcHealer({ registry, accounts, namespace: records.namespace, clock, log });
  const { insecureWipe, ordersSince } = settings;
  const wipes = createWipeOrders({ registry, clock, insecureWipe, ordersSince, ...(signer && { signer }) });
  const router = createConnectRouter({ readMaxBytes: MOST_BYTES, acceptCompression: [], requestGate: guard.gate })
    .service(Agent, createAgentCalls({ registry, inventory, digest, clock, guard, logs, settings, wipes, presence, accounts }))
    .service(
      Machine,
      createMachineCalls({
        inventory,
        digest,
        seal,
        clock,
        guard,
        boots,
        logs,
        orders,
        wipes,
        presence,
        insecureWipe,
        registry,
        accounts,
      }),
    );
  return {
    handler: createRpcHandler(router, new Intake(clock)),
    orders,
    healBmcs: async () => await healer?.start(),
    logsOf: logs.logsOf,
  };
}
