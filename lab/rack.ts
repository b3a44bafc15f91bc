/** Some machines on one network. */
import { availableParallelism } from "node:os";
import { startBmc, type Bmc } from "./bmc/bmc.ts";
import type { Description } from "./description.ts";
import { createMachine, type Machine } from "./machine.ts";
import { createNetwork, type Network } from "./network.ts";

export interface Rack {
  readonly network: Network;
  /** All off at first. */
  readonly machines: readonly Machine[];
  /** Of the machines that have one. */
  readonly bmcs: ReadonlyMap<Machine, Bmc>;
  /** Switches everything off and leaves nothing but the logs. */
  close(): Promise<void>;
}

/** `logs` is the folder of the machines' serial logs; without one they go with the rack. */
export async function createRack(descriptions: readonly Description[], logs?: string): Promise<Rack> {
  const network = await createNetwork();
  const machines: Machine[] = [];
  const bmcs = new Map<Machine, Bmc>();
  const close = async (): Promise<void> => {
    for (const bmc of bmcs.values()) await bmc.stop();
    await Promise.all(machines.map((machine) => machine.off()));
    for (const { serial } of machines) serial.end();
    await network.close();
  };
  try {
    for (const description of descriptions) machines.push(await createMachine(network, description, logs));
    for (const machine of machines) {
      const { bmc } = machine.description;
      if (bmc !== undefined) bmcs.set(machine, await startBmc(network, machine, bmc, logs ?? network.directory));
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { network, machines, bmcs, close };
}

/**
 * Boots machines, as many at a time as there are processors to emulate them: an emulated machine keeps one busy, and all of them
 * at once would each take longer than its firmware's patience. `boot` resolves when the next one may begin.
 */
export async function inTurn<T>(machines: readonly Machine[], boot: (machine: Machine) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  const waiting = machines.entries();
  const work = async (): Promise<void> => {
    for (const [index, machine] of waiting) results[index] = await boot(machine);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return results;
}
