/** The BMC itself, its channels and its sessions (IPMI 2.0 §20, §22). */
import { leastFirst } from "#wire/ipmi/reader.ts";
import { APP, COMPLETION, MEDIUM, PRIVILEGE } from "#wire/ipmi/constants.ts";
import { SUITES } from "#wire/ipmi/session/suite.ts";
import { channelOf, CHANNEL, Refusal } from "./handler.ts";
import type { Caller, Handlers } from "./handler.ts";

const IPMI_20 = 0x02;
/** Chassis, FRU, SEL, SDR repository and sensors. */
const SUPPORT = 0x8f;
const LAN_PROTOCOL = 1;
const KCS_PROTOCOL = 5;
const IPMI_ENTERPRISE = [0xf2, 0x1b, 0x00] as const;
const PIECE = 16;

export const appHandlers: Handlers = {
  [APP.getDeviceId]: {
    level: PRIVILEGE.user,
    handle: (_, { bmc: { model } }) => [
      0x20,
      0x01,
      ...model.firmware,
      IPMI_20,
      SUPPORT,
      ...leastFirst(model.manufacturer, 3),
      ...leastFirst(model.product, 2),
      0,
      0,
      0,
      0,
    ],
  },
  [APP.coldReset]: {
    level: PRIVILEGE.administrator,
    handle: (_, { bmc }) => {
      bmc.reset();
      return [];
    },
  },
  [APP.getSelfTestResults]: { level: PRIVILEGE.user, handle: () => [0x55, 0x00] },
  [APP.getDeviceGuid]: { level: PRIVILEGE.user, handle: (_, { bmc }) => bmc.guid },
  [APP.getSystemGuid]: { level: 0, handle: (_, { bmc }) => bmc.guid },
  [APP.getChannelAuthenticationCapabilities]: {
    level: 0,
    least: 2,
    handle: (data, caller) => {
      const { speaks15, speaks20, key, types15 } = caller.bmc;
      if (channelOf(data[0]!, caller) !== CHANNEL.lan) throw new Refusal(COMPLETION.invalidField);
      const isExtended = (data[0]! & 0x80) !== 0 && speaks20;
      const types = types15.reduce((bits, type) => bits | (1 << type), 0);
      const connections = (speaks15 ? 0x01 : 0) | (speaks20 ? 0x02 : 0);
      // Users have names; K_g is as it is.
      return [
        CHANNEL.lan,
        types | (isExtended ? 0x80 : 0),
        0x04 | (key === undefined ? 0 : 0x20),
        isExtended ? connections : 0,
        0,
        0,
        0,
        0,
      ];
    },
  },
  [APP.getChannelCipherSuites]: {
    level: 0,
    least: 3,
    handle: (data, caller) => {
      if (!caller.bmc.speaks20) throw new Refusal(COMPLETION.invalidCommand);
      const channel = channelOf(data[0]!, caller);
      const records = caller.bmc.suites.flatMap((id) => {
        const suite = SUITES.get(id)!;
        return [0xc0, id, suite.authentication, 0x40 | suite.integrity, 0x80 | suite.confidentiality];
      });
      const start = (data[2]! & 0x3f) * PIECE;
      return [channel, ...records.slice(start, start + PIECE)];
    },
  },
  [APP.setSessionPrivilegeLevel]: {
    level: PRIVILEGE.user,
    least: 1,
    handle: (data, { session }) => {
      if (session === undefined) throw new Refusal(COMPLETION.notInThisState);
      const wanted = data[0]! & 0x0f;
      if (wanted > session.limit) throw new Refusal(0x80);
      if (wanted === PRIVILEGE.callback) throw new Refusal(COMPLETION.invalidField);
      if (wanted !== 0) session.privilege = wanted;
      return [session.privilege];
    },
  },
  [APP.closeSession]: {
    level: PRIVILEGE.callback,
    least: 4,
    handle: (data, { bmc, session, privilege }) => {
      const id = uint32(data);
      const found = bmc.sessions.open.get(id);
      if (found === undefined) throw new Refusal(0x87);
      if (found !== session && privilege < PRIVILEGE.administrator) throw new Refusal(COMPLETION.insufficientPrivilege);
      bmc.closeSession(id);
      return [];
    },
  },
  [APP.getSessionInfo]: {
    level: PRIVILEGE.user,
    least: 1,
    handle: (data, caller) => {
      const { sessions } = caller.bmc;
      const all = [...sessions.open.values()];
      const found =
        data[0] === 0 ? caller.session : data[0] === 0xfe ? all.find(({ handle }) => handle === data[1]) : all[data[0]! - 1];
      const head = [found?.handle ?? 0, sessions.capacity, all.length];
      if (found === undefined) return head;
      const address = found.from.address.split(".").map(Number);
      const isIpv4 = address.length === 4;
      const protocol = found.suite === undefined ? 0 : 1;
      const who = [found.user, found.privilege, (protocol << 4) | CHANNEL.lan];
      return [...head, ...who, ...(isIpv4 ? address : [0, 0, 0, 0]), 0, 0, 0, 0, 0, 0, ...leastFirst(found.from.port, 2)];
    },
  },
  [APP.getChannelInfo]: {
    level: PRIVILEGE.user,
    least: 1,
    handle: (data, caller) => {
      const channel = channelOf(data[0]!, caller);
      const isLan = channel === CHANNEL.lan;
      const sessions = isLan ? 0x80 | caller.bmc.sessions.open.size : 0;
      const kind = isLan ? [MEDIUM.lan, LAN_PROTOCOL] : [MEDIUM.systemInterface, KCS_PROTOCOL];
      return [channel, ...kind, sessions, ...IPMI_ENTERPRISE, 0, 0];
    },
  },
  [APP.getChannelAccess]: { level: PRIVILEGE.user, least: 2, handle: getAccess },
  [APP.setChannelAccess]: { level: PRIVILEGE.administrator, least: 3, handle: setAccess },
};

function getAccess(data: Uint8Array, caller: Caller): Iterable<number> {
  const { access } = caller.bmc;
  if (channelOf(data[0]!, caller) !== CHANNEL.lan) throw new Refusal(0x82);
  return (data[1]! & 0xc0) === 0x40 ? access.stored : access.volatile;
}

function setAccess(data: Uint8Array, caller: Caller): Iterable<number> {
  const { access } = caller.bmc;
  if (channelOf(data[0]!, caller) !== CHANNEL.lan) throw new Refusal(0x82);
  for (const index of [0, 1] as const) {
    const value = data[index + 1]! & 0x3f;
    const where = data[index + 1]! >> 6;
    if (where === 1) access.stored[index] = value;
    if (where === 2) access.volatile[index] = value;
  }
  return [];
}

function uint32(bytes: Uint8Array): number {
  return (bytes[0]! | (bytes[1]! << 8) | (bytes[2]! << 16) | (bytes[3]! << 24)) >>> 0;
}
