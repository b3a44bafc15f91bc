/** What happens to the machine, as its API tells it: the last events are kept, and whoever listens gets those that follow. */
import { create, toBinary } from "@bufbuild/protobuf";
import type { DescMessage, MessageInitShape } from "@bufbuild/protobuf";
import { randomBytes } from "node:crypto";

const KEPT = 1000;

export interface Event {
  readonly id: string;
  /** `talos/runtime/machine.SequenceEvent` */
  readonly typeUrl: string;
  readonly value: Uint8Array;
  readonly actorId: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

export interface Events {
  emit<T extends DescMessage>(schema: T, message: MessageInitShape<T>, actorId?: string): void;
  /** The last so many (-1: all), and then each as it comes, until `signal`. */
  follow(tail: number, signal: AbortSignal): AsyncGenerator<Event, void, undefined>;
}

export function createEvents(now: () => number): Events {
  const kept: Event[] = [];
  const listeners = new Set<(event: Event) => void>();
  let count = 0;
  return {
    emit(schema, message, actorId = "") {
      const at = now();
      // In order of time, as Talos' identifiers are.
      const id = `${Math.floor(at).toString(36).padStart(9, "0")}${(count++).toString(36).padStart(5, "0")}${randomBytes(3).toString("hex")}`;
      const event = {
        id,
        typeUrl: `talos/runtime/${schema.typeName}`,
        value: toBinary(schema, create(schema, message)),
        actorId,
        at,
      };
      kept.push(event);
      if (kept.length > KEPT) kept.shift();
      for (const listener of listeners) listener(event);
    },
    async *follow(tail, signal) {
      const waiting = tail === 0 ? [] : kept.slice(tail < 0 ? 0 : -tail);
      let wake = Promise.withResolvers<void>();
      const listen = (event: Event): void => {
        waiting.push(event);
        wake.resolve();
      };
      const stop = (): void => wake.resolve();
      listeners.add(listen);
      signal.addEventListener("abort", stop);
      try {
        while (!signal.aborted) {
          for (let event = waiting.shift(); event !== undefined; event = waiting.shift()) yield event;
          await wake.promise;
          wake = Promise.withResolvers<void>();
        }
      } finally {
        listeners.delete(listen);
        signal.removeEventListener("abort", stop);
      }
    },
  };
}
