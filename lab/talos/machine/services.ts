/** The services of a machine, as its API shows them. The stand-in has some of Talos' own, and behind the names of the rest there is nothing. */
import { ServiceStateEvent_Action, ServiceStateEventSchema } from "#proto/siderolink/machine_events_pb.js";
import type { Events } from "./events.ts";

export type State =
  | "Initialized"
  | "Preparing"
  | "Waiting"
  | "Running"
  | "Stopping"
  | "Finished"
  | "Failed"
  | "Skipped"
  | "Starting";

export interface Service {
  readonly id: string;
  readonly state: State;
  readonly message: string;
  /** Undefined: not known, as of what does not run. */
  readonly isHealthy: boolean | undefined;
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly history: readonly { readonly state: State; readonly message: string; readonly at: number }[];
}

export interface Services {
  set(id: string, state: State, message: string): void;
  all(): readonly Service[];
  get(id: string): Service | undefined;
}

export function createServices(events: Events, now: () => number): Services {
  const services = new Map<string, Service>();
  return {
    set(id, state, message) {
      const before = services.get(id);
      if (before?.state === state && before.message === message) return;
      const at = now();
      const history = [...(before?.history ?? []), { state, message, at }].slice(-20);
      services.set(id, { id, state, message, isHealthy: state === "Running" ? true : undefined, since: at, history });
      const action = ServiceStateEvent_Action[state.toUpperCase() as keyof typeof ServiceStateEvent_Action];
      events.emit(ServiceStateEventSchema, { service: id, action, message });
    },
    all: () => [...services.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    get: (id) => services.get(id),
  };
}
