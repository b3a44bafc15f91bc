import { encodeMessage } from "#wire/ipmi/session/message.ts";
import type { Message } from "#wire/ipmi/session/message.ts";

/** The answer to a command. `data`: the completion code and what follows. */
export function replyTo({ to, toLun, from, fromLun, netFn, sequence, command }: Message, data: readonly number[]): Uint8Array {
  return encodeMessage({
    to: from,
    toLun: fromLun,
    netFn: netFn | 1,
    from: to,
    fromLun: toLun,
    sequence,
    command,
    data: Uint8Array.from(data),
  });
}
