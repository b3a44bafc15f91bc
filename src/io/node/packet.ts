/** The packet door on AF_PACKET (packet(7)). */
import { parseMac } from "#std/address.ts";
import { concat, uintBytes } from "#std/bytes.ts";
import type { OpenPackets } from "../packet.ts";
import { int32, NativeSocket, openFault, TYPE } from "./socket.ts";

const AF_PACKET = 17;
const SOL_PACKET = 263;
const PACKET_ADD_MEMBERSHIP = 1;
const FRAME = 2048;
const MOST = 64;

export const openPackets: OpenPackets = ({ index, etherType, group }) => {
  const protocol = uintBytes(etherType, 2);
  try {
    // The kernel wants the protocol in network order, as a number.
    const socket = new NativeSocket("packet", TYPE.raw, protocol[0]! + protocol[1]! * 256);
    try {
      // struct sockaddr_ll, and struct packet_mreq with PACKET_MR_MULTICAST (0).
      socket.bind(concat([new Uint8Array([AF_PACKET, 0]), protocol, int32(index), new Uint8Array(12)]));
      const member = concat([int32(index), new Uint8Array([0, 0, 6, 0]), parseMac(group)!, new Uint8Array(2)]);
      socket.set(SOL_PACKET, PACKET_ADD_MEMBERSHIP, member);
    } catch (cause) {
      socket.close();
      throw cause;
    }
    return {
      take: () => {
        const frames: Uint8Array[] = [];
        const buffer = new Uint8Array(FRAME);
        for (let left = MOST; left > 0; left--) {
          const received = socket.receive(buffer);
          if (received === undefined) break;
          frames.push(buffer.slice(0, received.length));
        }
        return frames;
      },
      close: () => socket.close(),
    };
  } catch (cause) {
    throw openFault(`packets of type 0x${etherType.toString(16)} on interface ${index}`, cause);
  }
};
