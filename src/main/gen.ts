/** What `sidero gen` needs of the machine it runs on. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { GenPorts } from "#cli/gen.ts";
import { disk } from "#io/node/disk.ts";
import { systemEntropy } from "#io/node/entropy.ts";
import { systemPki } from "#io/node/pki.ts";
import { Fault } from "#std/fault.ts";

export function openGenPorts(): GenPorts {
  return {
    readFile: (path) =>
      readFile(path, "utf8").catch((cause: Error) => {
        throw new Fault("cli.usage", `${path}: ${cause.message}`, { fault: "caller", retry: "never", cause });
      }),
    exists: existsSync,
    writeFile: async (path, text, mode) => {
      await disk.makeDirectory(dirname(path), 0o755);
      await disk.writeAtomic(path, text, mode);
    },
    minting: () => ({ pki: systemPki, entropy: systemEntropy, now: Date.now() }),
    tell: (line) => console.error(line),
    print: (text) => process.stdout.write(text),
  };
}
