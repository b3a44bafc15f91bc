/** The machine door on Linux: /sys and /proc, child processes, busybox's reboot and poweroff. */
import { execFile } from "node:child_process";
import { open, readdir, realpath, writeFile } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import type { Ended, Machine } from "../machine.ts";

const READ_LIMIT = 65_536;
const OUTPUT_LIMIT = 262_144;
const RUN_TIME = 30_000;

export const machine: Machine = {
  read: (path, limit = READ_LIMIT) => readStart(path, limit).catch(() => undefined),
  list: (path) =>
    readdir(path).then(
      (names) => names.toSorted(),
      () => [],
    ),
  resolve: (path) => realpath(path).catch(() => undefined),
  write: (path, text) =>
    // Without O_CREAT: what is not there is not made.
    writeFile(path, text, { flag: "r+" }).then(
      () => true,
      () => false,
    ),
  run: (program, args, { timeout = RUN_TIME } = {}) => run(program, args, timeout),
  addresses: () =>
    Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) =>
      addresses.flatMap(({ cidr, internal }) => (cidr === null ? [] : [{ interface: name, cidr, internal }])),
    ),
  reboot: async () => void (await run("reboot", ["-f"], RUN_TIME)),
  powerOff: async () => void (await run("poweroff", ["-f"], RUN_TIME)),
};

/** What nearly every file of /sys fits in. */
const FIRST_READ = 4096;

/** Files of /sys say that they have 4096 bytes, and have fewer; those of /proc say 0. So it is read to the end. */
async function readStart(path: string, limit: number): Promise<Uint8Array> {
  const file = await open(path, "r");
  try {
    const pieces: Buffer[] = [];
    for (let length = 0; length < limit;) {
      const piece = Buffer.allocUnsafe(Math.min(limit - length, length === 0 ? FIRST_READ : READ_LIMIT));
      const { bytesRead } = await file.read(piece, 0, piece.length, null);
      if (bytesRead === 0) break;
      pieces.push(piece.subarray(0, bytesRead));
      length += bytesRead;
    }
    return new Uint8Array(Buffer.concat(pieces));
  } finally {
    await file.close();
  }
}

function run(program: string, args: readonly string[], timeout: number): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(program, args, { timeout, killSignal: "SIGKILL", maxBuffer: OUTPUT_LIMIT }, (error, stdout, stderr) => {
      const status = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
      resolve({ status, output: `${stdout}${stderr}`.slice(0, OUTPUT_LIMIT) });
    });
  });
}
