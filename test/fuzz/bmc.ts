/** The machine's own BMC as the agent meets it: what the kernel puts into our memory, and a BMC that answers anything to anything. */
import assert from "node:assert/strict";
import { createAsking } from "#agent/steps/bmc/asking.ts";
import { describe, lookAtBmc } from "#agent/steps/bmc/look.ts";
import { openNetwork } from "#agent/steps/bmc/network.ts";
import { leftovers, slotsFor } from "#decide/bmc-setup/slots.ts";
import { noWay, waysOf } from "#decide/bmc-setup/ways.ts";
import type { Clock } from "#io/clock.ts";
import { createMemoryIpmiDevice } from "#io/memory/ipmi-device.ts";
import { BLOCK_SIZE, readAnswer, writeReceive } from "#io/node/ipmi/layout.ts";
import { fromHex } from "#std/bytes.ts";
import { Fault } from "#std/fault.ts";
import { latin, read, type Parser } from "./parser.ts";

const hex = (...texts: readonly string[]): Uint8Array[] => texts.map((text) => fromHex(text)!);
const BASE = 0x7f00_0000_0000n;

const device: Parser = {
  name: "ipmi-device",
  // struct ipmi_recv: an answer to request 5, of three bytes.
  seeds: [
    new Uint8Array(
      hex(`01000000${"00".repeat(20)}0500000000000000`.padEnd(64, "0") + "07010300".padEnd(112, "0") + "000908")[0]!,
    ),
  ],
  words: hex("01000000", "0500000000000000", "0f0c", "ffff", "1101", "0000"),
  longest: BLOCK_SIZE,
  run(input) {
    const view = new DataView(new ArrayBuffer(BLOCK_SIZE));
    writeReceive({ view, address: BASE });
    new Uint8Array(view.buffer).set(input);
    const answer = read(() => readAnswer({ view, address: BASE }, 5));
    if (answer !== undefined) assert.ok(answer.data.length < BLOCK_SIZE);
  },
};

/** Waiting takes no time. */
const hasty: Clock = {
  now: () => 0,
  monotonic: () => 0,
  after: (_, fire) => {
    queueMicrotask(fire);
    return { cancel() {} };
  },
};
/** Eleven channels with sixteen addresses of two kinds each, sixty-two users, all of them busy five times. */
const MOST_REQUESTS = 6 * (11 * 50 + 200);

/** Answers one behind the other: length, completion code, data. When they are used up, the BMC knows no command any more. */
const setup: Parser = {
  name: "bmc-setup",
  seeds: [
    Buffer.concat([
      ...hex("0c0020810440028f7c2a00010000", "0a0001040180000000000000", "05001100000000", "0500110a000009", "030011" + "02"),
      ...hex("07001102000000000109", "040011000000", "0400116f02", "020011" + "02", "03001100" + "01"),
      ...hex("05000a420134", "05000a410114", "11004144" + "4d494e".padEnd(28, "0"), "05000a810f0f", "1100" + "00".repeat(16)),
    ]),
    latin("\x00\xc1\x00\xc0"),
  ],
  words: [...hex("01c0", "01cc", "0180", "0200ff", "0a000104", "020011", "06003f"), latin("sidero"), latin("(Empty User)")],
  longest: 2048,
  async run(input) {
    let at = 0;
    let requests = 0;
    const bmc = createMemoryIpmiDevice(() => {
      assert.ok(++requests <= MOST_REQUESTS, "it is asked without end");
      if (at + 1 >= input.length) return { completion: 0xc1, data: new Uint8Array() };
      const length = Math.max(1, input[at]!);
      const bytes = input.subarray(at + 1, at + 1 + length);
      at += 1 + length;
      return { completion: bytes[0] ?? 0xff, data: Uint8Array.from(bytes.subarray(1)) };
    });
    const asking = createAsking(bmc, hasty, new AbortController().signal);
    try {
      const found = await lookAtBmc(asking);
      assert.ok(describe(found).length < 16_384);
      const ways = waysOf(found.channels);
      assert.equal(noWay(found.channels) === undefined, ways.length > 0);
      for (const { port } of ways) assert.ok(port > 0 && port < 65_536);
      for (const { id } of [...slotsFor("sidero", found.slots), ...leftovers("sidero", found.slots)])
        assert.ok(id > 1 && id < 64);
      await openNetwork(asking, found.channels);
    } catch (error) {
      if (!Fault.is(error) || !error.code.startsWith("ipmi.")) throw error;
    }
  },
};

export const bmcs: readonly Parser[] = [device, setup];
