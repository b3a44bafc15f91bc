/** Channels of the BMC, and who may come in by them (IPMI 2.0 §22.13 to §22.24). */
import { command, done } from "../command.ts";
import { APP, NET_FN, PAYLOAD } from "../constants.ts";

export interface AuthenticationCapabilities {
  readonly channel: number;
  /** Types of IPMI 1.5, as in AUTHENTICATION. */
  readonly types: readonly number[];
  /** The BMC has a key of its own (K_g) besides the users' passwords. */
  readonly hasKey: boolean;
  /** False: messages of a session need not be authenticated. */
  readonly authenticatesMessages: boolean;
  readonly allowsAnonymous: boolean;
  readonly speaks15: boolean;
  readonly speaks20: boolean;
}

/** §22.13; needs no session. */
export const getChannelAuthenticationCapabilities = command<
  { readonly channel: number; readonly privilege: number; readonly extended?: boolean },
  AuthenticationCapabilities
>({
  name: "Get Channel Authentication Capabilities",
  netFn: NET_FN.app,
  command: APP.getChannelAuthenticationCapabilities,
  ask: ({ channel, privilege, extended = true }) => [(extended ? 0x80 : 0) | channel, privilege],
  read: (reader) => {
    const channel = reader.byte() & 0x0f;
    const support = reader.byte();
    const status = reader.byte();
    const connections = reader.left > 0 && (support & 0x80) !== 0 ? reader.byte() : 0x01;
    return {
      channel,
      types: [0, 1, 2, 4, 5].filter((type) => (support & (1 << type)) !== 0),
      hasKey: (status & 0x20) !== 0,
      authenticatesMessages: (status & 0x10) === 0,
      allowsAnonymous: (status & 0x03) !== 0,
      speaks15: (connections & 0x01) !== 0,
      speaks20: (connections & 0x02) !== 0,
    };
  },
});

/** §22.15: sixteen bytes of the list at `index` (in units of sixteen); fewer mean that it ends. Needs no session. */
export const getChannelCipherSuites = command<{ readonly channel: number; readonly index: number }, Uint8Array>({
  name: "Get Channel Cipher Suites",
  netFn: NET_FN.app,
  command: APP.getChannelCipherSuites,
  ask: ({ channel, index }) => [channel, PAYLOAD.ipmi, 0x80 | index],
  read: (reader) => {
    reader.skip(1);
    return reader.bytes(Math.min(reader.left, 16));
  },
});

/** Numbers of the standard suites in the joined pieces of {@link getChannelCipherSuites} (§22.15.1); makers' own are passed over. */
export function readCipherSuites(list: Uint8Array): number[] {
  const found: number[] = [];
  for (let at = 0; at < list.length; at++) {
    if (list[at] === 0xc0 && at + 1 < list.length) found.push(list[++at]!);
    // Maker's own: number and enterprise number. Algorithms have other top bits.
    else if (list[at] === 0xc1) at += 4;
  }
  return found;
}

export interface ChannelInfo {
  readonly channel: number;
  /** As in MEDIUM. */
  readonly medium: number;
  readonly protocol: number;
  readonly hasSessions: boolean;
  readonly activeSessions: number;
}

/** §22.24 */
export const getChannelInfo = command<number, ChannelInfo>({
  name: "Get Channel Info",
  netFn: NET_FN.app,
  command: APP.getChannelInfo,
  ask: (channel) => [channel],
  read: (reader) => {
    const [channel, medium, protocol, sessions] = [reader.byte(), reader.byte(), reader.byte(), reader.byte()];
    return {
      channel: channel & 0x0f,
      medium: medium & 0x7f,
      protocol: protocol & 0x1f,
      hasSessions: sessions >> 6 !== 0,
      activeSessions: sessions & 0x3f,
    };
  },
});

/** `volatile`: as it is now. `stored`: as it will be after the next start of the BMC. */
export type Setting = "volatile" | "stored";
const SETTING = { stored: 0x40, volatile: 0x80 } as const;

export interface ChannelAccess {
  readonly mode: "disabled" | "pre-boot" | "always" | "shared";
  readonly alerts: boolean;
  readonly authenticatesMessages: boolean;
  readonly authenticatesUserLevel: boolean;
  /** The most that anybody gets. */
  readonly privilege: number;
}

const MODES = ["disabled", "pre-boot", "always", "shared"] as const;

/** §22.23 */
export const getChannelAccess = command<{ readonly channel: number; readonly setting: Setting }, ChannelAccess>({
  name: "Get Channel Access",
  netFn: NET_FN.app,
  command: APP.getChannelAccess,
  ask: ({ channel, setting }) => [channel, SETTING[setting]],
  read: (reader) => {
    const [access, privilege] = [reader.byte(), reader.byte()];
    return {
      mode: MODES[access & 0x03]!,
      alerts: (access & 0x20) === 0,
      authenticatesMessages: (access & 0x10) === 0,
      authenticatesUserLevel: (access & 0x08) === 0,
      privilege: privilege & 0x0f,
    };
  },
});

/** §22.22 */
export const setChannelAccess = command<
  { readonly channel: number; readonly setting: Setting; readonly access: ChannelAccess },
  void
>({
  name: "Set Channel Access",
  netFn: NET_FN.app,
  command: APP.setChannelAccess,
  ask: ({ channel, setting, access }) => [
    channel,
    SETTING[setting] |
      (access.alerts ? 0 : 0x20) |
      (access.authenticatesMessages ? 0 : 0x10) |
      (access.authenticatesUserLevel ? 0 : 0x08) |
      MODES.indexOf(access.mode),
    SETTING[setting] | access.privilege,
  ],
  read: done,
  completions: {
    0x82: ["unsupported", "the channel has no sessions"],
    0x83: ["unsupported", "the channel does not know this mode of access"],
  },
});
