/** gRPC's unary calls over our own door (PROTOCOL-HTTP2 of gRPC): one message in, one out, the status in trailers. SideroLink has no more of it. */
import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Fault } from "#std/fault.ts";
import type { Handler, Incoming, Outgoing } from "#io/serve.ts";

/** Of google.rpc.Code, those that are used here. */
const CODES = {
  invalid_argument: 3,
  not_found: 5,
  permission_denied: 7,
  resource_exhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
} as const;
export type RpcCode = keyof typeof CODES;

/** A machine's message is some hundred bytes; an event may quote an error at length. */
const MOST_BYTES = 64 * 1024;
const ENVELOPE = 5;
const HEADERS = { "content-type": "application/grpc" };

export interface UnaryMethod<I extends DescMessage, O extends DescMessage> {
  readonly input: I;
  readonly output: O;
  run(request: MessageShape<I>, incoming: Incoming): Promise<MessageInitShape<O>>;
}

/** What is thrown for an answer that is no message. */
export function rpcFault(code: RpcCode, message: string, cause?: unknown): Fault {
  return new Fault("link.refused", message, { fault: "peer", retry: "later", cause, facts: { rpc: code } });
}

export function unary<I extends DescMessage, O extends DescMessage>(
  { input, output, run }: UnaryMethod<I, O>,
  failed: (fault: Fault, incoming: Incoming) => void,
): Handler {
  return async (incoming) => {
    try {
      const request = decoded(input, await incoming.body(MOST_BYTES + ENVELOPE));
      const answer = await run(request, incoming);
      return answered(Buffer.from(toBinary(output, create(output, answer))));
    } catch (error) {
      const fault = Fault.from(error);
      failed(fault, incoming);
      return refusal(fault);
    }
  };
}

export function unimplemented(): Outgoing {
  return refusal(rpcFault("unimplemented", "no such procedure"));
}

/** The decoder throws errors of its own. */
function decoded<I extends DescMessage>(input: I, body: Buffer): MessageShape<I> {
  const message = messageIn(body);
  try {
    return fromBinary(input, message);
  } catch (error) {
    throw rpcFault("invalid_argument", "the message is malformed", error);
  }
}

function messageIn(body: Buffer): Uint8Array {
  const isWhole = body.length >= ENVELOPE && body[0] === 0 && body.readUInt32BE(1) === body.length - ENVELOPE;
  if (!isWhole) throw rpcFault("invalid_argument", "the request does not hold one whole message");
  return body.subarray(ENVELOPE);
}

function answered(message: Buffer): Outgoing {
  const envelope = Buffer.alloc(ENVELOPE);
  envelope.writeUInt32BE(message.length, 1);
  return {
    status: 200,
    headers: HEADERS,
    body: {
      open(sink) {
        sink.write(Buffer.concat([envelope, message]));
        sink.end({ "grpc-status": "0" });
      },
    },
  };
}

/** A response of trailers only. */
export function refusal(fault: Fault): Outgoing {
  return { status: 200, headers: { ...HEADERS, ...trailersOf(fault) }, body: [] };
}

/** How a call has ended; undefined: well. What went wrong here is nobody's business there. */
export function trailersOf(fault: Fault | undefined): Record<string, string> {
  if (fault === undefined) return { "grpc-status": "0" };
  const code = fault.facts["rpc"] as RpcCode | undefined;
  const message = code === undefined ? "try again" : fault.message;
  return {
    "grpc-status": String(CODES[code ?? "unavailable"]),
    "grpc-message": encodeURIComponent(message).replaceAll("%20", " "),
  };
}
