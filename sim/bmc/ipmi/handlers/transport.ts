/** LAN and serial-over-LAN configuration parameters (IPMI 2.0 §23, §26). */
import { parseIpv4, parseMac } from "#std/address.ts";
import { COMPLETION, PRIVILEGE, RMCP_PORT, TRANSPORT } from "#wire/ipmi/constants.ts";
import { leastFirst } from "#wire/ipmi/reader.ts";
import { LAN_PARAMETER } from "#wire/ipmi/transport/lan-parameter.ts";
import { SOL_PARAMETER } from "#wire/ipmi/transport/sol.ts";
import type { SimulatedIpmi } from "../bmc.ts";
import { channelOf, CHANNEL, Refusal } from "./handler.ts";
import type { Answer, Caller, Handlers } from "./handler.ts";

const REVISION = 0x11;
/** MD5, straight password. */
const TYPES = 0x14;
const ANSWER_AND_ANNOUNCE = 0x03;

export const transportHandlers: Handlers = {
  [TRANSPORT.getLanConfiguration]: { level: PRIVILEGE.operator, least: 4, handle: (data, caller) => get(data, caller, "lan") },
  [TRANSPORT.setLanConfiguration]: {
    level: PRIVILEGE.administrator,
    least: 3,
    handle: (data, caller) => set(data, caller, "lan"),
  },
  [TRANSPORT.getSolConfiguration]: { level: PRIVILEGE.user, least: 4, handle: (data, caller) => get(data, caller, "sol") },
  [TRANSPORT.setSolConfiguration]: {
    level: PRIVILEGE.administrator,
    least: 3,
    handle: (data, caller) => set(data, caller, "sol"),
  },
};

type Kind = "lan" | "sol";

function get(data: Uint8Array, caller: Caller, kind: Kind): Answer {
  if (channelOf(data[0]!, caller) !== CHANNEL.lan) throw new Refusal(COMPLETION.invalidField);
  if ((data[0]! & 0x80) !== 0) return [REVISION];
  const { bmc } = caller;
  const parameter = data[1]!;
  const isMany = kind === "lan" && MANY.includes(parameter);
  const key = keyOf(kind, parameter, isMany ? data[2]! : 0);
  const value = bmc.parameters.get(key) ?? (kind === "lan" ? initialLan(bmc, parameter, data[2]!) : initialSol(bmc, parameter));
  if (value === undefined) throw new Refusal(0x80);
  return [REVISION, ...value];
}

/** Those of which there are several, told apart by their first byte. */
const MANY: readonly number[] = [LAN_PARAMETER.ipv6Static, LAN_PARAMETER.ipv6Dynamic];
const READ_ONLY: readonly number[] = [
  LAN_PARAMETER.authenticationSupport,
  LAN_PARAMETER.cipherSuiteCount,
  LAN_PARAMETER.cipherSuites,
  LAN_PARAMETER.ipSupport,
  LAN_PARAMETER.ipv6Status,
  LAN_PARAMETER.ipv6Dynamic,
];

function set(data: Uint8Array, caller: Caller, kind: Kind): Answer {
  if (channelOf(data[0]!, caller) !== CHANNEL.lan) throw new Refusal(COMPLETION.invalidField);
  const { bmc } = caller;
  const parameter = data[1]!;
  const value = [...data.subarray(2)];
  if (kind === "lan" && READ_ONLY.includes(parameter)) throw new Refusal(0x82);
  const isMany = kind === "lan" && MANY.includes(parameter);
  const known = kind === "lan" ? initialLan(bmc, parameter, value[0]!) : initialSol(bmc, parameter);
  if (known === undefined) throw new Refusal(0x80);
  const inProgress = kind === "lan" ? LAN_PARAMETER.setInProgress : SOL_PARAMETER.setInProgress;
  const isTaken = parameter === inProgress && value[0] === 1 && bmc.parameters.get(keyOf(kind, parameter, 0))?.[0] === 1;
  if (isTaken) throw new Refusal(0x81);
  bmc.parameters.set(keyOf(kind, parameter, isMany ? value[0]! : 0), parameter === inProgress ? [value[0] === 1 ? 1 : 0] : value);
  return [];
}

function keyOf(kind: Kind, parameter: number, set: number): number {
  return (kind === "lan" ? 0 : 0x10000) | (parameter << 8) | set;
}

/** As it comes from the factory; undefined: no such parameter. */
function initialLan({ lan, suites }: SimulatedIpmi, parameter: number, set: number): readonly number[] | undefined {
  const mac = [...(parseMac(lan.mac) ?? new Uint8Array(6))];
  const address = [...(parseIpv4(lan.address) ?? new Uint8Array(4))];
  switch (parameter) {
    case LAN_PARAMETER.setInProgress:
      return [0];
    case LAN_PARAMETER.authenticationSupport:
      return [TYPES];
    case LAN_PARAMETER.authenticationEnables:
      return [TYPES, TYPES, TYPES, TYPES, 0];
    case LAN_PARAMETER.address:
      return address;
    case LAN_PARAMETER.addressSource:
      return [1];
    case LAN_PARAMETER.mac:
      return mac;
    case LAN_PARAMETER.mask:
      return [255, 255, 255, 0];
    case LAN_PARAMETER.ipv4Header:
      return [0x40, 0x40, 0x10];
    case LAN_PARAMETER.rmcpPort:
      return leastFirst(RMCP_PORT, 2);
    case LAN_PARAMETER.arpControl:
      return [ANSWER_AND_ANNOUNCE];
    case LAN_PARAMETER.gateway:
    case LAN_PARAMETER.backupGateway:
      return [0, 0, 0, 0];
    case LAN_PARAMETER.gatewayMac:
    case LAN_PARAMETER.backupGatewayMac:
      return [0, 0, 0, 0, 0, 0];
    case LAN_PARAMETER.community:
      return [...new Uint8Array(18)];
    case LAN_PARAMETER.destinations:
    case LAN_PARAMETER.vlanPriority:
      return [0];
    case LAN_PARAMETER.vlan:
      return [0, 0];
    case LAN_PARAMETER.cipherSuiteCount:
      return [suites.length];
    case LAN_PARAMETER.cipherSuites:
      return [0, ...suites, ...new Uint8Array(16 - suites.length)];
    case LAN_PARAMETER.cipherSuitePrivileges:
      return [
        0,
        ...Array.from({ length: 8 }, (_, i) => (2 * i < suites.length ? 4 : 0) | (2 * i + 1 < suites.length ? 0x40 : 0)),
      ];
    case LAN_PARAMETER.passwordThreshold:
      return [...new Uint8Array(6)];
    case LAN_PARAMETER.ipSupport:
      return [0x02];
    case LAN_PARAMETER.ipEnables:
      return [0x02];
    case LAN_PARAMETER.ipv6Status:
      return [1, 1, 0x03];
    case LAN_PARAMETER.ipv6Static:
    case LAN_PARAMETER.ipv6Dynamic:
      // Another one than the first is not there.
      return set === 0 ? [0, 0, ...new Uint8Array(16), 0, 1] : undefined;
    default:
      return undefined;
  }
}

function initialSol({ hasSerial, port }: SimulatedIpmi, parameter: number): readonly number[] | undefined {
  const initial: Readonly<Record<number, readonly number[]>> = {
    [SOL_PARAMETER.setInProgress]: [0],
    [SOL_PARAMETER.enable]: [hasSerial ? 1 : 0],
    [SOL_PARAMETER.authentication]: [0xc0 | PRIVILEGE.user],
    [SOL_PARAMETER.accumulation]: [2, 200],
    [SOL_PARAMETER.retry]: [7, 100],
    [SOL_PARAMETER.storedBitRate]: [10],
    [SOL_PARAMETER.volatileBitRate]: [10],
    [SOL_PARAMETER.channel]: [CHANNEL.lan],
    [SOL_PARAMETER.port]: leastFirst(port ?? RMCP_PORT, 2),
  };
  return initial[parameter];
}
