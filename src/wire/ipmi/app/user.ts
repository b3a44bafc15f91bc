/** Users of the BMC (IPMI 2.0 §22.26 to §22.32). A user is a number; 1 is the anonymous one. */
import { command, done } from "../command.ts";
import { APP, NET_FN, PASSWORD_15, PASSWORD_20, USER_NAME } from "../constants.ts";
import { paddedText, unpaddedText } from "../reader.ts";

export interface UserAccess {
  /** How many numbers there are. */
  readonly users: number;
  readonly enabledUsers: number;
  readonly fixedNames: number;
  /** Undefined: the BMC does not tell. */
  readonly isEnabled: boolean | undefined;
  readonly onlyCallback: boolean;
  readonly linkAuthentication: boolean;
  /** May open sessions on the channel. */
  readonly messaging: boolean;
  /** As in PRIVILEGE, or NO_ACCESS. */
  readonly privilege: number;
}

/** §22.27 */
export const getUserAccess = command<{ readonly channel: number; readonly user: number }, UserAccess>({
  name: "Get User Access",
  netFn: NET_FN.app,
  command: APP.getUserAccess,
  ask: ({ channel, user }) => [channel, user],
  read: (reader) => {
    const [users, enabled, fixed, access] = [reader.byte(), reader.byte(), reader.byte(), reader.byte()];
    return {
      users: users & 0x3f,
      enabledUsers: enabled & 0x3f,
      fixedNames: fixed & 0x3f,
      isEnabled: [undefined, true, false, undefined][enabled >> 6],
      onlyCallback: (access & 0x40) !== 0,
      linkAuthentication: (access & 0x20) !== 0,
      messaging: (access & 0x10) !== 0,
      privilege: access & 0x0f,
    };
  },
});

/** §22.26 */
export const setUserAccess = command<
  {
    readonly channel: number;
    readonly user: number;
    readonly onlyCallback: boolean;
    readonly linkAuthentication: boolean;
    readonly messaging: boolean;
    readonly privilege: number;
  },
  void
>({
  name: "Set User Access",
  netFn: NET_FN.app,
  command: APP.setUserAccess,
  ask: ({ channel, user, onlyCallback, linkAuthentication, messaging, privilege }) => [
    0x80 | (onlyCallback ? 0x40 : 0) | (linkAuthentication ? 0x20 : 0) | (messaging ? 0x10 : 0) | channel,
    user,
    privilege,
    // No limit of simultaneous sessions. Some BMCs insist on the byte.
    0,
  ],
  read: done,
});

/** §22.29; "" for a number without a name, which some BMCs answer with 0xcc instead. */
export const getUserName = command<number, string>({
  name: "Get User Name",
  netFn: NET_FN.app,
  command: APP.getUserName,
  ask: (user) => [user],
  read: (reader) => unpaddedText(reader.bytes(Math.min(reader.left, USER_NAME))),
});

/** §22.28 */
export const setUserName = command<{ readonly user: number; readonly name: string }, void>({
  name: "Set User Name",
  netFn: NET_FN.app,
  command: APP.setUserName,
  ask: ({ user, name }) => [user, ...paddedText(name, USER_NAME, "the user name")],
  read: done,
});

/** `disable` and `enable` need no password. A password of more than 16 bytes is sent in the length of IPMI 2.0 unless `length` says otherwise. */
export interface UserPassword {
  readonly user: number;
  readonly operation: "disable" | "enable" | "set" | "test";
  readonly password?: string;
  readonly length?: 16 | 20;
}

const OPERATIONS = ["disable", "enable", "set", "test"] as const;

/** §22.30. "Test" rejects with `ipmi.refused` (0x80 wrong password, 0x81 stored with the other length). */
export const setUserPassword = command<UserPassword, void>({
  name: "Set User Password",
  netFn: NET_FN.app,
  command: APP.setUserPassword,
  ask: ({ user, operation, password = "", length = password.length > PASSWORD_15 ? PASSWORD_20 : PASSWORD_15 }) => [
    (length === PASSWORD_20 ? 0x80 : 0) | user,
    OPERATIONS.indexOf(operation),
    // Enabling and disabling with a password as well is what old BMCs want.
    ...paddedText(password, length, "the password"),
  ],
  read: done,
  completions: {
    0x80: ["refused", "the password is another one"],
    0x81: ["refused", "the password is stored in another length"],
  },
});

export interface PayloadAccess {
  readonly sol: boolean;
}

/** §22.32 */
export const getUserPayloadAccess = command<{ readonly channel: number; readonly user: number }, PayloadAccess>({
  name: "Get User Payload Access",
  netFn: NET_FN.app,
  command: APP.getUserPayloadAccess,
  ask: ({ channel, user }) => [channel, user],
  read: (reader) => ({ sol: (reader.byte() & 0x02) !== 0 }),
});

/** §22.31: allows or forbids the serial console; other payloads stay as they are. */
export const setUserPayloadAccess = command<
  { readonly channel: number; readonly user: number; readonly access: PayloadAccess },
  void
>({
  name: "Set User Payload Access",
  netFn: NET_FN.app,
  command: APP.setUserPayloadAccess,
  // Names the payloads to change: the serial console alone.
  ask: ({ channel, user, access }) => [channel, (access.sol ? 0 : 0x40) | user, 0x02, 0, 0, 0],
  read: done,
});
