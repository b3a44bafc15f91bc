/** Sessions (IPMI 2.0 §22.16 to §22.20). */
import { command, done } from "../command.ts";
import { APP, NET_FN, USER_NAME } from "../constants.ts";
import { leastFirst, paddedText } from "../reader.ts";

/** §22.16, the first step of an IPMI 1.5 session. */
export const getSessionChallenge = command<
  { readonly type: number; readonly user: string },
  { readonly session: number; readonly challenge: Uint8Array }
>({
  name: "Get Session Challenge",
  netFn: NET_FN.app,
  command: APP.getSessionChallenge,
  ask: ({ type, user }) => [type, ...paddedText(user, USER_NAME, "the user name")],
  read: (reader) => ({ session: reader.uint(4), challenge: reader.bytes(16) }),
  completions: {
    0x81: ["denied", "it does not know the user"],
    0x82: ["denied", "it knows no anonymous user"],
  },
});

export interface ActiveSession {
  /** Of all further messages. */
  readonly type: number;
  readonly session: number;
  /** The first sequence number of ours. */
  readonly inbound: number;
  readonly privilege: number;
}

/** §22.17, the second one. `outbound`: the number that the BMC starts with. */
export const activateSession = command<
  { readonly type: number; readonly privilege: number; readonly challenge: Uint8Array; readonly outbound: number },
  ActiveSession
>({
  name: "Activate Session",
  netFn: NET_FN.app,
  command: APP.activateSession,
  ask: ({ type, privilege, challenge, outbound }) => [type, privilege, ...challenge, ...leastFirst(outbound, 4)],
  read: (reader) => ({
    type: reader.byte() & 0x0f,
    session: reader.uint(4),
    inbound: reader.uint(4),
    privilege: reader.byte() & 0x0f,
  }),
  completions: {
    0x81: ["busy", "it has no session left"],
    0x82: ["busy", "it has no session left for this user"],
    0x83: ["busy", "it has no session left for this privilege"],
    0x84: ["refused", "the sequence number is out of range"],
    0x85: ["refused", "the session is not known"],
    0x86: ["denied", "the user may not have this privilege"],
  },
});

/** §22.18; resolves to the level that holds. 0 only asks. */
export const setSessionPrivilegeLevel = command<number, number>({
  name: "Set Session Privilege Level",
  netFn: NET_FN.app,
  command: APP.setSessionPrivilegeLevel,
  ask: (privilege) => [privilege],
  read: (reader) => reader.byte() & 0x0f,
  completions: {
    0x80: ["denied", "the user may not have this privilege"],
    0x81: ["denied", "the channel does not give this privilege"],
    0x82: ["refused", "it cannot do without authentication of users"],
  },
});

/** §22.19 */
export const closeSession = command<number, void>({
  name: "Close Session",
  netFn: NET_FN.app,
  command: APP.closeSession,
  ask: (session) => leastFirst(session, 4),
  read: done,
  completions: {
    0x87: ["refused", "the session is not known"],
    0x88: ["refused", "the handle is not known"],
  },
});
