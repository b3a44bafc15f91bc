/** Orders for machines that are resident in the agent: each has one stream, by which they go out and by which we see that it is there. */
import { create } from "@bufbuild/protobuf";
import type { Clock, Timer } from "#io/clock.ts";
import type { Entropy } from "#io/entropy.ts";
import { OrderSchema, StepState } from "#proto/sidero/agent/v1/machine_pb.js";
import type { Order, Step } from "#proto/sidero/agent/v1/machine_pb.js";
import { Fault } from "#std/fault.ts";

export type OrderKind = "refresh" | "reboot" | "powerOff";

export interface OrderStatus {
  readonly id: string;
  readonly machine: string;
  readonly kind: OrderKind;
  /** `sent`: the machine has not said yet that it began. */
  readonly state: "sent" | "started" | "done" | "failed";
  /** What the machine said of it last. */
  readonly text: string;
  /** When it was ordered, milliseconds since 1970. */
  readonly at: number;
}

export interface Connected {
  /** Name of its Server. */
  readonly machine: string;
  readonly boot: string;
  /** Milliseconds since 1970. */
  readonly since: number;
}

export interface Orders {
  connected(): readonly Connected[];
  /** What becomes of it is told by {@link status}. Fault `agent.not-connected` when the machine has no stream. */
  send(machine: string, kind: OrderKind): OrderStatus;
  /** Undefined for one that is long forgotten. */
  status(id: string): OrderStatus | undefined;
  /**
   * The stream of a machine until `signal`, or until the machine opens another one; that one gets what has not been answered. `renewed` is
   * asked at every keep-alive for a token to send along, "" for none.
   */
  stream(machine: string, boot: string, signal: AbortSignal, renewed: () => string): AsyncGenerator<Order, "replaced" | "closed">;
  /** What a machine says of an order of its own; others are passed over. */
  answered(machine: string, step: Step): void;
}

/** Milliseconds without a word after which a stream is taken for dead; three words fit in. */
export const SILENCE = 30_000;
/** Orders remembered; beyond that the oldest are forgotten. */
const MOST = 10_000;

interface Stream extends Connected {
  readonly waiting: Order[];
  readonly renewed: () => string;
  replaced: boolean;
  wake: () => void;
}

export function createOrders({ clock, entropy }: { readonly clock: Clock; readonly entropy: Entropy }): Orders {
  const streams = new Map<string, Stream>();
  const orders = new Map<string, OrderStatus>();
  /** Machine → the boot it last opened a stream in. */
  const boots = new Map<string, string>();

  function settle(id: string, state: OrderStatus["state"], text: string): void {
    orders.set(id, { ...orders.get(id)!, state, text });
  }

  function unanswered(machine: string): OrderStatus[] {
    return [...orders.values()].filter(
      (order) => order.machine === machine && (order.state === "sent" || order.state === "started"),
    );
  }

  /** A machine that comes back in another boot has done what makes machines go away, and will not do the rest any more. */
  function settleEarlier(machine: string, boot: string): void {
    const last = boots.get(machine);
    boots.delete(machine);
    boots.set(machine, boot);
    if (boots.size > MOST) boots.delete(boots.keys().next().value!);
    if (last === undefined || last === boot) return;
    for (const { id, kind } of unanswered(machine)) {
      if (kind === "refresh") settle(id, "failed", "the machine started again before it was done");
      else settle(id, "done", "the machine started again");
    }
  }
  const stream: Orders["stream"] = async function* (machine, boot, signal, renewed) {
    settleEarlier(machine, boot);
    const earlier = streams.get(machine);
    if (earlier !== undefined) earlier.replaced = true;
    earlier?.wake();
    // The first word goes out at once: whoever opened the stream knows that it works.
    const waiting = [keepAlive(renewed()), ...unanswered(machine).map(messageOf)];
    const own: Stream = { machine, boot, since: clock.now(), waiting, renewed, replaced: false, wake: () => {} };
    streams.set(machine, own);
    const stop = (): void => own.wake();
    signal.addEventListener("abort", stop);
    try {
      for (;;) {
        while (own.waiting.length > 0 && !signal.aborted && !own.replaced) yield own.waiting.shift()!;
        if (own.replaced) return "replaced";
        if (signal.aborted) return "closed";
        await woken(own);
      }
    } finally {
      signal.removeEventListener("abort", stop);
      if (streams.get(machine) === own) streams.delete(machine);
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

  return {
    stream,
    connected: () => [...streams.values()].map(({ machine, boot, since }) => ({ machine, boot, since })),
    status: (id) => orders.get(id),
    send(machine, kind) {
      const own = streams.get(machine);
      if (own === undefined) {
        throw new Fault("agent.not-connected", `the agent of ${machine} is not connected`, { fault: "world", retry: "later" });
      }
      const order: OrderStatus = { id: entropy.uuid(), machine, kind, state: "sent", text: "", at: clock.now() };
      orders.set(order.id, order);
      if (orders.size > MOST) orders.delete(orders.keys().next().value!);
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
    },
  };
}

function keepAlive(token: string): Order {
  return create(OrderSchema, { kind: { case: "keepAlive", value: { token } } });
}

function messageOf({ id, kind }: OrderStatus): Order {
  return create(OrderSchema, { id, kind: { case: kind, value: {} } });
}
