/** The roads of all machines of a rack as a board: a line each that changes in place, or a line for each station where nothing can. */
import { styleText } from "node:util";
import type { BootRecord } from "#kinds/metal/v1alpha2/boot-record.ts";
import type { Firmware } from "./description.ts";
import type { Machine } from "./machine.ts";
import { isOf } from "./records.ts";
import { outlookOf, roadOf, type Station } from "./road.ts";
import type { Screen } from "./screen.ts";

const NAMES: Readonly<Record<Firmware, string>> = { bios: "BIOS PXE", uefi: "UEFI PXE", "uefi-http": "UEFI HTTP" };
const LAST = "Server";

interface Row {
  road: readonly Station[];
  outlook: string;
  /** Stations that have been told. */
  told: number;
}

export interface Board {
  /** A record that has changed, of any machine. */
  take(record: BootRecord): void;
  /** Resolves when the machine has registered. */
  arrived(machine: Machine): Promise<void>;
  /** What the lines are now, they stay. */
  close(): void;
}

export function createBoard(screen: Screen, machines: readonly Machine[]): Board {
  const rows = new Map<Machine, Row>(machines.map((machine) => [machine, { road: [], outlook: "", told: 0 }]));
  const waiting = new Map<Machine, () => void>();
  const width = Math.max(...machines.map(({ description }) => description.name.length));
  const title = ({ description: { name, firmware } }: Machine): string =>
    `${styleText("bold", name.padEnd(width))}  ${styleText("dim", NAMES[firmware].padEnd(9))}`;

  const lines = (): string[] => [...rows].map(([machine, row]) => `${title(machine)}  ${line(machine, row)}`);
  const draw = (): void => screen.show(lines());
  // Seconds go on while nothing is seen.
  const tick = setInterval(draw, 250);

  return {
    take(record) {
      const machine = machines.find((each) => isOf(record, each));
      if (machine === undefined) return;
      const row = rows.get(machine)!;
      row.road = roadOf(record, machine.since);
      row.outlook = outlookOf(record);
      if (!screen.isLive) for (const station of row.road.slice(row.told)) screen.print(`${title(machine)}  ${told(station)}`);
      row.told = row.road.length;
      draw();
      if (isThere(row)) waiting.get(machine)?.();
    },
    async arrived(machine) {
      if (!isThere(rows.get(machine)!)) await new Promise<void>((resolve) => void waiting.set(machine, resolve));
    },
    close() {
      clearInterval(tick);
      screen.show([]);
      screen.print(lines().join("\n"));
    },
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
