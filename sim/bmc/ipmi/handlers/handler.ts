/** One command of a simulated BMC. */
import type { SimulatedIpmi } from "../bmc.ts";
import type { OpenSession } from "../sessions.ts";

/** Who asks. */
export interface Caller {
  readonly bmc: SimulatedIpmi;
  /** Undefined: outside of a session, or from inside the machine. */
  readonly session: OpenSession | undefined;
  /** As in PRIVILEGE; 0 without a session. */
  readonly privilege: number;
  /** The one it came by. */
  readonly channel: number;
}

/** Data after a completion code of 0. */
export type Answer = Iterable<number>;

export interface Handler {
  /** The least privilege (IPMI 2.0, Appendix G); 0: nobody has to be known. */
  readonly level: number;
  /** Bytes that the request has at least. */
  readonly least?: number;
  /** Throws {@link Refusal}. */
  readonly handle: (data: Uint8Array, caller: Caller) => Answer;
}

/** By command, of one network function. */
export type Handlers = Readonly<Record<number, Handler>>;

/** A completion code other than 0. */
export class Refusal extends Error {
  readonly completion: number;

  constructor(completion: number) {
    super(`completion code 0x${completion.toString(16)}`);
    this.completion = completion;
  }
}

/** The network, and the machine itself. */
export const CHANNEL = { lan: 1, system: 0x0f } as const;

/** What `channel` of a request stands for; refuses those that are not there. */
export function channelOf(byte: number, caller: Caller): number {
  const number = byte & 0x0f;
  const channel = number === 0x0e ? caller.channel : number;
  if (channel !== CHANNEL.lan && channel !== CHANNEL.system) throw new Refusal(0xcc);
  return channel;
}
