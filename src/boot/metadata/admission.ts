/**
 * Who gets a machine's configuration: the boot that Sidero ordered and whose script carried the token, from an address of that machine, while it is installing
 * (DESIGN §4.7). Everything is looked up as it is now.
 */
import { isAddressOf } from "#decide/identity/claim.ts";
import { decodeToken, type BootToken, type Seal } from "#decide/identity/token.ts";
import { ownershipProblem, type Presence } from "#decide/boot/entitlement.ts";
import { bootOrderOf } from "#decide/boot/order.ts";
import type { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import { equal } from "#std/json.ts";
import { Fault } from "#std/fault.ts";
import { parseUuid, swapUuid } from "#std/uuid.ts";
import { noConfig } from "./fault.ts";

/** The token that is shown; `uuid`: whose configuration is asked for, where that is said as well. Throws Fault `boot.config`. */
export function readToken(text: string | undefined, seal: Seal, now: number, uuid: string | undefined): BootToken {
  if (text === undefined)
    throw noConfig(403, "token", "the URL has no boot token: a configuration goes to boots that Sidero has ordered");
  let token: BootToken;
  try {
    token = decodeToken(text, seal, now, "config");
  } catch (error) {
    throw noConfig(403, "token", Fault.from(error).message, error);
  }
  if (uuid !== undefined && !isSameUuid(token.uuid, uuid)) throw noConfig(403, "token", "the token is another machine's");
  return token;
}

/** Talos reads the UUID in the order of its SMBIOS version; iPXE before 2012 did not. */
function isSameUuid(own: string | undefined, asked: string): boolean {
  const [a, b] = [parseUuid(own ?? ""), parseUuid(asked)];
  return a !== undefined && b !== undefined && [[...b], [...swapUuid(b)]].some((bytes) => equal([...a], bytes));
}

export interface Claim {
  readonly token: BootToken;
  readonly server: Server;
  readonly binding: ServerBinding;
  readonly presence: Presence;
  /** Milliseconds that a token counts. */
  readonly lifetime: number;
}

/** Throws Fault `boot.config` when the boot may not have the configuration (any more). */
export function checkClaim({ token, server, binding, presence, lifetime }: Claim): void {
  const refuse = (reason: "presence" | "over" | "intruder", why: string): never => {
    throw noConfig(403, reason, why);
  };
  const problem = ownershipProblem(server, presence);
  if (problem !== undefined) refuse("presence", problem.because);
  // Where nobody sees whose an address is, it must at least be the one that asked for the script.
  if (presence.mac === undefined && !isAddressOf(token, presence.address))
    refuse("presence", `the token was issued to ${token.address}`);
  if (binding.metadata.uid !== token.binding)
    refuse("over", "the machine is held by another ServerBinding than the token was made for");
  if (binding.metadata.deletionTimestamp !== undefined) refuse("over", "its ServerBinding is being deleted");
  if (server.spec?.accepted !== true) refuse("over", "the Server is not accepted");
  if (isInstalled(binding)) refuse("over", "the machine is installed: its configuration is not sent any more");
  const { configuration, intruder } = binding.status ?? {};
  const order = bootOrderOf(server, binding);
  // Whole seconds, rounded up: never before the order that it was made for.
  const issued = token.expires - lifetime;
  if (order !== undefined && issued < order.at)
    refuse("over", "the token is of an earlier boot: the machine has been ordered to boot anew");
  if (
    configuration !== undefined &&
    configuration.boot !== token.boot &&
    (order === undefined || configuration.order === order.id)
  )
    refuse("over", `the configuration has gone to boot ${configuration.boot}`);
  if (intruder !== undefined && intruder.order === order?.id)
    refuse("intruder", `${intruder.address} asked as this machine while it was to boot: this boot gets no configuration`);
}

export function isInstalled({ status }: ServerBinding): boolean {
  return status?.conditions?.some((condition) => condition.type === "TalosInstalled" && condition.status === "True") === true;
}
