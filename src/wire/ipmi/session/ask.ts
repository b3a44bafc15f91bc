/** Steps of a conversation as data: who carries them out has the socket and the clock. */
import type { Duration } from "#std/duration.ts";
import type { IpmiRequest, IpmiResponse } from "../packet.ts";
import { BMC_ADDRESS, decodeMessage, encodeMessage, REMOTE_ADDRESS } from "./message.ts";
import { decode15, encode15 } from "./packet15.ts";
import { decode20, encode20 } from "./packet20.ts";
import { silence } from "./refusal.ts";
import { tolerant } from "./session.ts";

export interface Ask<T> {
  /** For people: what is being asked. */
  readonly name: string;
  /** A datagram; called once for each attempt. */
  readonly send: () => Uint8Array;
  /** What a datagram that came says; undefined: it is not the answer. */
  readonly read: (datagram: Uint8Array) => T | undefined;
  /** How long to wait after each attempt. */
  readonly waits: readonly Duration[];
}

/** A conversation: yields what to ask, is given what was answered, or undefined for silence; returns what came of it. */
export type Steps<T> = Generator<Ask<unknown>, T, unknown>;

/** Where one datagram in a hundred is lost, one question in six million stays without an answer. */
export const PATIENT: readonly Duration[] = [500, 1000, 2000, 4000];

export function* ask<T>(question: Ask<T>): Generator<Ask<unknown>, T | undefined, unknown> {
  return (yield question) as T | undefined;
}

/** The same, for what has to be answered. Throws Fault `ipmi.unreachable` (world, soon). */
export function* insist<T>(question: Ask<T>): Generator<Ask<unknown>, T, unknown> {
  const answer = yield* ask(question);
  if (answer === undefined) throw silence(question.name);
  return answer;
}

/** A command for the BMC as the payload of a packet. `sequence`: six bits that its answer will have. */
export function encodeCommand({ netFn, lun = 0, command, data }: IpmiRequest, sequence: number): Uint8Array {
  return encodeMessage({ to: BMC_ADDRESS, toLun: lun, netFn, from: REMOTE_ADDRESS, fromLun: 0, sequence, command, data });
}

/** The answer to the command with that number; undefined for another one's, and for what is none. */
export function decodeAnswer(payload: Uint8Array, { netFn, command }: IpmiRequest, sequence: number): IpmiResponse | undefined {
  const message = tolerant(() => decodeMessage(payload));
  if (message === undefined || message.netFn !== (netFn | 1)) return undefined;
  if (message.command !== command || message.sequence !== sequence) return undefined;
  const [completion] = message.data;
  return completion === undefined ? undefined : { completion, data: message.data.subarray(1) };
}

/** A command outside of any session (IPMI 2.0 §13.6). */
export function plain(name: string, request: IpmiRequest, sequence: number, waits: readonly Duration[]): Ask<IpmiResponse> {
  const payload = encodeCommand(request, sequence);
  return {
    name,
    waits,
    send: () => encode15({ type: 0, sequence: 0, session: 0, code: new Uint8Array(), payload }),
    read: (datagram) => {
      const packet = tolerant(() => decode15(datagram));
      return packet?.session === 0 ? decodeAnswer(packet.payload, request, sequence) : undefined;
    },
  };
}

/** A message that begins an IPMI 2.0 session. `read` gives undefined for what is not meant. */
export function opening<T>(
  name: string,
  type: number,
  payload: Uint8Array,
  read: (payload: Uint8Array) => T | undefined,
): Ask<T> {
  const bytes = encode20({ type, isEncrypted: false, isAuthenticated: false, session: 0, sequence: 0, payload });
  return {
    name,
    waits: PATIENT,
    send: () => bytes,
    read: (datagram) =>
      tolerant(() => {
        const packet = decode20(datagram);
        // The answers have the next odd numbers (PAYLOAD).
        return packet.type === type + 1 && packet.session === 0 ? read(packet.payload) : undefined;
      }),
  };
}
