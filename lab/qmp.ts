/** QEMU's machine protocol on a stream: a JSON object a line, answers in the order of the requests, events in between (QEMU docs/interop/qmp-spec). */
import type { Duplex } from "node:stream";
import { createInterface } from "node:readline";

export interface Qmp {
  /** Throws what QEMU says when it refuses, or that it is gone. */
  execute(command: string, args?: Readonly<Record<string, unknown>>): Promise<unknown>;
  /** Called with the name of everything that happens to the machine, such as `RESET`. */
  onEvent(listener: (name: string) => void): void;
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

export function createQmp(stream: Duplex): Qmp {
  const waiting: Waiting[] = [];
  const listeners: ((name: string) => void)[] = [];
  let isGone = false;
  const lines = createInterface({ input: stream });
  lines.on("line", (line) => {
    const message = JSON.parse(line) as { return?: unknown; error?: { desc: string }; event?: string };
    if (message.error !== undefined) waiting.shift()?.reject(new Error(`QEMU: ${message.error.desc}`));
    else if ("return" in message) waiting.shift()?.resolve(message.return);
    else if (message.event !== undefined) for (const listener of listeners) listener(message.event);
  });
  const end = (): void => {
    isGone = true;
    for (const { reject } of waiting.splice(0)) reject(new Error("QEMU has ended"));
  };
  lines.on("close", end);
  stream.on("error", end);

  const execute = (command: string, args?: Readonly<Record<string, unknown>>): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (isGone) return reject(new Error("QEMU has ended"));
      waiting.push({ resolve, reject });
      stream.write(`${JSON.stringify({ execute: command, ...(args && { arguments: args }) })}\n`);
    });
  // Nothing else is taken before this; whoever asks next finds it in front of his.
  execute("qmp_capabilities").catch(() => undefined);
  return { execute, onEvent: (listener) => void listeners.push(listener) };
}
