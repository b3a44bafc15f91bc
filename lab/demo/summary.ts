/** What the demo was about, in a table: how long each step took on each machine, and what it waited for longest. */
import { STATIONS, type Journey, type Journeys } from "../journey.ts";
import type { Machine } from "../machine.ts";
import { table } from "./table.ts";

/** A column for each machine; the times are of the API's objects, from one station to the next. `since`: when a machine was switched on first. */
export function summaryOf(machines: readonly Machine[], journeys: Journeys, since: (machine: Machine) => number): string {
  const names = machines.map(({ description }) => description.name);
  const rows = STATIONS.map((station, index) => {
    const spans = machines.map((machine) => spanOf(journeys.of(machine), index, since(machine)));
    const waits = spans.flatMap((span) => (span === undefined ? [] : span.waits));
    const longest = waits.toSorted((a, b) => b.seconds - a.seconds)[0];
    const cells = spans.map((span) => (span === undefined ? "" : `${span.seconds.toFixed(1)} s`));
    return [station, ...cells, longest === undefined ? "" : `${longest.text} (${longest.seconds.toFixed(1)} s)`];
  });
  return table(
    ["STEP", ...names, "WAITED LONGEST FOR"],
    rows.filter((row) => row.slice(1, -1).some((cell) => cell !== "")),
  );
}

interface Span {
  readonly seconds: number;
  readonly waits: readonly { readonly text: string; readonly seconds: number }[];
}

/** From the station before to this one; undefined when it has not come there. */
function spanOf({ reached, waits }: Journey, index: number, began: number): Span | undefined {
  const to = reached.get(STATIONS[index]!);
  if (to === undefined) return undefined;
  const before = STATIONS.slice(0, index).map((station) => reached.get(station) ?? 0);
  // API times are whole seconds.
  const from = Math.min(to, Math.max(began, ...before));
  const within = waits.flatMap((wait) => {
    const seconds = (Math.min(wait.to, to) - Math.max(wait.from, from)) / 1000;
    return seconds > 0 ? [{ text: wait.text, seconds }] : [];
  });
  return { seconds: (to - from) / 1000, waits: within };
}
