/** The log of one machine out of its files, in pieces: nobody holds a whole one. */
import type { LogFile } from "#decide/link/rotation.ts";
import type { LogFiles } from "#io/log-files.ts";

const PIECE = 64 * 1024;
const NEWLINE = 0x0a;

/** `files` oldest first; no more of each than it had. */
export async function* wholeOf(
  door: LogFiles,
  files: readonly LogFile[],
  start = { file: 0, at: 0 },
): AsyncGenerator<Uint8Array, void> {
  for (const [index, { machine, number, bytes }] of files.entries()) {
    if (index < start.file) continue;
    for (let at = index === start.file ? start.at : 0; at < bytes;) {
      const piece = await door.read(machine, number, at, Math.min(PIECE, bytes - at));
      // It has gone to keep the budget.
      if (piece.length === 0) break;
      yield piece;
      at += piece.length;
    }
  }
}

/** The last `lines` lines. */
export async function* tailOf(door: LogFiles, files: readonly LogFile[], lines: number): AsyncGenerator<Uint8Array, void> {
  if (lines > 0) yield* wholeOf(door, files, await startOf(door, files, lines));
}

/** Where the last `lines` lines begin, found from the end. */
async function startOf(door: LogFiles, files: readonly LogFile[], lines: number): Promise<{ file: number; at: number }> {
  // The end of the last line is no beginning of another one.
  let ends = 0;
  for (let file = files.length - 1; file >= 0; file--) {
    const { machine, number, bytes } = files[file]!;
    for (let to = bytes; to > 0;) {
      const from = Math.max(0, to - PIECE);
      const piece = await door.read(machine, number, from, to - from);
      for (let i = piece.length - 1; i >= 0; i--) {
        if (piece[i] === NEWLINE && ++ends > lines) return { file, at: from + i + 1 };
      }
      to = from;
    }
  }
  return { file: 0, at: 0 };
}
