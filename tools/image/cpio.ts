/** The kernel's initramfs format, "newc" (Documentation/driver-api/early-userspace/buffer-format.rst), the same bytes for the same content. */

export interface Entry {
  /** Without a leading slash. */
  readonly path: string;
  /** With the file type, as in `st_mode`. */
  readonly mode: number;
  readonly content?: Uint8Array;
  /** Character devices. */
  readonly device?: readonly [major: number, minor: number];
}

export const directory = (path: string): Entry => ({ path, mode: 0o040755 });
export const file = (path: string, content: Uint8Array | string, mode = 0o644): Entry => ({
  path,
  mode: 0o100000 | mode,
  content: Buffer.from(content),
});
export const link = (path: string, target: string): Entry => ({ path, mode: 0o120777, content: Buffer.from(target) });
export const characterDevice = (path: string, major: number, minor: number): Entry => ({
  path,
  mode: 0o020600,
  device: [major, minor],
});

/** An archive of the entries by path, directories above them included; owner root, no times. */
export function archive(entries: readonly Entry[]): Buffer {
  const all = new Map<string, Entry>();
  for (const entry of entries) {
    for (let cut = entry.path.indexOf("/"); cut > 0; cut = entry.path.indexOf("/", cut + 1)) {
      const above = entry.path.slice(0, cut);
      if (!all.has(above)) all.set(above, directory(above));
    }
    all.set(entry.path, entry);
  }
  // By code unit, not by locale; a directory sorts before what is in it.
  const sorted = [...all.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const parts = sorted.flatMap((entry, index) => record(entry, index + 1));
  return Buffer.concat([...parts, ...record({ path: "TRAILER!!!", mode: 0 }, 0)]);
}

function record({ path, mode, content = new Uint8Array(), device = [0, 0] }: Entry, inode: number): Uint8Array[] {
  const name = Buffer.from(`${path}\0`);
  const fields = [inode, mode, 0, 0, 1, 0, content.length, 0, 0, device[0], device[1], name.length, 0];
  const header = Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}`);
  return [header, name, padding(header.length + name.length), content, padding(content.length)];
}

function padding(length: number): Uint8Array {
  return new Uint8Array((4 - (length % 4)) % 4);
}
