/** What the load generator can be told to do, and what it answers. */

export interface Target {
  /** `https://127.0.0.1:port`. */
  readonly url: string;
  /** Bearer token of an administrator. */
  readonly token: string;
}

export type Order =
  /** Objects `from` to `from + count`, by so many clients at once. */
  | { readonly do: "create" | "get" | "update"; readonly from: number; readonly count: number; readonly clients: number }
  /** All objects, `count` times, one list after the other. */
  | { readonly do: "list"; readonly count: number }
  /** Watchers, each on a connection of its own, and one writer. */
  | { readonly do: "fan-out"; readonly watchers: number; readonly events: number }
  /** Asks until a list has so many objects. */
  | { readonly do: "await-list"; readonly objects: number };

export interface Message {
  readonly order: Order;
  /** The server's processes, whose CPU time is read just before and after. */
  readonly pids: readonly number[];
}

/**
 * Milliseconds, one figure for each thing measured: the whole of a round of operations, each list, …; `cpu` is the CPU time that one
 * operation takes the server.
 */
export type Figures = Readonly<Record<string, number[]>>;

export type Answer = { readonly figures: Figures } | { readonly problem: string };
