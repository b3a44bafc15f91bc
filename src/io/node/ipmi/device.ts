/** Requests and their answers on an open IPMI device: one after the other, as the hardware below takes them anyway. */
import type { Clock } from "../../clock.ts";
import type { IpmiAnswer, IpmiDevice, IpmiMessage } from "../../ipmi-device.ts";
import { Fault } from "#std/fault.ts";
import { IPMICTL_RECEIVE_MSG_TRUNC, IPMICTL_SEND_COMMAND, readAnswer, writePoll, writeReceive, writeRequest } from "./layout.ts";
import type { System } from "./system.ts";

/**
 * Milliseconds for one answer. The kernel tries for some ten seconds itself, and then answers in the BMC's stead (completion code 0xff); a BMC that writes
 * an account to its flash takes a few.
 */
const ANSWER = 20_000;
/** Milliseconds of one wait: how long it takes at most to notice that nobody wants the answer any more. */
const SLICE = 250;
/** Milliseconds until a kernel that has no room for a request is asked again. */
const FULL = 100;

export interface DeviceOptions {
  readonly fd: number;
  readonly system: System;
  readonly clock: Clock;
  /** Closes the file. */
  readonly release: () => Promise<void>;
}

export function createDevice({ fd, system, clock, release }: DeviceOptions): IpmiDevice {
  const closing = new AbortController();
  let last: Promise<unknown> = Promise.resolve();
  let messages = 0;

  async function exchange(message: IpmiMessage, signal: AbortSignal): Promise<IpmiAnswer> {
    const id = ++messages;
    const deadline = clock.monotonic() + ANSWER;
    const late = (): Fault => {
      const what = `no answer to IPMI command 0x${message.command.toString(16)} in ${ANSWER / 1000} s`;
      return new Fault("io.timeout", what, { fault: "world", retry: "soon" });
    };
    for (;;) {
      signal.throwIfAborted();
      writeRequest(system.block, id, message);
      const error = system.ioctl(fd, IPMICTL_SEND_COMMAND);
      if (error === undefined) break;
      if (!isTransient(error)) throw failed("send to", error);
      if (clock.monotonic() > deadline) throw late();
      await new Promise<void>((resolve) => void clock.after(FULL, resolve));
    }
    while (clock.monotonic() < deadline) {
      const isReady = await system.poll(writePoll(system.block, fd), SLICE);
      signal.throwIfAborted();
      if (!isReady) continue;
      writeReceive(system.block);
      const error = system.ioctl(fd, IPMICTL_RECEIVE_MSG_TRUNC);
      if (error !== undefined && !isTransient(error)) throw failed("receive from", error);
      // An answer that comes after its time is for a request that nobody waits for any more.
      const answer = error === undefined ? readAnswer(system.block, id) : undefined;
      if (answer !== undefined) return answer;
    }
    throw late();
  }

  return {
    request(message, signal) {
      const either = signal === undefined ? closing.signal : AbortSignal.any([signal, closing.signal]);
      const turn = last.then(() => exchange(message, either));
      last = turn.catch(() => undefined);
      return turn;
    },
    async close() {
      if (closing.signal.aborted) return;
      closing.abort(new Fault("io.closed", "the IPMI device was closed", { fault: "caller", retry: "never" }));
      await last;
      system.free();
      await release();
    },
  };
}

function isTransient(error: string): boolean {
  return error === "EAGAIN" || error === "EINTR" || error === "EBUSY";
}

function failed(what: string, error: string): Fault {
  return new Fault("io.failed", `cannot ${what} the BMC: ${error}`, { fault: "world", retry: "later" });
}
