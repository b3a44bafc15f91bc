/** A rack is powered on: every machine in turn, their roads on the screen, until all have registered. */
import type { Machine } from "./machine.ts";
import { inTurn } from "./rack.ts";
import { followRecords } from "./records.ts";
import { createRoadBoard } from "./road-board.ts";
import type { Screen } from "./screen.ts";
import type { Site } from "./site.ts";

/** Throws when a machine has not registered within so many seconds of being switched on, with what it last wrote. */
export async function powerOn(site: Site, screen: Screen, seconds: number): Promise<void> {
  const board = createRoadBoard(screen, site.machines);
  const records = followRecords(site.sidero, board.take);
  try {
    await inTurn(site.machines, async (machine) => {
      // As whoever presses F12: what is on its disks may have other plans.
      await machine.bootNext("network");
      await machine.on();
      await within(seconds, machine, board.arrived(machine));
    });
  } finally {
    board.close();
    await records.stop();
  }
}

async function within(seconds: number, { description, serial }: Machine, event: Promise<void>): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const problem = `${description.name} has not registered within ${seconds} s; its serial line (${serial.path}):`;
    late.reject(new Error(`${problem}\n${serial.tail()}`));
  }, seconds * 1000);
  try {
    await Promise.race([event, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
