/** A BMC that is a function: what it answers to each request, in the order in which they come. */
import { Fault } from "#std/fault.ts";
import type { IpmiAnswer, IpmiDevice, IpmiMessage } from "../ipmi-device.ts";

export type AnswerIpmi = (message: IpmiMessage) => IpmiAnswer | Promise<IpmiAnswer>;

export function createMemoryIpmiDevice(answer: AnswerIpmi): IpmiDevice {
  const closed = (): Fault => new Fault("io.closed", "the IPMI device was closed", { fault: "caller", retry: "never" });
  let isClosed = false;
  let last: Promise<unknown> = Promise.resolve();
  return {
    request(message, signal) {
      const turn = last.then(async () => {
        signal?.throwIfAborted();
        if (isClosed) throw closed();
        const answered = await answer({ ...message, data: message.data.slice() });
        signal?.throwIfAborted();
        if (isClosed) throw closed();
        return answered;
      });
      last = turn.catch(() => undefined);
      return turn;
    },
    async close() {
      isClosed = true;
      await last;
    },
  };
}
