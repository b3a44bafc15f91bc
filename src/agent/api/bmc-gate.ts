/**
 * Who may say where a machine's BMC is and how to log in there: the machine itself, in the boot that was asked to, from one of its own interfaces. Upstream
 * took it from anybody for any Server (sidero.md Q2), which handed over the power of machines in use.
 */
import { unwantedBecause } from "#decide/registration/bmc.ts";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import type { Log } from "#io/log.ts";
import type { Fault } from "#std/fault.ts";
import type { AccessOptions } from "./access.ts";
import type { Boot } from "./boots.ts";
import { refusal } from "./faults.ts";
import { macsOf } from "#decide/boot/entitlement.ts";
import type { Registry } from "./registry.ts";

export interface BmcGateOptions {
  readonly registry: Registry;
  readonly neighbour: AccessOptions["neighbour"];
  readonly log: Log;
  /** Called with the Fault's code of each call that was refused. */
  readonly onRefused: (code: string) => void;
}

export interface BmcGate {
  /** Rejects with Fault `agent.not-wanted`, `agent.not-ordered` or `agent.denied`; then it is counted, and an event on the Server. */
  check(server: Server, boot: Boot): Promise<void>;
}

export function createBmcGate({ registry, neighbour, log, onRefused }: BmcGateOptions): BmcGate {
  async function problemOf(server: Server, boot: Boot): Promise<Fault | undefined> {
    const { address, token } = boot.caller;
    const problem = unwantedBecause(server);
    if (problem !== undefined) return refusal("agent.not-wanted", problem);
    if (boot.bmcAsked.size === 0) return refusal("agent.not-ordered", "nobody asked this boot to set its BMC up");
    // The token says which machine was meant; who holds it now, only the network can tell.
    const mac = (await neighbour(address))?.toLowerCase();
    if (mac === undefined) return refusal("agent.denied", `nobody on this network is seen to have the address ${address}`);
    if (!macsOf(server).includes(mac))
      return refusal("agent.denied", `${address} belongs to ${mac}, which is none of the Server's`);
    if (token === undefined) {
      log.warn("a BMC is set up by a machine without a boot token (--agent-access open): its address is all it proves", {
        server: server.metadata.name,
        address,
        mac,
      });
    }
    return undefined;
  }

  return {
    async check(server, boot) {
      const problem = await problemOf(server, boot);
      if (problem === undefined) return;
      onRefused(problem.code);
      registry.event(server, "Warning", "BMC Update", `BMC set-up from ${boot.caller.address} was refused: ${problem.message}`);
      throw problem;
    },
  };
}
