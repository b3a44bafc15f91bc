import type { Structure } from "./structure.ts";

/** The fields of a structure by the specification's offsets. One beyond its formatted area, as in older versions, is undefined. */
export class Fields {
  readonly #structure: Structure;
  readonly #view: DataView;

  constructor(structure: Structure) {
    this.#structure = structure;
    const { buffer, byteOffset, byteLength } = structure.formatted;
    this.#view = new DataView(buffer, byteOffset, byteLength);
  }

  get handle(): number {
    return this.#structure.handle;
  }

  byte(at: number): number | undefined {
    return this.#has(at, 1) ? this.#view.getUint8(at) : undefined;
  }

  word(at: number): number | undefined {
    return this.#has(at, 2) ? this.#view.getUint16(at, true) : undefined;
  }

  double(at: number): number | undefined {
    return this.#has(at, 4) ? this.#view.getUint32(at, true) : undefined;
  }

  /** Exact up to 2^53. */
  quad(at: number): number | undefined {
    return this.#has(at, 8) ? Number(this.#view.getBigUint64(at, true)) : undefined;
  }

  bytes(at: number, length: number): Uint8Array | undefined {
    return this.#has(at, length) ? this.#structure.formatted.subarray(at, at + length) : undefined;
  }

  /** The string whose number is at `at`; undefined for none, for a number that has no string and for an empty one. */
  string(at: number): string | undefined {
    const number = this.byte(at) ?? 0;
    return this.#structure.strings[number - 1] || undefined;
  }

  #has(at: number, length: number): boolean {
    return at + length <= this.#view.byteLength;
  }
}
