/** The services of a machine, and what happens in it, as its API shows them. */
import { create, toBinary } from "@bufbuild/protobuf";
import type { DescMessage, MessageInitShape } from "@bufbuild/protobuf";
import {
  AddressEventSchema,
  ConfigLoadErrorEventSchema,
  ConfigValidationErrorEventSchema,
  SequenceEventSchema,
  SequenceEvent_Action as Action,
} from "#proto/siderolink/machine_events_pb.js";
import type { ServiceState, TalosEvent } from "#talos/api.ts";

/** As many as Talos keeps. */
const KEPT = 1_000;

export class Services {
  readonly #states = new Map<string, ServiceState>();

  set(id: string, state: string, message: string): void {
    this.#states.set(id, { id, state, isHealthy: state === "Running" ? true : undefined, message });
  }

  get(id: string): ServiceState | undefined {
    return this.#states.get(id);
  }

  all(): ServiceState[] {
    return [...this.#states.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
  }
}

export class Events {
  readonly #kept: TalosEvent[] = [];
  readonly #listeners = new Set<(event: TalosEvent) => void>();
  readonly #onEvent: (event: TalosEvent) => void;
  #count = 0;

  /** Told of each of them as it happens: `talos.events.sink`. */
  constructor(onEvent: (event: TalosEvent) => void = () => {}) {
    this.#onEvent = onEvent;
  }

  /** The sequence began, or is over. */
  sequence(sequence: string, action: "start" | "stop"): void {
    this.#emit(SequenceEventSchema, { sequence, action: action === "start" ? Action.START : Action.STOP });
  }

  configProblem(kind: "load" | "validation", error: string): void {
    this.#emit(kind === "load" ? ConfigLoadErrorEventSchema : ConfigValidationErrorEventSchema, { error });
  }

  /** Under which name and addresses it is in the network; without prefix. */
  addresses(hostname: string, addresses: readonly string[]): void {
    this.#emit(AddressEventSchema, { hostname, addresses: [...addresses] });
  }

  async *follow(
    tail: number,
    signal: AbortSignal | undefined,
    ended: Promise<void>,
  ): AsyncGenerator<TalosEvent, void, undefined> {
    const waiting = tail === 0 ? [] : tail < 0 ? [...this.#kept] : this.#kept.slice(-tail);
    let wake: () => void = () => {};
    const take = (event: TalosEvent): void => {
      waiting.push(event);
      wake();
    };
    let isOver = signal?.aborted === true;
    const stop = (): void => {
      isOver = true;
      wake();
    };
    this.#listeners.add(take);
    signal?.addEventListener("abort", stop, { once: true });
    void ended.then(stop);
    try {
      while (!isOver) {
        for (let event = waiting.shift(); event !== undefined; event = waiting.shift()) yield event;
        if (isOver) return;
        await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      this.#listeners.delete(take);
    }
  }

  #emit<T extends DescMessage>(schema: T, init: MessageInitShape<T>): void {
    const id = (++this.#count).toString(36).padStart(20, "0");
    const event = { id, actorId: "", type: schema.typeName, value: toBinary(schema, create(schema, init)) };
    this.#kept.push(event);
    if (this.#kept.length > KEPT) this.#kept.shift();
    for (const listener of this.#listeners) listener(event);
    this.#onEvent(event);
  }
}
