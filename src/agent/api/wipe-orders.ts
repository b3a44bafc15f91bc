/**
 * Wipe orders as they are carried out. What an order allows is looked up in the API, not in a cache, right before anything is written; what the
 * agent says is written to `status.wipe`, and nothing else of the Server: what follows from it is the controller's.
 */
import { wipeModeOf } from "#decide/wipe/mode.ts";
import type { WipeMode } from "#decide/wipe/mode.ts";
import { eraseRecord, formatSignature, signedText, wipedMachine } from "#decide/wipe/record.ts";
import { isOver, orderAfter } from "#decide/wipe/report.ts";
import type { ReportedDisk } from "#decide/wipe/report.ts";
import { wipeOrderOf } from "#decide/registration/wipe.ts";
import type { Server, WipeOrder } from "#kinds/metal/v1alpha2/server.ts";
import type { Clock } from "#io/clock.ts";
import { timestamp } from "#io/clock.ts";
import type { Signer } from "#io/sign.ts";
import { refusal } from "./faults.ts";
import type { Registry } from "./registry.ts";

export interface WipeOrdersOptions {
  readonly registry: Registry;
  readonly clock: Clock;
  /** Signs erase records; absent: they have no signature. */
  readonly signer?: Signer;
  /** What Servers without `spec.wipe.mode` get. */
  readonly insecureWipe: boolean;
  /** As in `AgentSettings`. */
  readonly ordersSince?: number | undefined;
}

/** All reject with Fault `agent.not-ordered` when the order does not hold (any more), `agent.not-registered`, and as the registry does. */
export interface WipeOrders {
  /** Confirms the order and writes that an agent begins; again harmlessly. Resolves to the Server as it is then. */
  begin(machine: string, id: string): Promise<Server>;
  /** Writes that an agent is at it. */
  heard(machine: string, id: string): Promise<void>;
  /** Writes how far it is: changes of state at once, progress now and then. */
  report(machine: string, id: string, disks: readonly ReportedDisk[]): Promise<void>;
  /** Upstream's agent, which does not say what it did, is done. */
  finish(machine: string, id: string): Promise<void>;
}

/** Milliseconds between two writes of mere progress, and of mere signs of life. */
export const EVERY = { progress: 10_000, heard: 30_000 } as const;
/** Machines whose last report is remembered; of others the next one is written. */
const MOST = 16_384;

interface Written {
  readonly order: string;
  readonly at: number;
  readonly states: string;
  readonly progress: string;
}

export function createWipeOrders({ registry, clock, signer, insecureWipe, ordersSince }: WipeOrdersOptions): WipeOrders {
  const written = new Map<string, Written>();

  /** Throws unless the order holds, as far as the Server alone tells. */
  function held(server: Server, id: string): WipeOrder {
    const order = wipeOrderOf(server, undefined, ordersSince);
    const { name = "", annotations } = server.metadata;
    if (order === undefined) throw refusal("agent.not-ordered", `nobody ordered ${name} to be wiped`);
    if (order.id !== id) {
      throw refusal("agent.not-ordered", `order: the order in force is ${order.id}, and not ${id}`);
    }
    if (annotations?.["cluster.x-k8s.io/paused"] !== undefined) throw refusal("agent.not-ordered", `${name} is paused`);
    return order;
  }

  async function refuseBound(machine: string): Promise<void> {
    if ((await registry.binding(machine)) !== undefined) {
      throw refusal("agent.not-ordered", `${machine} has a ServerBinding: whoever holds it keeps what is on its disks`);
    }
  }

  async function edit(machine: string, change: (order: WipeOrder, server: Server) => WipeOrder, id: string): Promise<Server> {
    const after = await registry.edit(machine, (server) => {
      const order = server.status?.wipe;
      if (order?.id !== id) throw refusal("agent.not-ordered", `order ${id} of ${machine} is not in force`);
      const wipe = change(order, server);
      return wipe === order ? server : { ...server, status: { ...server.status, wipe } };
    });
    if (after === undefined) throw refusal("agent.not-registered", `there is no Server ${machine}`);
    return after;
  }

  const started = (order: WipeOrder, mode: WipeMode): WipeOrder => {
    const now = timestamp(clock);
    if (order.state === "started" && order.mode === mode) return { ...order, heardAt: now };
    const { detail: _detail, disks: _disks, finishedAt: _finishedAt, signature: _signature, ...rest } = order;
    return { ...rest, state: "started", mode, startedAt: now, heardAt: now };
  };

  /** The erase record is signed as it stands. */
  function sealed(order: WipeOrder, server: Server): WipeOrder {
    if (order.state !== "done") return order;
    const whole = { ...order, machine: wipedMachine(server) };
    if (signer === undefined) return whole;
    const bytes = Buffer.from(signedText(eraseRecord(server.metadata.name!, whole)));
    const signature = Buffer.from(signer.sign(bytes)).toString("base64");
    return { ...whole, signature: formatSignature({ keyId: signer.keyId, signature }) };
  }

  function tell(server: Server, order: WipeOrder): void {
    if (order.state === "done") registry.event(server, "Normal", "Server Wipe", `Server wiped via agent, order ${order.id}`);
    if (order.state === "failed") {
      registry.event(server, "Warning", "Server Wipe", `Wipe order ${order.id} failed: ${order.detail ?? ""}`.slice(0, 1024));
    }
  }

  function remember(machine: string, entry: Written): void {
    written.delete(machine);
    written.set(machine, entry);
    if (written.size > MOST) written.delete(written.keys().next().value!);
  }

  return {
    async begin(machine, id) {
      await refuseBound(machine);
      let before: WipeOrder | undefined;
      const server = await edit(
        machine,
        (_order, current) => {
          before = held(current, id);
          return started(before, wipeModeOf(current, insecureWipe));
        },
        id,
      );
      try {
        // A binding that came in the meantime was made by someone who may not have seen that the wipe has begun.
        await refuseBound(machine);
      } catch (error) {
        await edit(machine, (order) => (order.state === "started" ? before! : order), id);
        throw error;
      }
      if (before?.state !== "started") registry.event(server, "Normal", "Server Wipe", `Wipe began, order ${id}`);
      return server;
    },

    async heard(machine, id) {
      const last = written.get(machine);
      if (last?.order === id && clock.monotonic() - last.at < EVERY.heard) return;
      await edit(machine, (_order, server) => started(held(server, id), wipeModeOf(server, insecureWipe)), id);
      remember(machine, { order: id, at: clock.monotonic(), states: "", progress: "" });
    },

    async report(machine, id, disks) {
      const states = JSON.stringify(disks.map(({ name, state, method, detail }) => [name, state, method, detail]));
      const progress = disks.map(({ percent = 0 }) => percent).join();
      const last = written.get(machine);
      const age = last?.order === id ? clock.monotonic() - last.at : Number.POSITIVE_INFINITY;
      const isNews = last?.order !== id || last.states !== states || (last.progress !== progress && age >= EVERY.progress);
      if (!isNews && age < EVERY.heard) return;
      let before: WipeOrder["state"] | undefined;
      const server = await edit(
        machine,
        (order, current) => {
          before = order.state;
          // The last report may come again when its answer was lost.
          if (isOver(disks) && (order.state === "done" || order.state === "failed")) return order;
          if (held(current, id).state !== "started") {
            throw refusal("agent.not-ordered", `order ${id} is ${order.state}: BeginWipe comes first`);
          }
          return sealed(orderAfter(order, disks, current, timestamp(clock)), current);
        },
        id,
      );
      remember(machine, { order: id, at: clock.monotonic(), states, progress });
      const order = server.status?.wipe;
      if (order !== undefined && order.state !== before) tell(server, order);
    },

    async finish(machine, id) {
      await refuseBound(machine);
      const server = await edit(
        machine,
        (_order, current) => {
          const { detail: _detail, ...rest } = held(current, id);
          // It is known better what became of these: an agent that reports disks ends by reporting them.
          if (rest.disks?.some(({ state }) => state !== "done" && state !== "skipped") === true) {
            throw refusal("agent.not-ordered", `order ${id}: an agent has reported disks that are not wiped`);
          }
          const now = timestamp(clock);
          const mode = wipeModeOf(current, insecureWipe);
          return sealed({ ...rest, mode, state: "done", finishedAt: now, heardAt: now }, current);
        },
        id,
      );
      tell(server, server.status!.wipe!);
    },
  };
}
