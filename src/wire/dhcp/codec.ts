/** The forms that option values have, each read and written in one place; DHCPv4 and DHCPv6 share them. */
import { formatIpv4, formatIpv6, parseIpv4, parseIpv6 } from "#std/address.ts";
import { concat, fromLatin1, readUint, toLatin1, uintBytes } from "#std/bytes.ts";
import type { Duration } from "#std/duration.ts";
import type { NetworkInterface, Route } from "./packet.ts";

export interface Codec<T> {
  /** What a value of this form is called: "an IPv4 address". */
  readonly form: string;
  /**
   * Undefined when the bytes are none. `offset` is where they begin in the message, for forms with options inside, which throw a
   * Fault that names the byte.
   */
  read(bytes: Uint8Array, offset: number): T | undefined;
  /** Undefined when the value has no such form. */
  write(value: T): Uint8Array | undefined;
}

/** Any bytes. */
export const raw: Codec<Uint8Array> = {
  form: "bytes",
  read: (bytes) => bytes.slice(),
  write: (value) => value,
};

/** An unsigned integer, most significant byte first. */
export function uint(width: 1 | 2 | 4): Codec<number> {
  return {
    form: `a number of ${width * 8} bits`,
    read: (bytes) => (bytes.length === width ? readUint(bytes, 0, width) : undefined),
    write: (value) => (Number.isInteger(value) && value >= 0 && value < 256 ** width ? uintBytes(value, width) : undefined),
  };
}

const FOREVER = 0xffffffff;

/** 32 bits of seconds; all ones are forever (RFC 2131 §3.3, RFC 8415 §7.7). Parts of a second are cut when written. */
export const seconds: Codec<Duration> = {
  form: "a time in seconds of 32 bits",
  read(bytes) {
    if (bytes.length !== 4) return undefined;
    const value = readUint(bytes, 0, 4);
    return value === FOREVER ? Infinity : value * 1000;
  },
  write(value) {
    if (value === Infinity) return uintBytes(FOREVER, 4);
    const whole = Math.floor(value / 1000);
    return whole >= 0 && whole < FOREVER ? uintBytes(whole, 4) : undefined;
  },
};

/** At least one character, a byte each; trailing NULs are cut. */
export const text: Codec<string> = {
  form: "a text",
  read(bytes) {
    let end = bytes.length;
    while (end > 0 && bytes[end - 1] === 0) end--;
    return end > 0 ? toLatin1(bytes.subarray(0, end)) : undefined;
  },
  write: (value) => (value === "" ? undefined : fromLatin1(value)),
};

export const ipv4: Codec<string> = {
  form: "an IPv4 address",
  read: (bytes) => (bytes.length === 4 ? formatIpv4(bytes) : undefined),
  write: parseIpv4,
};

export const ipv6: Codec<string> = {
  form: "an IPv6 address",
  read: (bytes) => (bytes.length === 16 ? formatIpv6(bytes) : undefined),
  write: parseIpv6,
};

/** One or more values of `width` bytes each. */
export function list<T>(item: Codec<T>, width: number): Codec<readonly T[]> {
  return {
    form: `a list, each ${item.form}`,
    read(bytes, offset) {
      if (bytes.length === 0 || bytes.length % width !== 0) return undefined;
      const count = bytes.length / width;
      return every(
        Array.from({ length: count }, (_, i) => item.read(bytes.subarray(i * width, (i + 1) * width), offset + i * width)),
      );
    },
    write(values) {
      const parts = values.length > 0 ? every(values.map((value) => item.write(value))) : undefined;
      return parts && concat(parts);
    },
  };
}

/** One or more values, each after its length in `lengthWidth` bytes; `minimum` is the least length of a value. */
export function lengthPrefixed<T>(item: Codec<T>, lengthWidth: 1 | 2, minimum: 0 | 1): Codec<readonly T[]> {
  return {
    form: `a list, each ${item.form} after its length`,
    read(bytes, offset) {
      const values: T[] = [];
      let at = 0;
      while (at < bytes.length) {
        const start = at + lengthWidth;
        const length = readUint(bytes, at, lengthWidth);
        if (start + length > bytes.length || length < minimum) return undefined;
        const value = item.read(bytes.subarray(start, start + length), offset + start);
        if (value === undefined) return undefined;
        values.push(value);
        at = start + length;
      }
      return values.length > 0 ? values : undefined;
    },
    write(values) {
      const items = values.length > 0 ? every(values.map((value) => item.write(value))) : undefined;
      if (items === undefined) return undefined;
      if (items.some((bytes) => bytes.length < minimum || bytes.length >= 256 ** lengthWidth)) return undefined;
      return concat(items.flatMap((bytes) => [uintBytes(bytes.length, lengthWidth), bytes]));
    },
  };
}

/** One byte that counts from `first`, as the words of a closed list. */
export function word<T extends string>(words: readonly T[], first: number, form: string): Codec<T> {
  return {
    form,
    read: (bytes) => (bytes.length === 1 ? words[bytes[0]! - first] : undefined),
    write: (value) => (words.includes(value) ? Uint8Array.of(words.indexOf(value) + first) : undefined),
  };
}

/** RFC 4578 §2.2, RFC 5970 §3.4. */
export const networkInterface: Codec<NetworkInterface> = {
  form: "a network interface's type and version",
  read: (bytes) => (bytes.length === 3 ? { type: bytes[0]!, major: bytes[1]!, minor: bytes[2]! } : undefined),
  write: ({ type, major, minor }) => list(uint(1), 1).write([type, major, minor]),
};

/** RFC 3442: the prefix length, the bytes of the network that it covers, the router. */
export const routes: Codec<readonly Route[]> = {
  form: "a list of classless routes",
  read(bytes) {
    const found: Route[] = [];
    for (let at = 0; at < bytes.length;) {
      const prefixLength = bytes[at]!;
      const width = Math.ceil(prefixLength / 8);
      if (prefixLength > 32 || at + 1 + width + 4 > bytes.length) return undefined;
      const network = masked(bytes.subarray(at + 1, at + 1 + width), prefixLength);
      found.push({ destination: formatIpv4(network), prefixLength, router: formatIpv4(bytes, at + 1 + width) });
      at += 1 + width + 4;
    }
    return found.length > 0 ? found : undefined;
  },
  write(values) {
    const parts = values.map(({ destination, prefixLength, router }) => {
      const [network, gateway] = [parseIpv4(destination), parseIpv4(router)];
      if (network === undefined || gateway === undefined || !(prefixLength >= 0 && prefixLength <= 32)) return undefined;
      const width = Math.ceil(prefixLength / 8);
      return concat([Uint8Array.of(prefixLength), masked(network, prefixLength).subarray(0, width), gateway]);
    });
    const all = values.length > 0 ? every(parts) : undefined;
    return all && concat(all);
  },
};

/** Four bytes whose bits past the prefix are zero: RFC 3442 has receivers clear them. */
function masked(network: Uint8Array, prefixLength: number): Uint8Array {
  return Uint8Array.from({ length: 4 }, (_, i) => {
    const bits = Math.min(8, Math.max(0, prefixLength - 8 * i));
    return (network[i] ?? 0) & (0xff00 >> bits);
  });
}

/** All of them, or undefined when one is. */
export function every<T>(values: readonly (T | undefined)[]): readonly T[] | undefined {
  return values.every((value) => value !== undefined) ? values : undefined;
}
