/** The messages of a gRPC stream (PROTOCOL-HTTP2 of gRPC): each behind a byte that says whether it is compressed, and its length in four. */
import { concat } from "#std/bytes.ts";
import { rpcFault } from "./unary.ts";

const ENVELOPE = 5;

/** Throws Fault `link.refused` for a message that is compressed or longer than `longest` bytes, before it is kept. What the stream breaks off in is left out. */
export async function* messagesOf(pieces: AsyncIterable<Uint8Array>, longest: number): AsyncGenerator<Uint8Array, void> {
  let rest = new Uint8Array(0);
  for await (const piece of pieces) {
    const bytes = rest.length === 0 ? piece : concat([rest, piece]);
    let at = 0;
    while (bytes.length - at >= ENVELOPE) {
      const length = new DataView(bytes.buffer, bytes.byteOffset + at).getUint32(1);
      if (bytes[at] !== 0) throw rpcFault("unimplemented", "messages are taken uncompressed only");
      if (length > longest) throw rpcFault("invalid_argument", `a message of ${length} bytes is too long`);
      if (bytes.length - at < ENVELOPE + length) break;
      yield bytes.slice(at + ENVELOPE, at + ENVELOPE + length);
      at += ENVELOPE + length;
    }
    rest = bytes.slice(at);
  }
}

export function enveloped(message: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(ENVELOPE + message.length);
  new DataView(bytes.buffer).setUint32(1, message.length);
  bytes.set(message, ENVELOPE);
  return bytes;
}
