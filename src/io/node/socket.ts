/** Sockets with options that Node does not set: the C library's calls, and their errors as Faults. Linux on little-endian machines. */
import { getSystemErrorMap } from "node:util";
import koffi from "koffi";
import { parseIpv4, parseIpv6 } from "#std/address.ts";
import { uintBytes } from "#std/bytes.ts";
import { Fault } from "#std/fault.ts";

/** `asm-generic/socket.h` and `in6.h`: the same on x64 and arm64. */
export const LEVEL = { socket: 1, ipv6: 41, icmp6: 58 } as const;
export const OPTION = { reuseAddress: 2, broadcast: 6, receiveBuffer: 8, bindToDevice: 25, receiveBufferForce: 33 } as const;
export const OPTION6 = { joinGroup: 20, v6Only: 26, multicastHops: 18, unicastHops: 16 } as const;
const FAMILY = { 4: 2, 6: 10, packet: 17 } as const;
export const TYPE = { datagram: 2, raw: 3 } as const;
/** SOCK_NONBLOCK and SOCK_CLOEXEC. */
const FLAGS = 0o4000 | 0o2000000;

type Call = (...args: unknown[]) => number;
interface Libc {
  readonly socket: Call;
  readonly setsockopt: Call;
  readonly bind: Call;
  readonly close: Call;
  readonly recvfrom: Call;
  readonly sendto: Call;
}

let loaded: Libc | undefined;

/** Loaded when first needed: roles that open no such socket run where there is no such library. */
function libc(): Libc {
  if (loaded !== undefined) return loaded;
  const library = koffi.load("libc.so.6");
  loaded = {
    socket: library.func("int socket(int, int, int)"),
    setsockopt: library.func("int setsockopt(int, int, int, const void *, uint32_t)"),
    bind: library.func("int bind(int, const void *, uint32_t)"),
    close: library.func("int close(int)"),
    recvfrom: library.func("int64_t recvfrom(int, _Out_ uint8_t *, size_t, int, _Out_ uint8_t *, _Inout_ uint32_t *)"),
    sendto: library.func("int64_t sendto(int, const void *, size_t, int, const void *, uint32_t)"),
  };
  return loaded;
}

/** The error number by name, such as `EPERM`. */
function lastError(): string {
  return getSystemErrorMap().get(-koffi.errno())?.[0] ?? `error ${koffi.errno()}`;
}

/** A socket that does not block, not yet bound. Every method but `close` throws the name of the error (`EPERM`) as a {@link SystemError}. */
export class NativeSocket {
  readonly fd: number;

  constructor(family: 4 | 6 | "packet", type: number, protocol = 0) {
    this.fd = checked(libc().socket(FAMILY[family], type | FLAGS, protocol));
  }

  set(level: number, option: number, value: number | string | Uint8Array): void {
    const bytes = typeof value === "number" ? int32(value) : typeof value === "string" ? Buffer.from(`${value}\0`) : value;
    checked(libc().setsockopt(this.fd, level, option, bytes, bytes.length));
  }

  /** For what is better to have: whether it could be set. */
  tryToSet(level: number, option: number, value: number): boolean {
    const bytes = int32(value);
    return libc().setsockopt(this.fd, level, option, bytes, bytes.length) === 0;
  }

  bind(address: Uint8Array): void {
    checked(libc().bind(this.fd, address, address.length));
  }

  /** The next datagram, as many bytes as `buffer` holds, and the sender's socket address; undefined when none is waiting. */
  receive(buffer: Uint8Array): { length: number; from: Uint8Array } | undefined {
    const from = new Uint8Array(28);
    const length = Number(libc().recvfrom(this.fd, buffer, buffer.length, 0, from, [from.length]));
    if (length >= 0) return { length, from };
    const code = lastError();
    if (code === "EAGAIN" || code === "EINTR") return undefined;
    throw new SystemError(code);
  }

  send(bytes: Uint8Array, to: Uint8Array): void {
    checked(Number(libc().sendto(this.fd, bytes, bytes.length, 0, to, to.length)));
  }

  close(): void {
    libc().close(this.fd);
  }
}

export class SystemError extends Error {
  readonly code: string;
  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

function checked(result: number): number {
  if (result < 0) throw new SystemError(lastError());
  return result;
}

export function int32(value: number): Uint8Array {
  return uintBytes(value, 4).reverse();
}

/** `struct sockaddr_in` or `sockaddr_in6`; `host` is an address, or "" for every one; `scope` the interface's index. */
export function socketAddress(family: 4 | 6, host: string, port: number, scope = 0): Uint8Array {
  const address = family === 4 ? parseIpv4(host || "0.0.0.0") : parseIpv6(host || "::");
  if (address === undefined) throw new SystemError("EINVAL");
  const bytes = new Uint8Array(family === 4 ? 16 : 28);
  bytes[0] = FAMILY[family];
  bytes.set(uintBytes(port, 2), 2);
  bytes.set(address, family === 4 ? 4 : 8);
  if (family === 6) bytes.set(int32(scope), 24);
  return bytes;
}

/** What opening failed with, as a Fault that names address, port and interface. */
export function openFault(what: string, cause: unknown): Fault {
  const code = (cause as { code?: unknown }).code;
  const [name, problem] = OPENING.get(String(code)) ?? [
    "io.listen-failed",
    cause instanceof Error ? cause.message : String(cause),
  ];
  return new Fault(name, `cannot open ${what}: ${problem}`, { fault: "world", retry: "later", cause });
}

const OPENING = new Map<string, readonly [code: string, problem: string]>([
  ["EADDRINUSE", ["io.address-in-use", "another program has this port"]],
  ["EACCES", ["io.no-permission", "it needs root, or the capability CAP_NET_BIND_SERVICE"]],
  ["EPERM", ["io.no-permission", "it needs root, or the capability CAP_NET_RAW"]],
  ["ENODEV", ["io.no-interface", "there is no such interface"]],
]);

/** What sending failed with, as a Fault that names where to. */
export function sendFault(to: string, cause: unknown): Fault {
  if (Fault.is(cause)) return cause;
  const code = String((cause as { code?: unknown }).code);
  const name = UNREACHABLE.has(code) ? "io.unreachable" : code === "EMSGSIZE" ? "io.too-large" : "io.failed";
  return new Fault(name, `cannot send to ${to}: ${code}`, { fault: "world", retry: "later", cause });
}

const UNREACHABLE = new Set(["ENETUNREACH", "EHOSTUNREACH", "ENETDOWN", "EHOSTDOWN", "ENODEV", "ENXIO", "EADDRNOTAVAIL"]);
