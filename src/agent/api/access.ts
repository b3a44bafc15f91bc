/** Who may call: machines that show the token of their boot script, from where they asked for it (DESIGN §4.7). */
import { claimProblem, isAddressOf } from "#decide/identity/claim.ts";
import type { MachineFacts } from "#decide/identity/machine.ts";
import { decodeToken } from "#decide/identity/token.ts";
import type { BootToken } from "#decide/identity/token.ts";
import type { Clock } from "#io/clock.ts";
import type { Log } from "#io/log.ts";
import type { Seal } from "#io/seal.ts";
import { Fault } from "#std/fault.ts";
import type { Caller } from "./boots.ts";
import { refusal } from "./faults.ts";

/** How often the log says that anybody may call, in milliseconds. */
const WARN_EVERY = 60_000;

export interface AccessOptions {
  readonly seal: Seal;
  /** `open`: calls without a token, or with one that is no good, are taken as well. Upstream's agent has none. */
  readonly access: "token" | "open";
  readonly clock: Clock;
  readonly log: Log;
  /** Hardware address of a neighbour; undefined when the kernel knows of none. */
  readonly neighbour: (address: string) => Promise<string | undefined>;
  /** Addresses of all interfaces that the token's machine is known to have. */
  readonly macsOf: (token: BootToken) => readonly string[];
}

/** Who is calling; rejects with Fault `agent.unauthenticated`, `decide.token` or `agent.denied`. */
export type Admit = (authorization: string | undefined, address: string) => Promise<Caller>;

export function createAccess({ seal, access, clock, log, neighbour, macsOf }: AccessOptions): Admit {
  let warned = Number.NEGATIVE_INFINITY;

  function warn(address: string): void {
    if (clock.monotonic() - warned < WARN_EVERY) return;
    warned = clock.monotonic();
    log.warn("agent access is open: anyone who reaches this port may register machines (--agent-access)", { address });
  }

  async function withToken(authorization: string | undefined, address: string): Promise<Caller> {
    const text = /^Bearer ([^ ]+)$/i.exec(authorization ?? "")?.[1];
    if (text === undefined) throw refusal("agent.unauthenticated", "the call carries no boot token");
    const token = decodeToken(text, seal, clock.now());
    if (isAddressOf(token, address)) return { address, token };
    // Another address of the same machine: iPXE and Linux need not get the same one from DHCP.
    const mac = await neighbour(address);
    if (mac !== undefined && (mac === token.mac || macsOf(token).includes(mac))) return { address, token };
    const whose = mac === undefined ? "an unknown neighbour" : mac;
    const message = `the token was issued to ${token.address} and came from ${address} (${whose})`;
    throw refusal("agent.denied", message, { uuid: token.uuid, mac: token.mac });
  }

  return async (authorization, address) => {
    if (access === "token") return withToken(authorization, address);
    try {
      return await withToken(authorization, address);
    } catch (error) {
      if (Fault.from(error).fault !== "peer") throw error;
      warn(address);
      return { address };
    }
  };
}

/** Fault `agent.denied` when a machine claims to be another than the one its token was issued to. */
export function checkClaims({ token }: Caller, facts: MachineFacts): void {
  const problem = token && claimProblem(token, facts);
  if (problem !== undefined) throw refusal("agent.denied", problem);
}
