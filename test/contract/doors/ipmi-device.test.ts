/** What every way to a machine's own BMC does: the one by the kernel's device (on a kernel of this test's making) and the memory twin. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { systemClock } from "#io/node/clock.ts";
import { createMemoryIpmiDevice } from "#io/memory/ipmi-device.ts";
import type { AnswerIpmi } from "#io/memory/ipmi-device.ts";
import { createDevice } from "#io/node/ipmi/device.ts";
import { BLOCK_SIZE, IPMICTL_SEND_COMMAND, MSG, RECV, REQ } from "#io/node/ipmi/layout.ts";
import type { IpmiDevice } from "#io/ipmi-device.ts";
import { Fault } from "#std/fault.ts";

const BASE = 0x1000n;

/** A kernel whose BMC answers as told, when it has. */
function onKernel(answer: AnswerIpmi): IpmiDevice {
  const view = new DataView(new ArrayBuffer(BLOCK_SIZE));
  const at = (pointer: bigint): number => Number(pointer - BASE);
  const queue: { readonly id: bigint; readonly bytes: readonly number[] }[] = [];
  let wake = (): void => {};
  const send = (): undefined => {
    const data = at(view.getBigUint64(REQ.msg + MSG.data, true));
    const bytes = new Uint8Array(view.buffer).slice(data, data + view.getUint16(REQ.msg + MSG.dataLen, true));
    const id = view.getBigInt64(REQ.msgId, true);
    const message = { netFn: view.getUint8(REQ.msg), command: view.getUint8(REQ.msg + MSG.cmd), data: bytes };
    void Promise.resolve(answer(message)).then(({ completion, data: rest }) => {
      queue.push({ id, bytes: [completion, ...rest] });
      wake();
    });
  };
  const receive = (): string | undefined => {
    const received = queue.shift();
    if (received === undefined) return "EAGAIN";
    view.setInt32(RECV.recvType, 1, true);
    view.setBigInt64(RECV.msgId, received.id, true);
    view.setUint16(RECV.msg + MSG.dataLen, received.bytes.length, true);
    for (const [i, byte] of received.bytes.entries()) view.setUint8(at(view.getBigUint64(RECV.msg + MSG.data, true)) + i, byte);
    return undefined;
  };
  return createDevice({
    fd: 3,
    clock: systemClock,
    release: async () => {},
    system: {
      block: { view, address: BASE },
      ioctl: (_, request) => (request === IPMICTL_SEND_COMMAND ? send() : receive()),
      poll: (_, timeout) =>
        new Promise((resolve) => {
          if (queue.length > 0) return resolve(true);
          const timer = setTimeout(() => resolve(false), timeout);
          wake = () => {
            clearTimeout(timer);
            resolve(true);
          };
        }),
      free() {},
    },
  });
}

for (const [name, open] of Object.entries({ node: onKernel, memory: createMemoryIpmiDevice })) {
  describe(`IPMI device: ${name}`, () => {
    const ask = (device: IpmiDevice, command: number, signal?: AbortSignal) =>
      device.request({ netFn: 6, command, data: Uint8Array.of(command, 9) }, signal);

    test("what the BMC answers comes back, also when it says no", async () => {
      const device = open(({ netFn, command, data }) => ({
        completion: command === 2 ? 0xc1 : 0,
        data: Uint8Array.of(netFn, command, ...data),
      }));
      assert.deepEqual(await ask(device, 1), { completion: 0, data: Uint8Array.of(6, 1, 1, 9) });
      assert.deepEqual(await ask(device, 2), { completion: 0xc1, data: Uint8Array.of(6, 2, 2, 9) });
      await device.close();
    });

    test("one request is under way at a time, and they go out in their order", async () => {
      const log: string[] = [];
      const device = open(async ({ command }) => {
        log.push(`begins ${command}`);
        await new Promise((resolve) => setTimeout(resolve, 5));
        log.push(`ends ${command}`);
        return { completion: 0, data: new Uint8Array() };
      });
      await Promise.all([1, 2, 3].map((command) => ask(device, command)));
      assert.deepEqual(
        log,
        [1, 2, 3].flatMap((command) => [`begins ${command}`, `ends ${command}`]),
      );
      await device.close();
    });

    test("nobody's answer is taken by somebody else: who gave up, and who was closed", async () => {
      let release = (): void => {};
      const device = open(async ({ command }) => {
        if (command === 1) await new Promise<void>((resolve) => (release = resolve));
        return { completion: 0, data: Uint8Array.of(command) };
      });
      const stop = new AbortController();
      const first = assert.rejects(ask(device, 1, stop.signal), /enough/);
      const second = ask(device, 2);
      await new Promise((resolve) => setTimeout(resolve, 5));
      stop.abort(new Error("enough"));
      release();
      await first;
      assert.deepEqual([...(await second).data], [2]);
      await device.close();
      await device.close();
      await assert.rejects(ask(device, 3), (fault) => Fault.is(fault, "io.closed"));
    });
  });
}
