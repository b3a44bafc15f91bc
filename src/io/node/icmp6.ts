/** The door to ICMPv6. Node cannot watch a raw socket, so it is asked every so often. */
import { readFile } from "node:fs/promises";
import { formatIpv6, parseIpv6 } from "#std/address.ts";
import { concat } from "#std/bytes.ts";
import type { OpenIcmp6 } from "../icmp6.ts";
import { int32, LEVEL, NativeSocket, openFault, OPTION, OPTION6, sendFault, socketAddress, TYPE } from "./socket.ts";

const POLL = 100;
/** Datagrams taken in one go, so that a flood leaves room for others. */
const BURST = 64;
/** `linux/icmpv6.h`: ICMPV6_FILTER. */
const FILTER = 1;
const HOP_LIMIT = 255;

export const openIcmp6: OpenIcmp6 = async ({ interface: device, types, groups }, receive) => {
  const what = `ICMPv6 on ${device}`;
  const index = await indexOf(device);
  let socket: NativeSocket | undefined;
  try {
    socket = new NativeSocket(6, TYPE.raw, LEVEL.icmp6);
    socket.set(LEVEL.socket, OPTION.bindToDevice, device);
    socket.set(LEVEL.icmp6, FILTER, filter(types));
    socket.set(LEVEL.ipv6, OPTION6.multicastHops, HOP_LIMIT);
    socket.set(LEVEL.ipv6, OPTION6.unicastHops, HOP_LIMIT);
    for (const group of groups) socket.set(LEVEL.ipv6, OPTION6.joinGroup, concat([parseIpv6(group)!, int32(index)]));
  } catch (error) {
    socket?.close();
    throw openFault(what, error);
  }
  const open = socket;
  const buffer = new Uint8Array(2048);
  const poll = setInterval(() => {
    for (let i = 0; i < BURST; i++) {
      const received = attempt(() => open.receive(buffer));
      if (received === undefined) return;
      receive({ bytes: buffer.slice(0, received.length), from: { address: formatIpv6(received.from, 8), port: 0 } });
    }
  }, POLL);
  poll.unref();
  let isClosed = false;
  return {
    send: async (bytes, to) => {
      try {
        open.send(bytes, socketAddress(6, to, 0, index));
      } catch (error) {
        throw sendFault(to, error);
      }
    },
    close: async () => {
      if (!isClosed) open.close();
      isClosed = true;
      clearInterval(poll);
    },
  };
};

/** A bit for each type that is kept away, in words of 32. */
function filter(types: readonly number[]): Uint8Array {
  const words = new Uint32Array(8).fill(0xffffffff);
  for (const type of types) words[type >>> 5]! &= ~(1 << (type & 31));
  return new Uint8Array(words.buffer);
}

async function indexOf(device: string): Promise<number> {
  const text = await readFile(`/sys/class/net/${device}/ifindex`, "utf8").catch(() => undefined);
  if (text === undefined) throw openFault(`ICMPv6 on ${device}`, { code: "ENODEV" });
  return Number(text);
}

/** An interface that goes away makes errors until it is closed. */
function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}
