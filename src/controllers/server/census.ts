/** Figures for whoever looks after many machines: how many are where, how wipes end, and how many wait longer than they should. */
import type { Server, ServerPhase } from "#kinds/metal/v1alpha2/server.ts";
import { SERVER_PHASES } from "#kinds/metal/v1alpha2/server.ts";
import type { Change } from "#kube/cache.ts";
import type { Metrics } from "#kube/metrics.ts";

export class Census {
  readonly #phases = new Map<ServerPhase, number>();
  readonly #overdue = new Set<string>();
  readonly #inPhase;
  readonly #wipes;
  readonly #late;

  constructor(metrics: Metrics) {
    this.#inPhase = metrics.gauge("sidero_servers", "Servers, by phase.", ["phase"]);
    this.#wipes = metrics.counter("sidero_wipes_total", "Wipe orders that have ended, by result.", ["result"]);
    this.#late = metrics.gauge("sidero_servers_overdue", "Servers that wait beyond their deadline.", []);
    for (const phase of SERVER_PHASES) this.#inPhase.set({ phase }, 0);
    this.#late.set({}, 0);
  }

  changed({ type, key, object, old }: Change<Server>): void {
    const after = type === "delete" ? undefined : object.status?.phase;
    const before = type === "delete" ? object.status?.phase : old?.status?.phase;
    if (type === "delete") this.looked(key, undefined, 0);
    if (before !== after) {
      this.#add(before, -1);
      this.#add(after, 1);
    }
    const [was, is] = [old?.status?.wipe, object.status?.wipe];
    const hasEnded = old !== undefined && (is?.state === "done" || is?.state === "failed");
    if (hasEnded && (was?.id !== is.id || was.state !== is.state)) this.#wipes.add({ result: is.state });
  }

  /** Called with every look at a Server, which comes right after a deadline at the latest. */
  looked(key: string, waiting: NonNullable<Server["status"]>["waiting"], now: number): void {
    const isLate = waiting?.deadline !== undefined && Date.parse(waiting.deadline) < now;
    if (isLate === this.#overdue.has(key)) return;
    if (isLate) this.#overdue.add(key);
    else this.#overdue.delete(key);
    this.#late.set({}, this.#overdue.size);
  }

  #add(phase: ServerPhase | undefined, amount: number): void {
    if (phase === undefined) return;
    const count = (this.#phases.get(phase) ?? 0) + amount;
    this.#phases.set(phase, count);
    this.#inPhase.set({ phase }, count);
  }
}
