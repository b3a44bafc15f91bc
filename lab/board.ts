/** The machines of a rack as a board: a line each that changes in place. Where nothing can, tell by `print` what happens. */
import { styleText } from "node:util";
import type { Firmware } from "./description.ts";
import type { Machine } from "./machine.ts";
import type { Screen } from "./screen.ts";

const NAMES: Readonly<Record<Firmware, string>> = { bios: "BIOS PXE", uefi: "UEFI PXE", "uefi-http": "UEFI HTTP" };

export interface Board {
  draw(): void;
  /** A line that stays, of that machine; only where the board itself cannot show it. */
  tell(machine: Machine, text: string): void;
  /** What the lines are now, they stay. */
  close(): void;
}

/** `line`: what is to be seen of a machine at this moment, after its name. */
export function createBoard(screen: Screen, machines: readonly Machine[], line: (machine: Machine) => string): Board {
  const width = Math.max(...machines.map(({ description }) => description.name.length));
  const titled = ({ description: { name, firmware } }: Machine, text: string): string =>
    `${styleText("bold", name.padEnd(width))}  ${styleText("dim", NAMES[firmware].padEnd(9))}  ${text}`;
  const lines = (): string[] => machines.map((machine) => titled(machine, line(machine)));
  const draw = (): void => screen.show(lines());
  // Seconds go on while nothing is seen.
  const tick = setInterval(draw, 250);
  return {
    draw,
    tell(machine, text) {
      if (!screen.isLive) screen.print(titled(machine, text));
    },
    close() {
      clearInterval(tick);
      screen.show([]);
      screen.print(lines().join("\n"));
    },
  };
}
