/** Where a machine belongs when nothing goes wrong any more. */
import type { SimMachine } from "../machine/machine.ts";
import type { Ledger } from "./ledger.ts";

/** What is not yet as it should be; undefined: it is at rest, or waits for a person and says so. */
export function restless(machine: SimMachine, ledger: Ledger): string | undefined {
  const { uuid, serial, model } = machine.identity;
  const server = ledger.servers.get(uuid);
  const is = (what: string): string => `${serial} (${model.bmc}): ${what}; its screen shows: ${machine.screen}`;
  if (server === undefined) return is("there is no Server");
  const { phase = "without a phase", waiting, isClean } = server.status ?? {};
  const reason = waiting === undefined ? "" : `, waiting for ${waiting.waitingFor} (${waiting.reason})`;
  const state = `${phase}${reason}`;
  if (server.spec?.accepted !== true && phase === "Discovered") return undefined;
  // Somebody's job, and it is said whose.
  if ((waiting?.remedy ?? "") !== "") return undefined;
  if (server.spec?.accepted !== true) return is(`${state}, and it is not accepted`);
  if (ledger.bindings.has(uuid)) {
    return machine.screen === "environment" || machine.screen === "system"
      ? undefined
      : is(`${state}, and it is held by somebody`);
  }
  // Without a BMC nobody can tell a machine that hangs from one that is off.
  const isUnreachable = server.spec.bmc === undefined && server.spec.managementApi === undefined;
  const mayRest = machine.power === "off" || isUnreachable;
  return isClean === true && phase === "Available" && mayRest
    ? undefined
    : is(`${state}, clean: ${isClean === true}, power ${machine.power}`);
}
