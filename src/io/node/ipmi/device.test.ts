import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../../memory/clock.ts";
import { Fault } from "#std/fault.ts";
import { createDevice } from "./device.ts";
import type { System } from "./system.ts";

const BASE = 0x7f00_0000_1000n;

/** A kernel that answers as told; its memory is read as the C compiler lays it out. */
function createKernel(clock: VirtualClock, answers: (request: Uint8Array, id: bigint) => readonly Received[]) {
  const view = new DataView(new ArrayBuffer(512));
  const queue: Received[] = [];
  const errors: string[] = [];
  let freed = 0;
  const at = (pointer: bigint): number => Number(pointer - BASE);
  const system: System = {
    block: { view, address: BASE },
    ioctl(fd, request) {
      assert.equal(fd, 7);
      const error = errors.shift();
      if (error !== undefined) return error;
      if (request === 0x8028690d) {
        const address = at(view.getBigUint64(0, true));
        assert.equal(view.getUint32(8, true), 8);
        assert.deepEqual([view.getInt32(address, true), view.getInt16(address + 4, true)], [0x0c, 0x0f]);
        const [netFn, command, length] = [view.getUint8(24), view.getUint8(25), view.getUint16(26, true)];
        const data = at(view.getBigUint64(32, true));
        const bytes = Array.from({ length }, (_, i) => view.getUint8(data + i));
        queue.push(
          ...answers(Uint8Array.from([netFn, view.getUint8(address + 6), command, ...bytes]), view.getBigInt64(16, true)),
        );
        return undefined;
      }
      assert.equal(request, 0xc030690b);
      const received = queue.shift();
      if (received === undefined) return "EAGAIN";
      view.setInt32(0, received.type ?? 1, true);
      view.setBigInt64(24, received.id, true);
      assert.equal(view.getUint32(16, true), 40);
      assert.equal(view.getUint16(34, true), 272);
      view.setUint16(34, received.bytes.length, true);
      for (const [i, byte] of received.bytes.entries()) view.setUint8(at(view.getBigUint64(40, true)) + i, byte);
      return undefined;
    },
    poll(where, timeout) {
      const poll = at(where);
      assert.deepEqual([view.getInt32(poll, true), view.getInt16(poll + 4, true)], [7, 1]);
      if (queue.length > 0) return Promise.resolve(true);
      return new Promise((resolve) => void clock.after(timeout, () => resolve(queue.length > 0)));
    },
    free: () => void freed++,
  };
  return { system, queue, errors, freed: () => freed };
}

interface Received {
  readonly type?: number;
  readonly id: bigint;
  readonly bytes: readonly number[];
}

const GET_DEVICE_ID = { netFn: 6, command: 1, data: new Uint8Array() };

function open(answers: (request: Uint8Array, id: bigint) => readonly Received[]) {
  const clock = new VirtualClock();
  const kernel = createKernel(clock, answers);
  let released = 0;
  const device = createDevice({ fd: 7, system: kernel.system, clock, release: async () => void released++ });
  return { clock, kernel, device, released: () => released };
}

test("a request goes out as the kernel wants it, and its answer comes back", async () => {
  const seen: number[][] = [];
  const { device } = open((request, id) => {
    seen.push([...request]);
    return [{ id, bytes: [0xc1, 9, 8] }];
  });
  const answer = await device.request({ netFn: 12, lun: 2, command: 5, data: Uint8Array.of(1, 2, 3) });
  assert.deepEqual(answer, { completion: 0xc1, data: Uint8Array.of(9, 8) });
  assert.deepEqual(seen, [[12, 2, 5, 1, 2, 3]]);
});

test("two requests at once go out one after the other, each gets its own answer", async () => {
  const under: number[] = [];
  const { device } = open((request, id) => {
    under.push(request[2]!);
    return [{ id, bytes: [0, request[2]!] }];
  });
  const both = await Promise.all([1, 2].map((command) => device.request({ netFn: 6, command, data: new Uint8Array() })));
  assert.deepEqual(
    both.map(({ data }) => [...data]),
    [[1], [2]],
  );
  assert.deepEqual(under, [1, 2]);
});

test("events, and answers to what nobody waits for any more, are passed over", async () => {
  const { device } = open((_, id) => [
    { type: 2, id, bytes: [1, 1, 1] },
    { id: id - 1n, bytes: [0, 5] },
    { id, bytes: [0, 6] },
  ]);
  assert.deepEqual([...(await device.request(GET_DEVICE_ID)).data], [6]);
});

test("an answer that does not come is a time-out, and the next request is not harmed by it", async () => {
  let silent = true;
  const { clock, device, kernel } = open((_, id) => (silent ? [] : [{ id, bytes: [0] }]));
  const lost = assert.rejects(device.request(GET_DEVICE_ID), (fault) => Fault.is(fault, "io.timeout"));
  for (let i = 0; i < 100; i++) await clock.advance(250);
  await lost;
  kernel.queue.push({ id: 1n, bytes: [0, 99] });
  silent = false;
  assert.equal((await device.request(GET_DEVICE_ID)).data.length, 0);
});

test("a kernel that is out of room is asked again, one that refuses is not", async () => {
  const { clock, device, kernel } = open((_, id) => [{ id, bytes: [0] }]);
  kernel.errors.push("EAGAIN", "EBUSY");
  const sent = device.request(GET_DEVICE_ID);
  for (let i = 0; i < 10; i++) await clock.advance(100);
  assert.equal((await sent).completion, 0);
  kernel.errors.push("EINVAL");
  await assert.rejects(device.request(GET_DEVICE_ID), (fault) => Fault.is(fault, "io.failed") && /EINVAL/.test(fault.message));
});

test("an answer without a completion code is none", async () => {
  const { device } = open((_, id) => [{ id, bytes: [] }]);
  await assert.rejects(device.request(GET_DEVICE_ID), (fault) => Fault.is(fault, "io.malformed"));
});

test("an aborted request ends; closing ends the others, then frees the memory once", async () => {
  const { clock, device, kernel, released } = open(() => []);
  const abort = new AbortController();
  const first = assert.rejects(device.request(GET_DEVICE_ID, abort.signal), /enough/);
  const second = assert.rejects(device.request(GET_DEVICE_ID), (fault) => Fault.is(fault, "io.closed"));
  abort.abort(new Error("enough"));
  await clock.advance(250);
  await first;
  const closed = device.close();
  assert.equal(kernel.freed(), 0);
  await clock.advance(250);
  await Promise.all([second, closed]);
  await device.close();
  assert.deepEqual([kernel.freed(), released()], [1, 1]);
});
