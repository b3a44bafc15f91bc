/** Damage as networks, firmware and attackers do it: bits, lengths, truncation, repetition, pieces of one message in another. */

/** Numbers from a seed (mulberry32), so that a run can be repeated. */
export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 0 … below - 1. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  }

  of<T>(all: readonly T[]): T {
    return all[this.below(all.length)]!;
  }
}

interface Material {
  readonly corpus: readonly Uint8Array[];
  readonly words: readonly Uint8Array[];
  readonly longest: number;
}

type Mutation = (input: Buffer, chance: Chance, material: Material) => Uint8Array;

/** Values at which lengths and counts go wrong. */
const EDGES = [0, 1, 2, 3, 4, 7, 8, 15, 16, 63, 64, 127, 128, 191, 192, 253, 254, 255];

const MUTATIONS: readonly Mutation[] = [
  function flipBit(input, chance) {
    const at = chance.below(input.length);
    input[at]! ^= 1 << chance.below(8);
    return input;
  },
  function setByte(input, chance) {
    input[chance.below(input.length)] = chance.below(256);
    return input;
  },
  function edgeByte(input, chance) {
    input[chance.below(input.length)] = chance.of(EDGES);
    return input;
  },
  /** A byte that may be the length of what follows says what is left, a little more, or a little less. */
  function editLength(input, chance) {
    const at = chance.below(input.length);
    input[at] = input.length - at - 1 + chance.below(5) - 2;
    return input;
  },
  function editWideLength(input, chance) {
    if (input.length < 2) return input;
    const at = chance.below(input.length - 1);
    const value = (chance.of([input.length - at - 2, 0, 0xffff, 0x8000, 0x7fff, 0xff00]) + chance.below(3)) & 0xffff;
    if (chance.below(2) === 0) input.writeUInt16BE(value, at);
    else input.writeUInt16LE(value, at);
    return input;
  },
  function truncate(input, chance) {
    return input.subarray(0, chance.below(input.length));
  },
  function remove(input, chance) {
    const at = chance.below(input.length);
    return Buffer.concat([input.subarray(0, at), input.subarray(at + 1 + chance.below(8))]);
  },
  function repeat(input, chance) {
    const at = chance.below(input.length);
    const piece = input.subarray(at, at + 1 + chance.below(16));
    const times = 1 + chance.below(chance.of([2, 8, 64]));
    return Buffer.concat([input.subarray(0, at), ...Array.from({ length: times }, () => piece), input.subarray(at)]);
  },
  function insertWord(input, chance, { words }) {
    const at = chance.below(input.length + 1);
    return Buffer.concat([input.subarray(0, at), chance.of(words), input.subarray(at)]);
  },
  function overwriteWord(input, chance, { words }) {
    const at = chance.below(input.length);
    const word = chance.of(words);
    return Buffer.concat([input.subarray(0, at), word, input.subarray(at + word.length)]);
  },
  function splice(input, chance, { corpus }) {
    const other = chance.of(corpus);
    const from = chance.below(other.length + 1);
    return Buffer.concat([input.subarray(0, chance.below(input.length + 1)), other.subarray(from)]);
  },
];

/** An input of the corpus with one to six things done to it. */
export function mutate(chance: Chance, material: Material): Uint8Array {
  let input: Uint8Array = chance.of(material.corpus);
  for (let times = 1 + chance.below(6); times > 0; times--) {
    const mutation = input.length === 0 ? MUTATIONS[8]! : chance.of(MUTATIONS);
    input = mutation(Buffer.from(input), chance, material).subarray(0, material.longest);
  }
  return input;
}
