/** Clean machines become a cluster, and one of its workers is let go again: the machines on a board meanwhile, with what each waits for. */
import { styleText } from "node:util";
import { setTimeout } from "node:timers/promises";
import { createBoard } from "../board.ts";
import type { LabCluster } from "../cluster.ts";
import { followJourneys, type Journey, type Journeys, type Station } from "../journey.ts";
import type { Machine } from "../machine.ts";
import type { Screen } from "../screen.ts";
import type { Site } from "../site.ts";

/** Milliseconds between two looks into the cluster. */
const LOOK = 1_000;

export interface Story {
  readonly journeys: Journeys;
  /** Shows the machines until `isDone`; throws after so many seconds, with what the machines wait for. */
  until(isDone: () => boolean, seconds: number, what: string): Promise<void>;
}

export function openStory({ sidero, machines }: Site, cluster: () => LabCluster | undefined, screen: Screen): Story {
  const journeys = followJourneys(sidero, machines);
  return {
    journeys,
    async until(isDone, seconds, what) {
      const began = Date.now();
      const board = createBoard(screen, machines, (machine) => line(journeys.of(machine), began));
      const told = new Map<Machine, string>();
      const ignore = journeys.onChange(() => {
        for (const machine of machines) {
          const { now } = journeys.of(machine);
          const text = now.replace(/ \d+ %/g, "");
          if (told.get(machine) !== text)
            board.tell(machine, `${((Date.now() - began) / 1000).toFixed(1).padStart(6)}s  ${text}`);
          told.set(machine, text);
        }
        board.draw();
      });
      try {
        for (const deadline = Date.now() + seconds * 1000; !isDone(); await setTimeout(LOOK)) {
          // Before its first machine is bootstrapped, nobody answers.
          journeys.take(
            (await cluster()
              ?.nodes()
              .catch(() => [])) ?? [],
          );
          if (Date.now() < deadline) continue;
          const states = machines.map((machine) => `  ${machine.description.name}: ${journeys.of(machine).now}`);
          throw new Error(
            `${what} within ${seconds} s:\n${states.join("\n")}\n${await cluster()?.run("describe").catch(String)}`,
          );
        }
      } finally {
        ignore();
        board.close();
      }
    },
  };
}

/** Stations since the board was begun, and what it is at. */
function line({ reached, now, node }: Journey, began: number): string {
  const lately = [...reached].filter(([, at]) => at >= began - 1000);
  const trail = lately.map(([station, at]) => `${station} ${styleText("cyan", Math.max(0, (at - began) / 1000).toFixed(0))}`);
  const there = node === undefined ? "" : ` ${styleText("green", `✔ ${node}`)}`;
  return `${trail.join(" → ")}${there} ${styleText("dim", now)}`;
}

export function hasAll(journeys: Journeys, machines: readonly Machine[], station: Station): boolean {
  return machines.every((machine) => journeys.of(machine).reached.has(station));
}
