/** A machine that is a table: its files, where links lead, and what programs answer. */
import type { Ended, InterfaceAddress, Machine } from "../machine.ts";

export interface MemoryMachine extends Machine {
  /** By path, as text (one character a byte where it is not UTF-8) or bytes. Tests change them under way. */
  readonly files: Map<string, string | Uint8Array>;
  /** Symbolic links by path, already resolved. */
  readonly links: Map<string, string>;
  readonly addressed: InterfaceAddress[];
  /** Programs that ran, with their arguments, and `reboot`, `poweroff`. */
  readonly ran: string[];
  /** What a program answers; 0 and nothing, unless a test says otherwise. */
  answer: (program: string, args: readonly string[]) => Ended;
}

export function createMemoryMachine(files: Readonly<Record<string, string | Uint8Array>> = {}): MemoryMachine {
  const machine: MemoryMachine = {
    files: new Map(Object.entries(files)),
    links: new Map(),
    addressed: [],
    ran: [],
    answer: () => ({ status: 0, output: "" }),
    read: async (path, limit = 65_536) => {
      const content = machine.files.get(follow(machine, path));
      return content === undefined ? undefined : bytesOf(content).slice(0, limit);
    },
    list: async (path) => {
      const directory = `${follow(machine, path)}/`;
      const paths = [...machine.files.keys(), ...machine.links.keys()].filter((each) => each.startsWith(directory));
      return [...new Set(paths.map((each) => each.slice(directory.length).split("/", 1)[0]!))].toSorted();
    },
    resolve: async (path) => {
      const target = follow(machine, path);
      const isThere = machine.files.has(target) || [...machine.files.keys()].some((each) => each.startsWith(`${target}/`));
      return isThere || machine.links.has(path) ? target : undefined;
    },
    write: async (path, text) => {
      if (!machine.files.has(path)) return false;
      machine.files.set(path, text);
      return true;
    },
    run: async (program, args) => {
      machine.ran.push([program, ...args].join(" "));
      return machine.answer(program, args);
    },
    addresses: () => machine.addressed,
    reboot: async () => void machine.ran.push("reboot"),
    powerOff: async () => void machine.ran.push("poweroff"),
  };
  return machine;
}

/** The path with its longest prefix that is a link replaced. */
function follow({ links }: MemoryMachine, path: string): string {
  for (let cut = path.length; cut > 0; cut = path.lastIndexOf("/", cut - 1)) {
    const target = links.get(path.slice(0, cut));
    if (target !== undefined) return target + path.slice(cut);
  }
  return path;
}

function bytesOf(content: string | Uint8Array): Uint8Array {
  return typeof content === "string" ? Buffer.from(content) : content;
}
