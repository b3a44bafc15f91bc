/** From the envelope of the event sink to the event that `decide/link` knows. */
import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { fromBinary } from "@bufbuild/protobuf";
import type { LinkEvent } from "#decide/link/event.ts";
import { Code } from "#proto/siderolink/error_pb.js";
import * as machine from "#proto/siderolink/machine_events_pb.js";

/** google.protobuf.Any; what counts of the URL is behind its last slash. */
export interface Envelope {
  readonly typeUrl: string;
  readonly value: Uint8Array;
}

const MOST_ADDRESSES = 256;
const LONGEST_NAME = 256;
const LONGEST_TEXT = 4096;

const STEP = ["start", "stop"] as const;
const SEQUENCE = ["noop", "start", "stop"] as const;
const CODES = { [Code.FATAL]: "fatal", [Code.LOCKED]: "locked", [Code.CANCELED]: "canceled" } as const;

type Reader = (bytes: Uint8Array) => LinkEvent | undefined;

/** Undefined when a value is one of a Talos that is newer than this. */
const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  reader(machine.AddressEventSchema, ({ hostname, addresses }) => ({
    type: "address",
    hostname: name(hostname),
    addresses: addresses.slice(0, MOST_ADDRESSES).map(name),
  })),
  reader(machine.ConfigValidationErrorEventSchema, ({ error }) => ({ type: "config-validation-error", error: text(error) })),
  reader(machine.ConfigLoadErrorEventSchema, ({ error }) => ({ type: "config-load-error", error: text(error) })),
  reader(machine.PhaseEventSchema, ({ phase, action }) => {
    const step = STEP[action];
    return step && { type: "phase", phase: name(phase), action: step };
  }),
  reader(machine.TaskEventSchema, ({ task, action }) => {
    const step = STEP[action];
    return step && { type: "task", task: name(task), action: step };
  }),
  reader(machine.ServiceStateEventSchema, ({ service, action, message }) => {
    const state: string | undefined = machine.ServiceStateEvent_Action[action];
    return state === undefined
      ? undefined
      : { type: "service", service: name(service), action: state.toLowerCase(), message: text(message) };
  }),
  reader(machine.SequenceEventSchema, ({ sequence, action, error }) => {
    const step = SEQUENCE[action];
    const code = error && CODES[error.code];
    if (step === undefined || (error !== undefined && code === undefined)) return undefined;
    const failure = error && code ? { error: { code, message: text(error.message) } } : {};
    return { type: "sequence", sequence: name(sequence), action: step, ...failure };
  }),
]);

/**
 * Never throws: what is malformed is `unknown` as what nobody knows is. A sink that refused it would be sent it again for ever, and nothing
 * that came after.
 */
export function readEvent({ typeUrl, value }: Envelope): LinkEvent {
  const type = typeUrl.slice(typeUrl.lastIndexOf("/") + 1);
  const unknown: LinkEvent = { type: "unknown", name: name(type) };
  try {
    return READERS.get(type)?.(value) ?? unknown;
  } catch {
    return unknown;
  }
}

function reader<Desc extends DescMessage>(
  schema: Desc,
  read: (message: MessageShape<Desc>) => LinkEvent | undefined,
): [string, Reader] {
  return [schema.typeName, (bytes) => read(fromBinary(schema, bytes))];
}

function name(value: string): string {
  return value.slice(0, LONGEST_NAME);
}

function text(value: string): string {
  return value.slice(0, LONGEST_TEXT);
}
