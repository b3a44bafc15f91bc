/** gRPC, gRPC-Web and Connect over our own door: connect's universal handlers on one side, a Handler on the other. */
import type { DescMessage } from "@bufbuild/protobuf";
import { createContextKey, createContextValues } from "@connectrpc/connect";
import type { ConnectRouter, ContextValues } from "@connectrpc/connect";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import { Fault } from "#std/fault.ts";
import type { Handler, Incoming, Outgoing, Sink } from "#io/serve.ts";
import { checkForm } from "./form.ts";
import type { Intake } from "./intake.ts";

/** Bytes of one message, compressed or not; upstream's servers take 4 MiB, a machine of 8 sockets says 100 KB. */
export const MOST_BYTES = 1024 * 1024;
/** JSON cannot be looked at before it is parsed; nobody but a person with curl sends it. */
const MOST_JSON = 64 * 1024;
const ENVELOPE = 5;

/** What the transport knows of a call, for whoever answers it. */
export const CALL = createContextKey<Call>(
  { address: "", signal: AbortSignal.abort() },
  { description: "what the transport knows" },
);

export interface Call {
  readonly address: string;
  /** The request's own: its reason tells a client that went away from a listener that closes. */
  readonly signal: AbortSignal;
  /** Why the request cannot be answered, found out before it was decoded. */
  readonly problem?: Fault;
}

/** Answers the router's procedures; 404 for everything else. */
export function createRpcHandler(router: ConnectRouter, intake: Intake): Handler {
  const procedures = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
  return async (incoming) => {
    const path = incoming.target.replace(/\?.*$/s, "");
    const procedure = procedures.get(path);
    if (procedure === undefined) return unknownProcedure(incoming);
    const { body, values } = await received(incoming, procedure.method.input, intake);
    const answer = await procedure({
      // None of our methods streams both ways, so that the version makes no difference.
      httpVersion: "2",
      url: `http://sidero${path}`,
      method: incoming.method,
      header: headersOf(incoming),
      body: (async function* () {
        yield body;
      })(),
      signal: incoming.signal,
      contextValues: values,
    });
    return outgoing(answer, incoming.signal);
  };
}

/** The whole body and what is wrong with it; then it is empty. */
async function received(
  incoming: Incoming,
  input: DescMessage,
  intake: Intake,
): Promise<{ body: Buffer; values: ContextValues }> {
  const call = { address: incoming.peer.address, signal: incoming.signal };
  const type = incoming.headers["content-type"] ?? "";
  try {
    const body = await intake.body(incoming, type.includes("json") ? MOST_JSON : MOST_BYTES + ENVELOPE);
    const message = type.startsWith("application/grpc") ? enveloped(body) : body;
    if (!type.includes("json")) checkForm(input, message);
    return { body, values: createContextValues().set(CALL, call) };
  } catch (error) {
    return { body: Buffer.alloc(0), values: createContextValues().set(CALL, { ...call, problem: Fault.from(error) }) };
  }
}

/** The one message of a request: a byte of flags, its length in four, the message. */
function enveloped(body: Buffer): Buffer {
  const message = body.subarray(ENVELOPE);
  if (body.length < ENVELOPE || body.readUInt32BE(1) !== message.length) {
    throw new Fault("agent.malformed", "the request does not hold one whole message", { fault: "peer", retry: "never" });
  }
  // Compressed or whatever else its first byte says: no such thing is offered, and connect refuses it.
  return body[0] === 0 ? message : Buffer.alloc(0);
}

function headersOf(incoming: Incoming): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined && !name.startsWith(":")) headers.set(name, value);
  }
  return headers;
}

function outgoing(answer: UniversalServerResponse, signal: AbortSignal): Outgoing {
  const { status, header, body, trailer } = answer;
  const trailers = (): Record<string, string> => Object.fromEntries(trailer ?? []);
  return {
    status,
    headers: Object.fromEntries(header ?? []),
    body: {
      open(sink) {
        const end = (): void => sink.end(trailers());
        pump(body, sink, signal).then(end, end);
      },
    },
  };
}

/** Ends when the messages do or the client goes away. Should they fail, the trailers lack a status, and clients see that. */
async function pump(body: AsyncIterable<Uint8Array> | undefined, sink: Sink, signal: AbortSignal): Promise<void> {
  for await (const bytes of body ?? []) {
    sink.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    if (sink.full) await drained(sink, signal);
    if (signal.aborted) return;
  }
}

function drained(sink: Sink, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    sink.onDrain(resolve);
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** gRPC's "unimplemented" (12) travels in a header; other clients understand 404. */
function unknownProcedure(incoming: Incoming): Outgoing {
  const type = incoming.headers["content-type"] ?? "";
  if (!type.startsWith("application/grpc")) return { status: 404, headers: {}, body: [] };
  const headers = { "content-type": type, "grpc-status": "12", "grpc-message": "no such procedure" };
  return { status: 200, headers, body: [] };
}
