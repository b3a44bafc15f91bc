/**
 * What the kernel and its IPMI device say to each other (`linux/ipmi.h`): structures of machines of 64 bits, lowest byte first, which x64 and arm64 are. They
 * are laid out in one block of memory, since the structures hold pointers to each other. `layout.test.ts` asks the C compiler whether it is so.
 */
import type { IpmiAnswer, IpmiMessage } from "../../ipmi-device.ts";
import { Fault } from "#std/fault.ts";

/** `_IOR('i', 13, struct ipmi_req)`: sends a request; does not wait for its answer. */
export const IPMICTL_SEND_COMMAND = 0x8028690d;
/** `_IOWR('i', 11, struct ipmi_recv)`: takes the next answer; EAGAIN when there is none. */
export const IPMICTL_RECEIVE_MSG_TRUNC = 0xc030690b;
/** `poll.h` */
export const POLLIN = 1;

/** `struct ipmi_req`: pointer to the address, its length, number of the message, `struct ipmi_msg`. */
export const REQ = { size: 40, addr: 0, addrLen: 8, msgId: 16, msg: 24 } as const;
/** `struct ipmi_recv`: the same behind what kind of message it is. */
export const RECV = { size: 48, recvType: 0, addr: 8, addrLen: 16, msgId: 24, msg: 32 } as const;
/** `struct ipmi_msg`: network function, command, length of the data, pointer to it. */
export const MSG = { size: 16, netFn: 0, cmd: 1, dataLen: 2, data: 8 } as const;
/** `struct ipmi_system_interface_addr` */
export const SYSTEM = { size: 8, addrType: 0, channel: 4, lun: 6 } as const;
/** `struct ipmi_addr`, which is as large as any. */
export const ADDRESS_SIZE = 40;

const IPMI_SYSTEM_INTERFACE_ADDR_TYPE = 0x0c;
const IPMI_BMC_CHANNEL = 0x0f;
/** An answer; others are events, and commands of other controllers. */
const IPMI_RESPONSE_RECV_TYPE = 1;
/** IPMI_MAX_MSG_LENGTH of `linux/ipmi_msgdefs.h` */
export const MOST_DATA = 272;

/** Where what is in the block. */
const AT = { head: 0, address: 48, data: 88, poll: 360 } as const;
export const BLOCK_SIZE = 368;

/** A block of memory that both sides see. */
export interface Block {
  readonly view: DataView;
  /** Of its first byte, as C has it. */
  readonly address: bigint;
}

/** Writes a request for the BMC's system interface into the block. Fault `io.failed` when it is longer than the kernel takes. */
export function writeRequest({ view, address }: Block, id: number, { netFn, lun = 0, command, data }: IpmiMessage): void {
  if (data.length > MOST_DATA) {
    throw new Fault("io.failed", `an IPMI request of ${data.length} bytes is too long`, { fault: "ours", retry: "never" });
  }
  clear(view, AT.head, REQ.size);
  view.setBigUint64(AT.head + REQ.addr, address + BigInt(AT.address), true);
  view.setUint32(AT.head + REQ.addrLen, SYSTEM.size, true);
  view.setBigInt64(AT.head + REQ.msgId, BigInt(id), true);
  writeMessage({ view, address }, AT.head + REQ.msg, { netFn, command, length: data.length });
  clear(view, AT.address, ADDRESS_SIZE);
  view.setInt32(AT.address + SYSTEM.addrType, IPMI_SYSTEM_INTERFACE_ADDR_TYPE, true);
  view.setInt16(AT.address + SYSTEM.channel, IPMI_BMC_CHANNEL, true);
  view.setUint8(AT.address + SYSTEM.lun, lun);
  for (const [i, byte] of data.entries()) view.setUint8(AT.data + i, byte);
}

/** Makes the block ready for an answer to be put into it. */
export function writeReceive(block: Block): void {
  const { view, address } = block;
  clear(view, AT.head, BLOCK_SIZE - POLL_SIZE);
  view.setBigUint64(AT.head + RECV.addr, address + BigInt(AT.address), true);
  view.setUint32(AT.head + RECV.addrLen, ADDRESS_SIZE, true);
  writeMessage(block, AT.head + RECV.msg, { netFn: 0, command: 0, length: MOST_DATA });
}

/** What was received, if it answers request `id`; undefined for everything else. Fault `io.malformed`. */
export function readAnswer({ view }: Block, id: number): IpmiAnswer | undefined {
  const isAnswer = view.getInt32(AT.head + RECV.recvType, true) === IPMI_RESPONSE_RECV_TYPE;
  if (!isAnswer || view.getBigInt64(AT.head + RECV.msgId, true) !== BigInt(id)) return undefined;
  const length = view.getUint16(AT.head + RECV.msg + MSG.dataLen, true);
  if (length === 0 || length > MOST_DATA) {
    throw new Fault("io.malformed", `the BMC answered with ${length} bytes`, { fault: "peer", retry: "later" });
  }
  const bytes = Uint8Array.from({ length }, (_, i) => view.getUint8(AT.data + i));
  return { completion: bytes[0]!, data: bytes.subarray(1) };
}

/** `struct pollfd`: waits for something to read. */
const POLL_SIZE = 8;

/** Writes the question whether `fd` has something to read; returns where in the block it is. */
export function writePoll({ view, address }: Block, fd: number): bigint {
  view.setInt32(AT.poll, fd, true);
  view.setInt16(AT.poll + 4, POLLIN, true);
  view.setInt16(AT.poll + 6, 0, true);
  return address + BigInt(AT.poll);
}

function writeMessage(
  { view, address }: Block,
  at: number,
  { netFn, command, length }: { readonly netFn: number; readonly command: number; readonly length: number },
): void {
  view.setUint8(at + MSG.netFn, netFn);
  view.setUint8(at + MSG.cmd, command);
  view.setUint16(at + MSG.dataLen, length, true);
  view.setBigUint64(at + MSG.data, address + BigInt(AT.data), true);
}

function clear(view: DataView, at: number, length: number): void {
  for (let i = at; i < at + length; i++) view.setUint8(i, 0);
}
