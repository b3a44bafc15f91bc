/**
 * Logs of machines, on disk: lines are gathered for a moment, written to the machine's newest file, and then told to whoever follows. What is held in memory
 * has bounds, for each machine and for all; what is on disk has a budget (`decide/link/rotation.ts`).
 */
import { decideRotation, type LogBudget, type LogFile } from "#decide/link/rotation.ts";
import type { Clock } from "#io/clock.ts";
import type { Log } from "#io/log.ts";
import type { LogFiles } from "#io/log-files.ts";
import { concat } from "#std/bytes.ts";
import { Fault } from "#std/fault.ts";
import { tailOf, wholeOf } from "./read.ts";

export interface MachineLogsOptions {
  readonly files: LogFiles;
  readonly clock: Clock;
  readonly log: Log;
  readonly budget: LogBudget;
}

/** Bytes that wait to be written. */
const MOST_WAITING = { machine: 256 * 1024, all: 32 * 1024 * 1024 };
/** Milliseconds that lines are gathered. */
const GATHERING = 200;
/** Milliseconds between two looks at the budget of all: they take longer the more machines there are. */
const LOOKING = 1000;
const NEWLINE = 0x0a;

interface Waiting {
  readonly pieces: Uint8Array[];
  bytes: number;
}

export class MachineLogs {
  readonly #options: MachineLogsOptions;
  /** Of each machine, oldest first. */
  readonly #files = new Map<string, LogFile[]>();
  /** Whose newest file this process has written to, or found in order. */
  readonly #inOrder = new Set<string>();
  readonly #waiting = new Map<string, Waiting>();
  readonly #followers = new Map<string, Set<(bytes: Uint8Array) => void>>();
  #waitingBytes = 0;
  #rooms: (() => void)[] = [];
  #writing: Promise<void> | undefined;
  #looked = Number.NEGATIVE_INFINITY;
  #failures = 0;
  /** Lines that were not kept: there was no room, or the disk did not take them. */
  lost = 0;

  private constructor(options: MachineLogsOptions) {
    this.#options = options;
  }

  /** Rejects as the door does. */
  static async open(options: MachineLogsOptions): Promise<MachineLogs> {
    const logs = new MachineLogs(options);
    const found = await options.files.list();
    for (const file of found.toSorted((a, b) => a.number - b.number)) logs.#of(file.machine).push(file);
    return logs;
  }

  /** Names of machines that have a log. */
  machines(): string[] {
    return [...this.#files.keys()];
  }

  /** `line` without its end; false: there is no room now, and it was not taken. */
  append(machine: string, line: Uint8Array): boolean {
    const waiting = this.#waiting.get(machine) ?? { pieces: [], bytes: 0 };
    const bytes = line.length + 1;
    if (waiting.bytes + bytes > MOST_WAITING.machine || this.#waitingBytes + bytes > MOST_WAITING.all) return false;
    waiting.pieces.push(concat([line, Uint8Array.of(NEWLINE)]));
    waiting.bytes += bytes;
    this.#waitingBytes += bytes;
    this.#waiting.set(machine, waiting);
    this.#writing ??= this.#writeSoon();
    return true;
  }

  /** Resolves when what waits now has been written: then there is room again. */
  room(): Promise<void> {
    return this.#writing === undefined ? Promise.resolve() : new Promise((resolve) => this.#rooms.push(resolve));
  }

  /** The last `lines` lines (absent: all there are) in pieces that end anywhere; what is written meanwhile is left out. */
  read(machine: string, lines?: number): AsyncGenerator<Uint8Array, void> {
    const files = (this.#files.get(machine) ?? []).map((file) => ({ ...file }));
    const { files: door } = this.#options;
    return lines === undefined ? wholeOf(door, files) : tailOf(door, files, lines);
  }

  /** What is written from now on, in whole lines. Returns what ends it. Together with a `read` begun in the same turn nothing is missing and nothing double. */
  follow(machine: string, take: (bytes: Uint8Array) => void): () => void {
    const followers = this.#followers.get(machine) ?? new Set();
    followers.add(take);
    this.#followers.set(machine, followers);
    return () => {
      followers.delete(take);
      if (followers.size === 0 && this.#followers.get(machine) === followers) this.#followers.delete(machine);
    };
  }

  /** Resolves when everything taken so far is written, or lost. */
  async flush(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  #of(machine: string): LogFile[] {
    const files = this.#files.get(machine) ?? [];
    this.#files.set(machine, files);
    return files;
  }

  async #writeSoon(): Promise<void> {
    await new Promise<void>((resolve) => void this.#options.clock.after(GATHERING, resolve));
    for (const [machine, { pieces, bytes }] of this.#waiting) {
      this.#waiting.delete(machine);
      try {
        await this.#write(machine, concat(pieces));
        this.#failures = 0;
      } catch (error) {
        this.lost += pieces.length;
        this.#inOrder.delete(machine);
        const facts = { machine, because: Fault.from(error) };
        if (this.#failures++ === 0) this.#options.log.error("logs of machines cannot be written, and are lost for now", facts);
      }
      this.#waitingBytes -= bytes;
    }
    this.#writing = undefined;
    for (const resolve of this.#rooms.splice(0)) resolve();
  }

  async #write(machine: string, bytes: Uint8Array): Promise<void> {
    const { files: door } = this.#options;
    const { into, remove } = this.#rotation(machine, bytes.length);
    for (const { machine: whose, number } of remove) {
      await door.remove(whose, number);
      const left = this.#of(whose).filter((file) => file.number !== number);
      if (left.length === 0) this.#files.delete(whose);
      else this.#files.set(whose, left);
    }
    const own = this.#of(machine);
    const last = own.at(-1);
    const before = last?.number === into ? last.bytes : 0;
    const healed = await this.#healed(machine, into, before, bytes);
    await door.append(machine, into, healed);
    const written = { machine, number: into, bytes: before + healed.length };
    if (last?.number === into) own.splice(-1, 1, written);
    else own.push(written);
    for (const take of this.#followers.get(machine) ?? []) take(bytes);
  }

  /** A process that was killed, or a disk that was full, may have left half a line. */
  async #healed(machine: string, number: number, size: number, bytes: Uint8Array): Promise<Uint8Array> {
    if (this.#inOrder.has(machine) || size === 0) {
      this.#inOrder.add(machine);
      return bytes;
    }
    const [last] = await this.#options.files.read(machine, number, size - 1, 1);
    this.#inOrder.add(machine);
    return last === NEWLINE ? bytes : concat([Uint8Array.of(NEWLINE), bytes]);
  }

  #rotation(machine: string, bytes: number): ReturnType<typeof decideRotation> {
    const { budget, clock } = this.#options;
    const isTime = clock.monotonic() - this.#looked >= LOOKING;
    if (isTime) this.#looked = clock.monotonic();
    const files = isTime ? [...this.#files.values()].flat() : this.#of(machine);
    return decideRotation(files, machine, bytes, budget);
  }
}
