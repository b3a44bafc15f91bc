/** A command as a pair: what is asked as a request, and the answer as a value. */
import { completionFault } from "./completion.ts";
import type { CompletionTexts } from "./completion.ts";
import { COMPLETION } from "./constants.ts";
import type { IpmiChannel, IpmiRequest, IpmiResponse } from "./packet.ts";
import { Reader } from "./reader.ts";

export interface Command<Question, Answer> {
  /** For people: `Get Device ID`. */
  readonly name: string;
  encode(question: Question): IpmiRequest;
  /** Throws the Faults of {@link completionFault}, and `ipmi.malformed` for an answer that is none. */
  decode(response: IpmiResponse): Answer;
}

interface Description<Question, Answer> {
  readonly name: string;
  readonly netFn: number;
  readonly command: number;
  readonly ask: (question: Question) => Iterable<number>;
  readonly read: (reader: Reader) => Answer;
  readonly completions?: CompletionTexts;
}

export function command<Question, Answer>({
  name,
  netFn,
  command: code,
  ask,
  read,
  completions,
}: Description<Question, Answer>): Command<Question, Answer> {
  return {
    name,
    encode: (question) => ({ netFn, command: code, data: Uint8Array.from(ask(question)) }),
    decode: ({ completion, data }) => {
      if (completion !== COMPLETION.ok) throw completionFault(name, completion, completions);
      return read(new Reader(data, name));
    },
  };
}

/** Of a command that has nothing to ask. */
export const nothing = (): readonly number[] => [];
/** Of one whose answer is that it was done. */
export const done = (): void => {};

/** Asks over a channel. Rejects as {@link IpmiChannel.request} does and {@link Command.decode} throws. */
export async function call<Question, Answer>(
  channel: IpmiChannel,
  about: Command<Question, Answer>,
  question: Question,
  signal?: AbortSignal,
): Promise<Answer> {
  return about.decode(await channel.request(about.encode(question), signal));
}
