/** What the machine's BMC is, how it is on the network, and who has an account. Changes nothing. */
import type { LanChannel, UserSlot } from "#decide/bmc-setup/found.ts";
import { makerOf } from "#decide/bmc-setup/password.ts";
import { getChannelInfo } from "#wire/ipmi/app/channel.ts";
import { getDeviceId } from "#wire/ipmi/app/device.ts";
import { getUserAccess, getUserName } from "#wire/ipmi/app/user.ts";
import { MEDIUM, RMCP_PORT } from "#wire/ipmi/constants.ts";
import {
  ADDRESS_SOURCE,
  IP_ENABLES,
  LAN_PARAMETER,
  readAddressSource,
  readIpv4,
  readIpv6,
  readIpv6Status,
  readMac,
  readPort,
  readVlan,
} from "#wire/ipmi/transport/lan-parameter.ts";
import { getLanParameter } from "#wire/ipmi/transport/lan.ts";
import type { Asking } from "./asking.ts";
import { isRefusal } from "./asking.ts";

export interface FoundBmc {
  /** IANA enterprise number. */
  readonly manufacturer: number;
  readonly firmwareVersion: string;
  readonly channels: readonly LanChannel[];
  /** From 2 on. */
  readonly slots: readonly UserSlot[];
}

/** Channels that may be implementation-specific (IPMI 2.0 §6.3). */
const CHANNELS = Array.from({ length: 11 }, (_, i) => i + 1);
/** IPv6 addresses of one kind that are looked at: some BMCs say 255 and mean it. */
const MOST_ADDRESSES = 16;
const NO_MAC = "00:00:00:00:00:00";

/** Rejects as {@link Asking.ask} does when the BMC does not even say what it is. */
export async function lookAtBmc(asking: Asking): Promise<FoundBmc> {
  const { manufacturer, firmwareVersion } = await asking.ask(getDeviceId, undefined);
  const channels: LanChannel[] = [];
  for (const number of CHANNELS) {
    const info = await asking.tryTo(getChannelInfo, number);
    // A BMC that answers about another channel than asked has no such channel.
    if (info?.channel === number && info.medium === MEDIUM.lan) channels.push(await lanChannel(asking, number));
  }
  return { manufacturer, firmwareVersion, channels, slots: await userSlots(asking, channels[0]) };
}

/** `Dell, firmware 4.40, channel 1 at 10.0.0.9 (02:00:00:00:00:01)` */
export function describe({ manufacturer, firmwareVersion, channels }: FoundBmc): string {
  const maker = makerOf(manufacturer).name || `maker ${manufacturer}`;
  const interfaces = channels.map(({ number, addresses, port, mac, vlan }) => {
    const details = [mac, vlan === undefined ? undefined : `VLAN ${vlan}`].filter((each) => each !== undefined);
    const where = `${addresses.join(", ") || "no address"}${port === RMCP_PORT ? "" : `, port ${port}`}`;
    return `channel ${number} at ${where}${details.length === 0 ? "" : ` (${details.join(", ")})`}`;
  });
  return [maker, `firmware ${firmwareVersion}`, ...interfaces].join(", ");
}

async function lanChannel(asking: Asking, channel: number): Promise<LanChannel> {
  const read = async <T>(parameter: number, reader: (data: Uint8Array) => T, set?: number): Promise<T | undefined> => {
    const data = await asking.tryTo(getLanParameter, { channel, parameter, ...(set === undefined ? {} : { set }) });
    return data && readable(() => reader(data));
  };
  const address = await read(LAN_PARAMETER.address, readIpv4);
  const source = await read(LAN_PARAMETER.addressSource, readAddressSource);
  const mac = await read(LAN_PARAMETER.mac, readMac);
  const vlan = await read(LAN_PARAMETER.vlan, readVlan);
  const port = await read(LAN_PARAMETER.rmcpPort, readPort);
  const ipv6 = await ipv6Addresses(read);
  return {
    number: channel,
    addresses: [...(address === undefined ? [] : [address]), ...ipv6],
    port: port || RMCP_PORT,
    ...(mac === undefined || mac === NO_MAC ? {} : { mac }),
    ...(vlan === undefined ? {} : { vlan }),
    source: sourceOf(source),
  };
}

type ReadParameter = <T>(parameter: number, reader: (data: Uint8Array) => T, set?: number) => Promise<T | undefined>;

async function ipv6Addresses(read: ReadParameter): Promise<string[]> {
  const enables = await read(LAN_PARAMETER.ipEnables, ([first]) => first);
  if (enables === undefined || enables === IP_ENABLES.ipv4) return [];
  const counts = await read(LAN_PARAMETER.ipv6Status, readIpv6Status);
  const addresses: string[] = [];
  const kinds = [
    ["static", LAN_PARAMETER.ipv6Static, counts?.staticAddresses],
    ["dynamic", LAN_PARAMETER.ipv6Dynamic, counts?.dynamicAddresses],
  ] as const;
  for (const [kind, parameter, count = 1] of kinds) {
    for (let set = 0; set < Math.min(count, MOST_ADDRESSES); set++) {
      const found = await read(parameter, (data) => readIpv6(data, kind), set);
      if (found?.isEnabled === true && found.isActive && found.address !== "::") addresses.push(found.address);
    }
  }
  return addresses;
}

async function userSlots(asking: Asking, on: LanChannel | undefined): Promise<UserSlot[]> {
  if (on === undefined) return [];
  const channel = on.number;
  const { users, fixedNames } = await asking.ask(getUserAccess, { channel, user: 1 });
  const slots: UserSlot[] = [];
  for (let id = 2; id <= users; id++) {
    const access = await asking.tryTo(getUserAccess, { channel, user: id });
    const name = await asking.tryTo(getUserName, id);
    slots.push({ id, name, isFixed: id <= fixedNames, isEnabled: access?.isEnabled });
  }
  return slots;
}

const SOURCES = new Map<number, LanChannel["source"]>([
  [ADDRESS_SOURCE.static, "static"],
  [ADDRESS_SOURCE.dhcp, "dhcp"],
  [ADDRESS_SOURCE.bios, "bios"],
  [ADDRESS_SOURCE.other, "other"],
]);

function sourceOf(source: number | undefined): LanChannel["source"] {
  return SOURCES.get(source ?? ADDRESS_SOURCE.unspecified) ?? "unspecified";
}

function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isRefusal(error)) return undefined;
    throw error;
  }
}
