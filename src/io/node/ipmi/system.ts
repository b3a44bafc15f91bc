/** What the kernel's IPMI device is asked with: the C library's calls on memory of its own, which does not move while the kernel writes to it. */
import { getSystemErrorMap } from "node:util";
import koffi from "koffi";
import { BLOCK_SIZE } from "./layout.ts";
import type { Block } from "./layout.ts";

export interface System {
  readonly block: Block;
  /** On the block. The name of the error (`EAGAIN`), or undefined when there is none. Does not wait. */
  ioctl(fd: number, request: number): string | undefined;
  /** Waits up to `timeout` ms, on a thread of its own. Resolves to whether there is something to read; an error counts as something. */
  poll(where: bigint, timeout: number): Promise<boolean>;
  /** Nothing may be asked any more. */
  free(): void;
}

type Call = (...args: unknown[]) => number;
interface AsyncCall extends Call {
  readonly async: (...args: [...unknown[], (error: Error | null, result: number) => void]) => void;
}

export function openSystem(): System {
  const library = koffi.load("libc.so.6");
  const ioctl = library.func("int ioctl(int, unsigned long, void *)") as Call;
  const poll = library.func("int poll(void *, uint64_t, int)") as unknown as AsyncCall;
  const memory: unknown = koffi.alloc("uint8_t", BLOCK_SIZE);
  const block = { view: new DataView(koffi.view(memory, BLOCK_SIZE)), address: koffi.address(memory) };
  return {
    block,
    ioctl: (fd, request) => {
      if (ioctl(fd, request, block.address) >= 0) return undefined;
      return getSystemErrorMap().get(-koffi.errno())?.[0] ?? `error ${koffi.errno()}`;
    },
    poll: (where, timeout) =>
      new Promise((resolve) => poll.async(where, 1, timeout, (_: unknown, ready: number) => resolve(ready !== 0))),
    free: () => koffi.free(memory),
  };
}
