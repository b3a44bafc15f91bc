/** One machine of the rack, in QEMU: a power button, a reset button, cables and a serial line. */
import { spawn, type ChildProcess } from "node:child_process";
import { copyFile, open } from "node:fs/promises";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { accelerator } from "./accelerator.ts";
import { inside } from "./command.ts";
import type { Description } from "./description.ts";
import type { Network } from "./network.ts";
import { FACTORY_VARIABLES, MONITOR, qemuArguments, SERIAL, type Place } from "./qemu.ts";
import { createQmp, type Qmp } from "./qmp.ts";
import { createSerial, type Serial } from "./serial.ts";

const GIBIBYTE = 1024 ** 3;

export interface Machine {
  readonly description: Description;
  readonly serial: Serial;
  readonly isOn: boolean;
  /** When it was last switched on or reset, in milliseconds since 1970. */
  readonly since: number;
  /** The power button: switches it on. */
  on(): Promise<void>;
  /** The power cord: off at once, whatever it does. */
  off(): Promise<void>;
  /** The reset button. */
  reset(): Promise<void>;
  /** Plugs the cable of a NIC in or pulls it out. */
  cable(nic: number, plugged: boolean): Promise<void>;
  /** Keys pressed on the serial console. */
  type(text: string): void;
}

interface Running {
  readonly process: ChildProcess;
  readonly monitor: Qmp;
  readonly line: Duplex;
  readonly ended: Promise<void>;
}

/** The machine is off, its disks are empty. `logs` is the folder of its serial log. */
export async function createMachine(network: Network, description: Description, logs = network.directory): Promise<Machine> {
  const { name } = description;
  const file = (what: string): string => join(network.directory, `${name}.${what}`);
  const taps: string[] = [];
  for (const _ of description.nics) taps.push(await network.plug());
  const place: Place = {
    taps,
    disks: description.disks.map((_, index) => file(`disk${index}`)),
    variables: file("variables"),
    accelerator: await accelerator(),
  };
  for (const [index, { gibibytes }] of description.disks.entries()) await makeSparse(place.disks[index]!, gibibytes * GIBIBYTE);
  if (description.firmware !== "bios") await copyFile(FACTORY_VARIABLES, place.variables);
  const cabled = description.nics.map((nic) => nic.cabled);
  const serial = createSerial(name, join(logs, `${name}.serial.log`));
  let running: Running | undefined;
  let since = 0;

  const begin = (): void => {
    since = Date.now();
    serial.restart();
  };
  const setLink = (monitor: Qmp, nic: number): Promise<unknown> =>
    monitor.execute("set_link", { name: `nic${nic}`, up: cabled[nic] });

  return {
    description,
    serial,
    get isOn() {
      return running !== undefined;
    },
    get since() {
      return since;
    },
    async on() {
      if (running !== undefined) return;
      const started = start(network.namespace, qemuArguments(description, place), serial);
      running = started;
      void started.ended.then(() => {
        if (running === started) running = undefined;
      });
      for (const nic of cabled.keys()) if (!cabled[nic]) await setLink(started.monitor, nic);
      begin();
      await started.monitor.execute("cont");
    },
    async off() {
      running?.process.kill("SIGKILL");
      await running?.ended;
    },
    async reset() {
      if (running === undefined) throw new Error(`${name} is off`);
      begin();
      await running.monitor.execute("system_reset");
    },
    async cable(nic, plugged) {
      cabled[nic] = plugged;
      if (running !== undefined) await setLink(running.monitor, nic);
    },
    type: (text) => void running?.line.write(text),
  };
}

function start(namespace: string, args: readonly string[], serial: Serial): Running {
  const stdio = ["ignore", "pipe", "pipe"] as ("ignore" | "pipe")[];
  stdio[MONITOR] = "pipe";
  stdio[SERIAL] = "pipe";
  const child = spawn(...inside(namespace, "qemu-system-x86_64", args), { stdio });
  const ended = new Promise<void>((resolve) => {
    child.once("close", () => resolve());
    child.once("error", () => resolve());
  });
  // What QEMU itself has to complain about belongs to what people read when a machine does not come up.
  child.stdout!.on("data", serial.take);
  child.stderr!.on("data", serial.take);
  const line = child.stdio[SERIAL] as Duplex;
  line.on("data", serial.take);
  line.on("error", () => undefined);
  return { process: child, monitor: createQmp(child.stdio[MONITOR] as Duplex), line, ended };
}

async function makeSparse(path: string, size: number): Promise<void> {
  const handle = await open(path, "w");
  await handle.truncate(size);
  await handle.close();
}
