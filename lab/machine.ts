/** One machine of the rack, in QEMU: a power button, a reset button, cables, a serial line and disks that can be looked at from outside. */
import { spawn, type ChildProcess } from "node:child_process";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { accelerator } from "./accelerator.ts";
import { systemInterfaceOf } from "./bmc/configuration.ts";
import { inside } from "./command.ts";
import type { BootSource, Description } from "./description.ts";
import { createDisk, type DiskImage } from "./disk.ts";
import type { Network } from "./network.ts";
import { bootOrder, FACTORY_VARIABLES, MONITOR, nicName, qemuArguments, SERIAL, type Place } from "./qemu.ts";
import { createQmp, type Qmp } from "./qmp.ts";
import { createSerial, type Serial } from "./serial.ts";

export interface Machine {
  readonly description: Description;
  readonly serial: Serial;
  readonly disks: readonly DiskImage[];
  readonly isOn: boolean;
  /** When it was last switched on or reset, also by itself, in milliseconds since 1970. */
  readonly since: number;
  /** What its firmware is to try first when it starts next; undefined: what it always does. Starting forgets it. */
  readonly next: BootSource | undefined;
  /** The power button: switches it on. */
  on(): Promise<void>;
  /** The power cord: off at once, whatever it does. */
  off(): Promise<void>;
  /** The power button of a machine that is on: asks its operating system, which may not listen. */
  press(): Promise<void>;
  /** The reset button. */
  reset(): Promise<void>;
  bootNext(source: BootSource | undefined): Promise<void>;
  /** Plugs the cable of a NIC in or pulls it out. */
  cable(nic: number, plugged: boolean): Promise<void>;
  /** Keys pressed on the serial console. */
  type(text: string): void;
  /** Another end of the serial line, for as long as it lasts: it gets what the machine writes, and types. */
  join(end: Duplex): void;
}

/** Milliseconds after its start in which firmware looks where to boot from. */
const READING = 2_000;

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
  const disks = await Promise.all(description.disks.map((disk, index) => createDisk(file(`disk${index}`), disk)));
  const place: Place = {
    taps,
    disks: disks.map(({ path }) => path),
    variables: file("variables"),
    accelerator: await accelerator(),
    ...(description.bmc && { bmc: systemInterfaceOf(description.bmc) }),
  };
  if (description.firmware !== "bios") await copyFile(FACTORY_VARIABLES, place.variables);
  const cabled = description.nics.map((nic) => nic.cabled);
  const serial = createSerial(name, join(logs, `${name}.serial.log`));
  const ends = new Set<Duplex>();
  let running: Running | undefined;
  let since = 0;
  let next: BootSource | undefined;
  /** Set while a machine that has started may still look where to boot from. */
  let using: NodeJS.Timeout | undefined;

  const take = (piece: Uint8Array): void => {
    serial.take(piece);
    for (const end of ends) end.write(piece);
  };
  const begin = (): void => {
    since = Date.now();
    serial.restart();
  };
  const setLink = (monitor: Qmp, nic: number): Promise<unknown> =>
    monitor.execute("set_link", { name: nicName(nic), up: cabled[nic] });
  /** Counts from its next start on: QEMU tells the firmware when the machine is reset. */
  const setOrder = async (monitor: Qmp, source: BootSource): Promise<void> => {
    const order = [...bootOrder(description, source)];
    const set = (device: string, value: number): Promise<unknown> =>
      monitor.execute("qom-set", { path: `/machine/peripheral/${device}`, property: "bootindex", value });
    // No two may have the same place, not even meanwhile.
    for (const [device] of order) await set(device, -1);
    for (const [device, index] of order) await set(device, index);
  };
  /** The source is used up, though not at once: SeaBIOS answers a reset with another one, and it reads the order after that. */
  const use = (monitor: Qmp): void => {
    clearTimeout(using);
    if (next === undefined) return;
    using = setTimeout(() => {
      next = using = undefined;
      // The machine may be gone meanwhile.
      setOrder(monitor, description.first).catch(() => undefined);
    }, READING).unref();
  };
  const keep = (): void => {
    clearTimeout(using);
    using = undefined;
  };

  return {
    description,
    serial,
    disks,
    get isOn() {
      return running !== undefined;
    },
    get since() {
      return since;
    },
    get next() {
      return next;
    },
    async on() {
      if (running !== undefined) return;
      if (using !== undefined) next = undefined;
      keep();
      const started = start(network.namespace, qemuArguments(description, place, next), take);
      running = started;
      void started.ended.then(() => {
        if (running === started) running = undefined;
      });
      started.monitor.onEvent((event) => {
        if (event !== "RESET") return;
        begin();
        use(started.monitor);
      });
      started.line.on("data", take);
      for (const nic of cabled.keys()) if (!cabled[nic]) await setLink(started.monitor, nic);
      begin();
      await started.monitor.execute("cont");
      use(started.monitor);
    },
    async off() {
      running?.process.kill("SIGKILL");
      await running?.ended;
    },
    async press() {
      await running?.monitor.execute("system_powerdown");
    },
    async reset() {
      if (running === undefined) throw new Error(`${name} is off`);
      begin();
      await running.monitor.execute("system_reset");
    },
    async bootNext(source) {
      keep();
      next = source;
      if (running !== undefined) await setOrder(running.monitor, source ?? description.first);
    },
    async cable(nic, plugged) {
      cabled[nic] = plugged;
      if (running !== undefined) await setLink(running.monitor, nic);
    },
    type: (text) => void running?.line.write(text),
    join(end) {
      ends.add(end);
      end.on("data", (piece: Buffer) => void running?.line.write(piece));
      end.on("error", () => undefined);
      end.once("close", () => ends.delete(end));
    },
  };
}

function start(namespace: string, args: readonly string[], complain: (piece: Uint8Array) => void): Running {
  const stdio = ["ignore", "pipe", "pipe"] as ("ignore" | "pipe")[];
  stdio[MONITOR] = "pipe";
  stdio[SERIAL] = "pipe";
  const child = spawn(...inside(namespace, "qemu-system-x86_64", args), { stdio });
  const ended = new Promise<void>((resolve) => {
    child.once("close", () => resolve());
    child.once("error", () => resolve());
  });
  // What QEMU itself has to complain about belongs to what people read when a machine does not come up.
  child.stdout!.on("data", complain);
  child.stderr!.on("data", complain);
  const line = child.stdio[SERIAL] as Duplex;
  line.on("error", () => undefined);
  return { process: child, monitor: createQmp(child.stdio[MONITOR] as Duplex), line, ended };
}
