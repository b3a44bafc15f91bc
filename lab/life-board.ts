/** What becomes of accepted machines, on a board: their phases with the seconds since then, and what is done or waited for. */
import { styleText } from "node:util";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import { createBoard } from "./board.ts";
import { headline, isServerOf, momentOf, type Moment } from "./life.ts";
import type { Machine } from "./machine.ts";
import type { Screen } from "./screen.ts";

export interface Step {
  readonly phase: string;
  /** Seconds since the board was made. */
  readonly at: number;
}

interface Row {
  readonly steps: Step[];
  moment?: Moment;
  /** Seconds to where there is nothing more to do. */
  restedAt?: number;
}

export interface LifeBoard {
  /** A Server that has changed, of any machine. */
  take(server: Server): void;
  /** Resolves when the machine is clean and off, to the seconds that took. */
  rested(machine: Machine): Promise<number>;
  steps(machine: Machine): readonly Step[];
  /** What it waits for at this moment, for error messages. */
  moment(machine: Machine): Moment | undefined;
  close(): void;
}

export function createLifeBoard(screen: Screen, machines: readonly Machine[]): LifeBoard {
  const started = performance.now();
  const now = (): number => (performance.now() - started) / 1000;
  const rows = new Map<Machine, Row>(machines.map((machine) => [machine, { steps: [] }]));
  const waiting = new Map<Machine, (seconds: number) => void>();
  const board = createBoard(screen, machines, (machine) => line(rows.get(machine)!));
  return {
    take(server) {
      const machine = machines.find((each) => isServerOf(server, each));
      if (machine === undefined) return;
      const row = rows.get(machine)!;
      const moment = momentOf(server);
      if (row.moment === undefined || headline(moment) !== headline(row.moment))
        board.tell(machine, `${`${now().toFixed(1)}s`.padStart(6)}  ${headline(moment)}`);
      row.moment = moment;
      if (row.steps.at(-1)?.phase !== moment.phase) row.steps.push({ phase: moment.phase, at: now() });
      if (moment.isAtRest) waiting.get(machine)?.((row.restedAt ??= now()));
      board.draw();
    },
    rested(machine) {
      const { restedAt } = rows.get(machine)!;
      return restedAt === undefined ? new Promise((resolve) => void waiting.set(machine, resolve)) : Promise.resolve(restedAt);
    },
    steps: (machine) => rows.get(machine)!.steps,
    moment: (machine) => rows.get(machine)!.moment,
    close: board.close,
  };
}

function line({ steps, moment, restedAt }: Row): string {
  const trail = steps.map(({ phase, at }) => `${phase || "new"} ${styleText("cyan", at.toFixed(1))}`).join(" → ");
  if (moment?.isAtRest === true)
    return `${trail} → ${moment.power} ${styleText("cyan", restedAt!.toFixed(1))} ${styleText("green", "✔")}`;
  return `${trail} ${styleText("dim", moment?.text ?? "")}`;
}
