/** The roads of machines that boot, on a board. */
import { styleText } from "node:util";
import type { BootRecord } from "#kinds/metal/v1alpha2/boot-record.ts";
import { createBoard } from "./board.ts";
import type { Machine } from "./machine.ts";
import { isOf } from "./records.ts";
import { outlookOf, roadOf, type Station } from "./road.ts";
import type { Screen } from "./screen.ts";

const LAST = "Server";

interface Row {
  road: readonly Station[];
  outlook: string;
  /** Stations that have been told. */
  told: number;
}

export interface RoadBoard {
  /** A record that has changed, of any machine. */
  take(record: BootRecord): void;
  /** Resolves when the machine has registered. */
  arrived(machine: Machine): Promise<void>;
  close(): void;
}

export function createRoadBoard(screen: Screen, machines: readonly Machine[]): RoadBoard {
  const rows = new Map<Machine, Row>(machines.map((machine) => [machine, { road: [], outlook: "", told: 0 }]));
  const waiting = new Map<Machine, () => void>();
  const board = createBoard(screen, machines, (machine) => line(machine, rows.get(machine)!));
  return {
    take(record) {
      const machine = machines.find((each) => isOf(record, each));
      if (machine === undefined) return;
      const row = rows.get(machine)!;
      row.road = roadOf(record, machine.since);
      row.outlook = outlookOf(record);
      for (const station of row.road.slice(row.told)) board.tell(machine, told(station));
      row.told = row.road.length;
      board.draw();
      if (isThere(row)) waiting.get(machine)?.();
    },
    async arrived(machine) {
      if (!isThere(rows.get(machine)!)) await new Promise<void>((resolve) => void waiting.set(machine, resolve));
    },
    close: board.close,
  };
}

function isThere({ road }: Row): boolean {
  return road.at(-1)?.name === LAST;
}

function line(machine: Machine, row: Row): string {
  if (!machine.isOn && row.road.length === 0) return styleText("dim", "off");
  const stations = row.road.map(({ name, at }) => `${name} ${styleText("cyan", at.toFixed(1))}`);
  if (isThere(row)) return `${stations.join(" → ")} ${styleText("green", "✔")}`;
  const seconds = Math.floor((Date.now() - machine.since) / 1000);
  return [...stations, styleText("dim", `${row.outlook || "firmware"} (${seconds} s)`)].join(" → ");
}

function told({ name, at, text }: Station): string {
  return `${`${at.toFixed(1)}s`.padStart(6)}  ${name.padEnd(6)}  ${text}`;
}
