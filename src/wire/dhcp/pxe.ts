/** Option 43 of a PXE client or server: PXE 2.1 §2.1 and table 2-1. `vendorClass` begins with `PXEClient` where it applies. */
import { concat, readUint } from "#std/bytes.ts";
import type { Codec } from "./codec.ts";
import { every, ipv4, list, text, uint } from "./codec.ts";
import { END } from "./constants.ts";
import { frame, join, writeOption } from "./frame.ts";
import { optionSet } from "./option-set.ts";
import type { MalformedOption, RawOption } from "./packet.ts";

/** Bits of the discovery control. */
export const DISCOVERY = {
  noBroadcast: 1,
  noMulticast: 2,
  /** Only servers of the list. */
  onlyListed: 4,
  /** No prompt, menu or discovery: load the boot file of this very offer. What a proxy that knows the file says. */
  bootFileInOffer: 8,
} as const;

export interface PxeOptions {
  /** 6: {@link DISCOVERY} bits. */
  readonly discoveryControl?: number;
  /** 7. */
  readonly discoveryAddress?: string;
  /** 8. */
  readonly bootServers?: readonly BootServer[];
  /** 9, in the order of the menu. */
  readonly bootMenu?: readonly MenuItem[];
  /** 10. */
  readonly menuPrompt?: MenuPrompt;
  /** 71: what the client chose, what the server answers for. */
  readonly bootItem?: BootItem;
}

export interface BootServer {
  /** Of boot server; 0 is the local disk. */
  readonly type: number;
  readonly addresses: readonly string[];
}

export interface MenuItem {
  readonly type: number;
  /** 1 to 255 characters. */
  readonly description: string;
}

export interface MenuPrompt {
  /** Seconds; 0 takes the first item at once, 255 waits for ever. */
  readonly timeout: number;
  readonly prompt: string;
}

export interface BootItem {
  readonly type: number;
  /** 0 is the bootstrap; the top bit asks for credentials. */
  readonly layer: number;
}

export interface Pxe {
  readonly options: PxeOptions;
  readonly others?: readonly RawOption[];
  readonly malformed?: readonly MalformedOption[];
}

const bootServers: Codec<readonly BootServer[]> = {
  form: "a list of boot servers",
  read(bytes, offset) {
    const servers: BootServer[] = [];
    for (let at = 0; at < bytes.length;) {
      const end = at + 3 + 4 * (bytes[at + 2] ?? 0);
      if (at + 3 > bytes.length || end > bytes.length) return undefined;
      const addresses = end === at + 3 ? [] : list(ipv4, 4).read(bytes.subarray(at + 3, end), offset)!;
      servers.push({ type: readUint(bytes, at, 2), addresses });
      at = end;
    }
    return servers.length > 0 ? servers : undefined;
  },
  write(servers) {
    const parts = servers.map(({ type, addresses }) => {
      return joined([uint(2).write(type), uint(1).write(addresses.length), ...addresses.map(ipv4.write)]);
    });
    return servers.length > 0 ? joined(parts) : undefined;
  },
};

const bootMenu: Codec<readonly MenuItem[]> = {
  form: "a boot menu",
  read(bytes, offset) {
    const items: MenuItem[] = [];
    for (let at = 0; at < bytes.length;) {
      const end = at + 3 + (bytes[at + 2] ?? 0);
      const description = end > bytes.length ? undefined : text.read(bytes.subarray(at + 3, end), offset);
      if (description === undefined) return undefined;
      items.push({ type: readUint(bytes, at, 2), description });
      at = end;
    }
    return items.length > 0 ? items : undefined;
  },
  write(items) {
    const parts = items.map(({ type, description }) => {
      return joined([uint(2).write(type), uint(1).write(description.length), text.write(description)]);
    });
    return items.length > 0 ? joined(parts) : undefined;
  },
};

const menuPrompt: Codec<MenuPrompt> = {
  form: "a menu prompt",
  read(bytes, offset) {
    const prompt = text.read(bytes.subarray(1), offset);
    return prompt === undefined ? undefined : { timeout: bytes[0]!, prompt };
  },
  write: ({ timeout, prompt }) => joined([uint(1).write(timeout), text.write(prompt)]),
};

const bootItem: Codec<BootItem> = {
  form: "a boot item",
  read: (bytes) => (bytes.length === 4 ? { type: readUint(bytes, 0, 2), layer: readUint(bytes, 2, 2) } : undefined),
  write: ({ type, layer }) => joined([uint(2).write(type), uint(2).write(layer)]),
};

function joined(parts: readonly (Uint8Array | undefined)[]): Uint8Array | undefined {
  const all = every(parts);
  return all && concat(all);
}

const PXE = optionSet<PxeOptions>({
  discoveryControl: { code: 6, codec: uint(1) },
  discoveryAddress: { code: 7, codec: ipv4 },
  bootServers: { code: 8, codec: bootServers },
  bootMenu: { code: 9, codec: bootMenu },
  menuPrompt: { code: 10, codec: menuPrompt },
  bootItem: { code: 71, codec: bootItem },
});

/** `value` is that of option 43; faults (`dhcp.truncated`) count bytes from its beginning. */
export function decodePxe(value: Uint8Array): Pxe {
  return PXE.read(join(frame(value, 0, value.length)));
}

/** The value of option 43, closed by End. A `caller` Fault when a value has no wire form or an option is over 255 bytes. */
export function encodePxe(options: PxeOptions, others: readonly RawOption[] = []): Uint8Array {
  const written = PXE.write(options, others).toSorted((a, b) => a.code - b.code);
  return concat([...written.map(writeOption), Uint8Array.of(END)]);
}
