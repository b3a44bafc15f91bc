/**
 * A disk with something on it: every block has its own pattern, so that what has not been wiped can be told from what has, wherever it is. Only
 * what was written takes memory.
 */
import type { Installation } from "../talos/body.ts";
import type { DiskModel } from "./model.ts";

export const CHUNK = 4096;
const BLOCK = 512;

/** Of a chunk: as it came, all zeros, or kept in memory. */
const STATE = { pattern: 0, zero: 1, kept: 2 } as const;

export class SimDisk {
  readonly name: string;
  readonly model: DiskModel;
  /** Nothing can be read or written. */
  fails = false;
  /** Called before anything changes. */
  onWrite: () => void = () => {};
  #system: Installation | undefined;
  readonly #seed: number;
  readonly #states: Uint8Array;
  readonly #kept = new Map<number, Uint8Array>();

  constructor(model: DiskModel, seed: number) {
    this.name = model.name;
    this.model = model;
    this.#seed = seed;
    this.#states = new Uint8Array(model.size / CHUNK);
  }

  /** The same content, on a disk of its own. */
  copy(): SimDisk {
    const copy = new SimDisk(this.model, this.#seed);
    copy.#states.set(this.#states);
    for (const [chunk, bytes] of this.#kept) copy.#kept.set(chunk, bytes.slice());
    return copy;
  }

  /** What it boots, until somebody writes over its beginning. */
  get system(): Installation | undefined {
    return this.#system;
  }

  install(system: Installation): void {
    this.fill();
    this.#system = system;
  }

  read(at: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length;) {
      const chunk = Math.floor((at + done) / CHUNK);
      const from = (at + done) % CHUNK;
      const part = Math.min(CHUNK - from, length - done);
      bytes.set(this.#chunk(chunk).subarray(from, from + part), done);
      done += part;
    }
    return bytes;
  }

  write(at: number, bytes: Uint8Array): void {
    this.onWrite();
    for (let done = 0; done < bytes.length;) {
      const chunk = Math.floor((at + done) / CHUNK);
      const from = (at + done) % CHUNK;
      const part = bytes.subarray(done, done + CHUNK - from);
      if (part.length === CHUNK && part.every((byte) => byte === 0)) this.#put(chunk, STATE.zero);
      else this.#keep(chunk).set(part, from);
      done += part.length;
    }
  }

  zero(at: number, length: number): void {
    this.onWrite();
    for (let done = 0; done < length;) {
      const chunk = Math.floor((at + done) / CHUNK);
      const from = (at + done) % CHUNK;
      const part = Math.min(CHUNK - from, length - done);
      if (part === CHUNK) this.#put(chunk, STATE.zero);
      else this.#keep(chunk).fill(0, from, from + part);
      done += part;
    }
  }

  /** Whether any block between the two places still has what was on it when the machine came. */
  hasOldContent(from = 0, to = this.model.size): boolean {
    for (let chunk = Math.floor(from / CHUNK); chunk < Math.ceil(to / CHUNK); chunk++) {
      if (this.#states[chunk] === STATE.pattern) return true;
      const kept = this.#kept.get(chunk);
      if (kept === undefined) continue;
      const pattern = this.#pattern(chunk);
      for (let at = 0; at < CHUNK; at += BLOCK) {
        if (kept.subarray(at, at + BLOCK).every((byte, i) => byte === pattern[at + i])) return true;
      }
    }
    return false;
  }

  /** A person has put it back in use: something is on it again. */
  fill(): void {
    this.onWrite();
    this.#states.fill(STATE.pattern);
    this.#kept.clear();
  }

  #put(chunk: number, state: number): void {
    if (chunk === 0) this.#forget();
    this.#states[chunk] = state;
    this.#kept.delete(chunk);
  }

  #keep(chunk: number): Uint8Array {
    const known = this.#kept.get(chunk);
    if (known !== undefined) return known;
    if (chunk === 0) this.#forget();
    const bytes = this.#chunk(chunk);
    this.#kept.set(chunk, bytes);
    this.#states[chunk] = STATE.kept;
    return bytes;
  }

  #forget(): void {
    const system = this.#system;
    this.#system = undefined;
    system?.onErased();
  }

  #chunk(chunk: number): Uint8Array {
    const kept = this.#kept.get(chunk);
    if (kept !== undefined) return kept;
    return this.#states[chunk] === STATE.zero ? new Uint8Array(CHUNK) : this.#pattern(chunk);
  }

  /** No block of it is zeros, and none is like another one. */
  #pattern(chunk: number): Uint8Array {
    const words = new Uint32Array(CHUNK / 4);
    let state = (this.#seed ^ Math.imul(chunk + 1, 0x9e3779b9)) >>> 0;
    for (let i = 0; i < words.length; i++) words[i] = state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return new Uint8Array(words.buffer);
  }
}
