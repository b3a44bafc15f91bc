/** Users, and the serial console they may have (IPMI 2.0 §22.26 to §22.32, §24). */
import { APP, COMPLETION, PASSWORD_15, PASSWORD_20, PAYLOAD, PRIVILEGE, RMCP_PORT, USER_NAME } from "#wire/ipmi/constants.ts";
import { leastFirst, unpaddedText } from "#wire/ipmi/reader.ts";
import { SOL_SIZE } from "../sol.ts";
import { USERS } from "../users.ts";
import { channelOf, Refusal } from "./handler.ts";
import type { Answer, Caller, Handlers } from "./handler.ts";

/** The first user is nobody, and stays so. */
const FIXED_NAMES = 1;
const OPERATION = { disable: 0, enable: 1, set: 2, test: 3 } as const;

export const userHandlers: Handlers = {
  [APP.getUserAccess]: {
    level: PRIVILEGE.operator,
    least: 2,
    handle: (data, caller) => {
      channelOf(data[0]!, caller);
      const { users } = caller.bmc;
      const user = users.get(numberOf(data[1]!));
      const bits =
        user === undefined
          ? 0
          : (user.onlyCallback ? 0x40 : 0) | (user.linkAuthentication ? 0x20 : 0) | (user.messaging ? 0x10 : 0);
      const enabled = user?.isEnabled === true ? 0x40 : 0x80;
      return [USERS, enabled | users.enabled, FIXED_NAMES, bits | (user?.privilege ?? 0x0f)];
    },
  },
  [APP.setUserAccess]: {
    level: PRIVILEGE.administrator,
    least: 3,
    handle: (data, caller) => {
      channelOf(data[0]!, caller);
      const user = caller.bmc.users.edit(numberOf(data[1]!));
      if ((data[0]! & 0x80) !== 0) {
        user.onlyCallback = (data[0]! & 0x40) !== 0;
        user.linkAuthentication = (data[0]! & 0x20) !== 0;
        user.messaging = (data[0]! & 0x10) !== 0;
      }
      user.privilege = data[2]! & 0x0f;
      return [];
    },
  },
  [APP.getUserName]: {
    level: PRIVILEGE.operator,
    least: 1,
    handle: (data, { bmc }) => {
      const bytes = new Uint8Array(USER_NAME);
      const { name = "" } = bmc.users.get(numberOf(data[0]!)) ?? {};
      bytes.set(Uint8Array.from(name, (character) => character.charCodeAt(0)));
      return bytes;
    },
  },
  [APP.setUserName]: {
    level: PRIVILEGE.administrator,
    least: 1 + USER_NAME,
    handle: (data, { bmc }) => {
      const number = numberOf(data[0]!);
      if (number <= FIXED_NAMES) throw new Refusal(COMPLETION.invalidField);
      bmc.users.edit(number).name = unpaddedText(data.subarray(1, 1 + USER_NAME));
      return [];
    },
  },
  [APP.setUserPassword]: { level: PRIVILEGE.administrator, least: 2, handle: setPassword },
  [APP.getUserPayloadAccess]: {
    level: PRIVILEGE.operator,
    least: 2,
    handle: (data, { bmc }) => [bmc.users.get(numberOf(data[1]!))?.sol === true ? 0x03 : 0x01, 0, 0, 0],
  },
  [APP.setUserPayloadAccess]: {
    level: PRIVILEGE.administrator,
    least: 6,
    handle: (data, { bmc }) => {
      if ((data[2]! & 0x02) !== 0) bmc.users.edit(numberOf(data[1]!)).sol = data[1]! >> 6 === 0;
      return [];
    },
  },
  [APP.getChannelPayloadSupport]: { level: PRIVILEGE.user, least: 1, handle: () => [0x03, 0, 0x3f, 0, 0, 0, 0, 0] },
  [APP.getChannelPayloadVersion]: { level: PRIVILEGE.user, least: 2, handle: () => [0x10] },
  [APP.getPayloadActivationStatus]: {
    level: PRIVILEGE.user,
    least: 1,
    handle: (_, { bmc }) => [1, bmc.console === undefined ? 0 : 1, 0],
  },
  [APP.activatePayload]: { level: PRIVILEGE.user, least: 6, handle: activate },
  [APP.deactivatePayload]: {
    level: PRIVILEGE.user,
    least: 2,
    handle: (data, { bmc }) => {
      if ((data[0]! & 0x3f) !== PAYLOAD.sol) throw new Refusal(COMPLETION.invalidField);
      const holder = bmc.console;
      if (holder === undefined) throw new Refusal(0x80);
      holder.sol?.end(true);
      holder.sol = undefined;
      return [];
    },
  },
};

function numberOf(byte: number): number {
  const number = byte & 0x3f;
  if (number === 0 || number > USERS) throw new Refusal(COMPLETION.outOfRange);
  return number;
}

function setPassword(data: Uint8Array, { bmc }: Caller): Answer {
  const user = bmc.users.edit(numberOf(data[0]!));
  const operation = data[1]! & 0x03;
  if (operation === OPERATION.disable || operation === OPERATION.enable) {
    user.isEnabled = operation === OPERATION.enable;
    return [];
  }
  const length = (data[0]! & 0x80) !== 0 ? PASSWORD_20 : PASSWORD_15;
  if (data.length < 2 + length) throw new Refusal(COMPLETION.lengthInvalid);
  const given = new Uint8Array(PASSWORD_20);
  given.set(data.subarray(2, 2 + length));
  if (operation === OPERATION.set) user.password = given;
  else if (!given.every((byte, i) => byte === user.password[i])) throw new Refusal(0x80);
  return [];
}

function activate(data: Uint8Array, { bmc, session }: Caller): Answer {
  if ((data[0]! & 0x3f) !== PAYLOAD.sol || session === undefined) throw new Refusal(COMPLETION.invalidField);
  if (!bmc.hasSerial) throw new Refusal(0x81);
  if (bmc.users.get(session.user)?.sol !== true) throw new Refusal(COMPLETION.insufficientPrivilege);
  if (bmc.console !== undefined) throw new Refusal(0x80);
  const wantsProtection = (data[2]! & 0xc0) !== 0;
  const isProtected = session.suite !== undefined && session.suite.confidentiality !== 0;
  if (wantsProtection && !isProtected) throw new Refusal(0x83);
  if (!wantsProtection && isProtected) throw new Refusal(0x84);
  bmc.openConsole(session);
  return [
    0,
    0,
    0,
    0,
    ...leastFirst(SOL_SIZE, 2),
    ...leastFirst(SOL_SIZE, 2),
    ...leastFirst(bmc.port ?? RMCP_PORT, 2),
    0xff,
    0xff,
  ];
}
