/** The steps of a boot, as they are told to the server: kept until it has them, within bounds. */
import { create } from "@bufbuild/protobuf";
import type { Clock } from "#io/clock.ts";
import type { Log } from "#io/log.ts";
import type { Step } from "#proto/sidero/agent/v1/machine_pb.js";
import { StepSchema, StepState } from "#proto/sidero/agent/v1/machine_pb.js";

/** Steps kept while no server listens; the oldest go first. */
const KEPT = 200;

export interface Road {
  /** Tells that a step began; the answer tells how it ended. `order` is what it answers. */
  begin(name: string, order?: string): Ending;
  /** Up to `most` steps, the oldest first, not yet {@link dropped}. */
  pending(most: number): readonly Step[];
  drop(count: number): void;
  /** Calls back when there is something pending. */
  onStep: (() => void) | undefined;
}

export interface Ending {
  done(text: string): Step;
  failed(text: string): Step;
}

export function createRoad(clock: Clock, log: Log): Road {
  const steps: Step[] = [];
  const add = (step: Step): Step => {
    steps.push(step);
    if (steps.length > KEPT) steps.shift();
    road.onStep?.();
    return step;
  };
  const road: Road = {
    onStep: undefined,
    begin: (name, order = "") => {
      const started = clock.monotonic();
      const end = (state: StepState) => (text: string) => {
        const tookMilliseconds = Math.round(clock.monotonic() - started);
        log[state === StepState.DONE ? "info" : "error"](`${name}: ${text} (${(tookMilliseconds / 1000).toFixed(1)} s)`);
        return add(create(StepSchema, { name, state, text, tookMilliseconds, order }));
      };
      add(create(StepSchema, { name, state: StepState.STARTED, order }));
      return { done: end(StepState.DONE), failed: end(StepState.FAILED) };
    },
    pending: (most) => steps.slice(0, most),
    drop: (count) => void steps.splice(0, count),
  };
  return road;
}
