/** Orders for machines that are resident in the agent: each has one stream, by which they go out and by which we see that it is there. */
import { create } from "@bufbuild/protobuf";
import type { AgentConnection, AgentOrder, AgentOrderStatus } from "#decide/agent-order.ts";
import type { Clock, Timer } from "#io/clock.ts";
import type { Entropy } from "#io/entropy.ts";
import { OrderSchema, StepState } from "#proto/sidero/agent/v1/machine_pb.js";
import type { Order, Step } from "#proto/sidero/agent/v1/machine_pb.js";
import { Fault } from "#std/fault.ts";

export interface OrderStatus extends AgentOrderStatus {
  readonly machine: string;
  /** It was sent to. */
  readonly boot: string;
  /** When it was ordered, milliseconds since 1970. */
  readonly at: number;
}

export interface Connected extends AgentConnection {
  /** Name of its Server. */
  readonly machine: string;
}

/** Also the `Agents` of `controllers/server/ports.ts`. */
export interface Orders {
  connected(): readonly Connected[];
  connection(machine: string): AgentConnection | undefined;
  /**
   * What becomes of it is told by {@link status}. An id that this boot of the machine was sent already is not sent again; none: a new one. Fault
   * `agent.not-connected` when the machine has no stream.
   */
  send(machine: string, kind: AgentOrder, id?: string): OrderStatus;
  /** Undefined for one that is long forgotten. */
  status(id: string): OrderStatus | undefined;
  /**
   * The stream of a machine until `signal`, or until the machine opens another one; that one gets what has not been answered. `renewed` is
   * asked at every keep-alive for a token to send along, "" for none.
   */
  stream(machine: string, boot: string, signal: AbortSignal, renewed: () => string): AsyncGenerator<Order, "replaced" | "closed">;
  /** What a machine says of an order of its own; others are passed over. */
  answered(machine: string, step: Step): void;
  /** Called with a machine whose agent has come, gone or answered. Returns what ends that. */
  onChange(listener: (machine: string) => void): () => void;
}

/** Milliseconds without a word after which a stream is taken for dead; three words fit in. */
export const SILENCE = 30_000;
/** Orders remembered; beyond that the oldest are forgotten. */
const MOST = 50_000;
/** Those that end the boot they are given to: the next one shows that they were followed. */
const ENDING: ReadonlySet<AgentOrder> = new Set(["reboot", "powerOff"]);

interface Stream extends Connected {
  readonly waiting: Order[];
  readonly renewed: () => string;
  replaced: boolean;
  /** It has said that it goes now: nothing of it will be heard, not even the end of its connection. */
  leaves: boolean;
  wake: () => void;
}

export function createOrders({ clock, entropy }: { readonly clock: Clock; readonly entropy: Entropy }): Orders {
  const streams = new Map<string, Stream>();
  const orders = new Map<string, OrderStatus>();
  /** Machine → the boot it last opened a stream in. */
  const boots = new Map<string, string>();
  /** Machine → ids of what was sent to it and not answered. */
  const open = new Map<string, Set<string>>();
  const listeners = new Set<(machine: string) => void>();

  function tell(machine: string): void {
    for (const listener of listeners) listener(machine);
  }

  function settle(id: string, state: OrderStatus["state"], text: string): void {
    const order = orders.get(id);
    if (order === undefined) return;
    orders.set(id, { ...order, state, text });
    if (state === "done" || state === "failed") close(order);
  }

  function close({ machine, id }: OrderStatus): void {
    const ids = open.get(machine);
    ids?.delete(id);
    if (ids?.size === 0) open.delete(machine);
  }

  function unanswered(machine: string): OrderStatus[] {
    return [...(open.get(machine) ?? [])].flatMap((id) => orders.get(id) ?? []);
  }

  function forgetOldest(): void {
    const [id, order] = orders.entries().next().value!;
    close(order);
    orders.delete(id);
  }

  /** A machine that comes back in another boot has done what makes machines go away, and will not do the rest any more. */
  function settleEarlier(machine: string, boot: string): void {
    const last = boots.get(machine);
    boots.delete(machine);
    boots.set(machine, boot);
    if (boots.size > MOST) boots.delete(boots.keys().next().value!);
    if (last === undefined || last === boot) return;
    for (const { id, kind } of unanswered(machine)) {
      if (ENDING.has(kind)) settle(id, "done", "the machine started again");
      else settle(id, "failed", "the machine started again before it was done");
    }
  }
  const stream: Orders["stream"] = async function* (machine, boot, signal, renewed) {
    settleEarlier(machine, boot);
    const earlier = streams.get(machine);
    if (earlier !== undefined) earlier.replaced = true;
    earlier?.wake();
    // The first word goes out at once: whoever opened the stream knows that it works.
    const waiting = [keepAlive(renewed()), ...unanswered(machine).map(messageOf)];
    const own: Stream = { machine, boot, since: clock.now(), waiting, renewed, replaced: false, leaves: false, wake: () => {} };
    streams.set(machine, own);
    tell(machine);
    const stop = (): void => own.wake();
    signal.addEventListener("abort", stop);
    try {
      for (;;) {
        while (own.waiting.length > 0 && !signal.aborted && !own.replaced && !own.leaves) yield own.waiting.shift()!;
        if (own.replaced) return "replaced";
        if (signal.aborted || own.leaves) return "closed";
        await woken(own);
      }
    } finally {
      signal.removeEventListener("abort", stop);
      if (streams.get(machine) === own) {
        streams.delete(machine);
        tell(machine);
      }
    }
  };

  /** Resolves when there is something to do, a keep-alive at the latest. */
  function woken(own: Stream): Promise<void> {
    return new Promise((resolve) => {
      const timer: Timer = clock.after(SILENCE / 3, () => {
        own.waiting.push(keepAlive(own.renewed()));
        resolve();
      });
      own.wake = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  /** A machine that is switched off closes no connection, and its stream would take minutes to be missed. */
  function leave(machine: string, boot: string): void {
    const own = streams.get(machine);
    if (own?.boot !== boot) return;
    own.leaves = true;
    streams.delete(machine);
    own.wake();
  }

  return {
    stream,
    connected: () => [...streams.values()].map(({ machine, boot, since }) => ({ machine, boot, since })),
    connection(machine) {
      const own = streams.get(machine);
      return own && { boot: own.boot, since: own.since };
    },
    status: (id) => orders.get(id),
    send(machine, kind, id = entropy.uuid()) {
      const own = streams.get(machine);
      if (own === undefined) {
        throw new Fault("agent.not-connected", `the agent of ${machine} is not connected`, { fault: "world", retry: "later" });
      }
      const earlier = orders.get(id);
      if (earlier?.machine === machine && earlier.boot === own.boot) return earlier;
      const order: OrderStatus = { id, machine, boot: own.boot, kind, state: "sent", text: "", at: clock.now() };
      orders.delete(id);
      orders.set(id, order);
      open.set(machine, (open.get(machine) ?? new Set()).add(id));
      if (orders.size > MOST) forgetOldest();
      own.waiting.push(messageOf(order));
      own.wake();
      return order;
    },
    answered(machine, { order: id, state, text }) {
      const order = orders.get(id);
      if (order === undefined || order.machine !== machine || order.state === "done" || order.state === "failed") return;
      if (state === StepState.STARTED) settle(id, "started", text);
      if (state === StepState.DONE) settle(id, "done", text);
      if (state === StepState.FAILED) settle(id, "failed", text);
      if (state === StepState.DONE && ENDING.has(order.kind)) leave(machine, order.boot);
      tell(machine);
    },
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

function keepAlive(token: string): Order {
  return create(OrderSchema, { kind: { case: "keepAlive", value: { token } } });
}

function messageOf({ id, kind }: OrderStatus): Order {
  if (kind === "rotateBmc") return create(OrderSchema, { id, kind: { case: "setupBmc", value: { rotate: true } } });
  return create(OrderSchema, { id, kind: { case: kind, value: {} } });
}
