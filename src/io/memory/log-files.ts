/** Logs of machines in memory. */
import { concat } from "#std/bytes.ts";
import { Fault } from "#std/fault.ts";
import type { LogFiles } from "../log-files.ts";

export class MemoryLogFiles implements LogFiles {
  /** By `<machine>/<number>`. */
  readonly files = new Map<string, Uint8Array>();
  /** What writing fails with. */
  problem: string | undefined;

  list(): ReturnType<LogFiles["list"]> {
    const all = [...this.files].map(([path, { length }]) => {
      const [machine = "", number] = path.split("/");
      return { machine, number: Number(number), bytes: length };
    });
    return Promise.resolve(all);
  }

  append(machine: string, number: number, bytes: Uint8Array): Promise<void> {
    if (this.problem !== undefined) {
      return Promise.reject(new Fault("io.no-space", `cannot write: ${this.problem}`, { fault: "world", retry: "later" }));
    }
    const path = `${machine}/${number}`;
    this.files.set(path, concat([this.files.get(path) ?? new Uint8Array(), bytes]));
    return Promise.resolve();
  }

  read(machine: string, number: number, from: number, length: number): Promise<Uint8Array> {
    return Promise.resolve((this.files.get(`${machine}/${number}`) ?? new Uint8Array()).slice(from, from + length));
  }

  remove(machine: string, number: number): Promise<void> {
    this.files.delete(`${machine}/${number}`);
    return Promise.resolve();
  }
}
