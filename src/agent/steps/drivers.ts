/**
 * Drivers for what the kernel found: every device says what it is (`modalias`), and depmod's table says which modules want to hear that.
 * Here rather than by busybox's modprobe, which walks the table for each device and takes seconds over it.
 */
import type { Clock } from "#io/clock.ts";
import { sleep } from "#io/clock.ts";
import type { Machine } from "#io/machine.ts";
import { toLatin1 } from "#std/bytes.ts";

const RELEASE = "/proc/sys/kernel/osrelease";
const TABLE_LIMIT = 1024 * 1024;
/** No device asks for these: disks behind SCSI, and what looks for management controllers itself. */
const UNASKED = ["sd_mod", "ipmi_devintf", "ipmi_si"];
/** Milliseconds between two looks, and how long slow buses (USB, some RAID controllers) are waited for. */
const LOOK = 1_000;
const PATIENCE = 60_000;

/** From a `modules.alias`: device → names of modules. */
export function createAliasTable(text: string): (modalias: string) => string[] {
  // The bus before the first colon divides the table; only its patterns are tried.
  const byBus = new Map<string, { readonly pattern: string; readonly module: string }[]>();
  for (const line of text.split("\n")) {
    const [word, pattern, module] = line.split(" ");
    if (word !== "alias" || pattern === undefined || module === undefined) continue;
    const bus = busOf(pattern);
    const patterns = byBus.get(bus);
    if (patterns === undefined) byBus.set(bus, [{ pattern, module }]);
    else patterns.push({ pattern, module });
  }
  return (modalias) => {
    const hits = (byBus.get(busOf(modalias)) ?? []).filter(({ pattern }) => isMatch(modalias, pattern));
    return [...new Set(hits.map(({ module }) => module))];
  };
}

function busOf(alias: string): string {
  return alias.slice(0, alias.indexOf(":") + 1);
}

/**
 * fnmatch(3) with `*`, `?` and `[…]`, in time proportional to the product of the lengths: only the last `*` is ever taken back.
 */
export function isMatch(text: string, pattern: string): boolean {
  let [at, want] = [0, 0];
  let [star, retry] = [-1, 0];
  while (at < text.length) {
    const width = want < pattern.length && pattern[want] !== "*" ? unitAt(pattern, want, text[at]!) : 0;
    if (width > 0) {
      at++;
      want += width;
    } else if (pattern[want] === "*") {
      star = want++;
      retry = at;
    } else if (star >= 0) {
      want = star + 1;
      at = ++retry;
    } else return false;
  }
  while (pattern[want] === "*") want++;
  return want === pattern.length;
}

/** How many characters of the pattern at `at` stand for `character`; 0 when they do not. */
function unitAt(pattern: string, at: number, character: string): number {
  const end = pattern[at] === "[" ? pattern.indexOf("]", at) : -1;
  if (end < 0) return pattern[at] === "?" || pattern[at] === character ? 1 : 0;
  const set = pattern.slice(at + 1, end);
  for (let i = 0; i < set.length; i++) {
    const isRange = set[i + 1] === "-" && i + 2 < set.length;
    if (isRange ? set[i]! <= character && character <= set[i + 2]! : set[i] === character) return end - at + 1;
    if (isRange) i += 2;
  }
  return 0;
}

export interface Drivers {
  /** What was there at power-on has its drivers, and these have looked: modprobe waits for them. */
  readonly settled: Promise<void>;
  /** Nothing new has turned up for a minute either: USB, and controllers that spin up disks, take their time. */
  readonly rest: Promise<void>;
}

/** Network interfaces, and the bus of virtual machines that has theirs: the way to the server comes before the disks. */
const URGENT = /^pci:v00001AF4|^pci:.*bc02|^virtio:d00000001|^vmbus:|^xen:|^usb:/;

/** Loads what devices ask for; a driver may find new devices, so until nothing new turns up. Neither promise rejects. */
export function loadDrivers(machine: Machine, clock: Clock): Drivers {
  const known = new Set<string>();
  const loaded = new Set<string>();
  const load = async (modules: readonly string[]): Promise<void> => {
    const wanted = modules.filter((module) => !loaded.has(module));
    for (const module of wanted) loaded.add(module);
    // What fails is not there, like the management controller of a virtual machine; the kernel's log says so.
    if (wanted.length > 0) await machine.run("modprobe", ["-a", "-b", "-q", ...wanted], { timeout: PATIENCE });
  };
  const table = readTable(machine);
  const round = async (isWanted: (modalias: string) => boolean): Promise<boolean> => {
    const { output } = await machine.run("sh", ["-c", "cat /sys/bus/*/devices/*/modalias 2>/dev/null"]);
    const fresh = output.split("\n").filter((modalias) => modalias !== "" && !known.has(modalias) && isWanted(modalias));
    for (const modalias of fresh) known.add(modalias);
    await load([...new Set(fresh.flatMap(await table))]);
    return fresh.length > 0;
  };
  const settle = async (): Promise<void> => {
    while (await round((modalias) => URGENT.test(modalias)));
    while (await round(() => true));
    await load(UNASKED);
  };
  const settled = settle();
  const linger = async (): Promise<void> => {
    await settled;
    for (let quiet = 0; quiet < PATIENCE; quiet += LOOK) {
      await sleep(clock, LOOK);
      if (await round(() => true)) quiet = 0;
    }
  };
  return { settled, rest: linger() };
}

async function readTable(machine: Machine): Promise<(modalias: string) => string[]> {
  const release = toLatin1((await machine.read(RELEASE)) ?? new Uint8Array()).trim();
  return createAliasTable(
    toLatin1((await machine.read(`/lib/modules/${release}/modules.alias`, TABLE_LIMIT)) ?? new Uint8Array()),
  );
}
