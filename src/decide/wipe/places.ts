/**
 * Where on a disk things are found again: partition tables, file systems, arrays, volumes, encryption. A quick wipe zeroes these places; a disk that
 * keeps the rest is taken for an empty one by everybody but a laboratory.
 */
export interface Extent {
  /** Bytes from the beginning of the disk. */
  readonly at: number;
  readonly length: number;
}

const MIB = 1024 * 1024;
/**
 * At the beginning of the disk and of each partition: MBR, GPT (UEFI 2.10 §5.3), LVM (first 4 sectors and the metadata behind), md 1.1 and 1.2 (0 and
 * 4 KiB), two ZFS labels of 256 KiB, first superblocks of all file systems (btrfs 64 KiB), and LUKS 2 with its key slots, 16 MiB: without
 * these, what is encrypted stays so.
 */
const HEAD = 16 * MIB;
/** At their ends: the backup GPT, md 0.90 (64 KiB blocks) and 1.0 (8 KiB before the end), two ZFS labels, RAID controllers' metadata, LVM's second area. */
const TAIL = 4 * MIB;
/** btrfs has copies of its superblock at 64 MiB and 256 GiB of its device. */
const MIRRORS = [64 * MIB, 256 * 1024 * MIB];
const MIRROR = 64 * 1024;
/** More partitions than anybody makes: GPT has room for 128. */
const MOST = 1024;

/** The places of a disk of `bytes` with these partitions on it, in order, apart from each other, in multiples of `blockSize`. */
export function labelPlaces(bytes: number, partitions: readonly Extent[], blockSize: number): Extent[] {
  const whole = { at: 0, length: bytes };
  const places = [whole, ...partitions.slice(0, MOST)].flatMap(({ at, length }) => [
    { at, length: Math.min(HEAD, length) },
    { at: at + Math.max(0, length - TAIL), length: Math.min(TAIL, length) },
    ...MIRRORS.filter((mirror) => mirror + MIRROR <= length).map((mirror) => ({ at: at + mirror, length: MIRROR })),
  ]);
  const aligned = places.map(({ at, length }) => {
    const start = Math.max(0, Math.floor(at / blockSize) * blockSize);
    const end = Math.min(bytes, Math.ceil((at + length) / blockSize) * blockSize);
    return { at: start, length: end - start };
  });
  return joined(aligned.filter(({ length }) => length > 0));
}

function joined(extents: readonly Extent[]): Extent[] {
  const result: Extent[] = [];
  for (const extent of extents.toSorted((a, b) => a.at - b.at)) {
    const last = result.at(-1);
    if (last === undefined || extent.at > last.at + last.length) result.push(extent);
    else result[result.length - 1] = { at: last.at, length: Math.max(last.length, extent.at + extent.length - last.at) };
  }
  return result;
}

export const SAMPLE = 4096;

/**
 * `count` places of {@link SAMPLE} bytes, one in each of as many equal parts of the disk, where in it by the seed: whoever has the seed can look
 * again. Fewer on a small disk. `seed` is any text.
 */
export function samplePlaces(bytes: number, count: number, seed: string): Extent[] {
  const slots = Math.floor(bytes / SAMPLE);
  const parts = Math.min(count, slots);
  const next = generator(seed);
  return Array.from({ length: parts }, (_, part) => {
    const [from, to] = [Math.floor((part * slots) / parts), Math.floor(((part + 1) * slots) / parts)];
    return { at: (from + Math.floor(next() * (to - from))) * SAMPLE, length: SAMPLE };
  });
}

/** Numbers from 0 up to 1 with 53 bits, by SplitMix64 over the FNV-1a hash of the seed. */
function generator(seed: string): () => number {
  const mask = (1n << 64n) - 1n;
  let state = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(seed)) state = ((state ^ BigInt(byte)) * 0x100000001b3n) & mask;
  return () => {
    state = (state + 0x9e3779b97f4a7c15n) & mask;
    let mixed = state;
    mixed = ((mixed ^ (mixed >> 30n)) * 0xbf58476d1ce4e5b9n) & mask;
    mixed = ((mixed ^ (mixed >> 27n)) * 0x94d049bb133111ebn) & mask;
    return Number((mixed ^ (mixed >> 31n)) >> 11n) / 2 ** 53;
  };
}

/** What a sample tells of an erased disk. */
export type Finding = "gone" | "still there" | "not zero";

/** `before`: what was there; `leaves`: what the method leaves. A block that was all of one byte before may well be so afterwards. */
export function judge(before: Uint8Array, after: Uint8Array, leaves: "zeros" | "other"): Finding {
  if (isUniform(after, 0)) return "gone";
  if (leaves === "zeros") return "not zero";
  const isSame = after.length === before.length && after.every((byte, i) => byte === before[i]);
  return isSame && !isUniform(before, before[0]!) ? "still there" : "gone";
}

/** Whether all bytes are `byte`. */
export function isUniform(bytes: Uint8Array, byte: number): boolean {
  // Four at a time where they lie so: megabytes of zeros are looked at.
  const words = bytes.byteOffset % 4 === 0 ? new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2) : undefined;
  const word = (byte * 0x0101_0101) >>> 0;
  if (words !== undefined) for (const each of words) if (each !== word) return false;
  for (let i = (words?.length ?? 0) * 4; i < bytes.length; i++) if (bytes[i] !== byte) return false;
  return true;
}
