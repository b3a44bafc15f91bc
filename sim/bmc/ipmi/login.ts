/** How a simulated BMC lets somebody in: the other side of `wire/ipmi/session/login*.ts` (IPMI 2.0 §13.15 to §13.24, §22.16, §22.17). */
import { toLatin1 } from "#std/bytes.ts";
import type { UdpEndpoint } from "#io/udp.ts";
import { APP, COMPLETION, PASSWORD_15, PAYLOAD, PRIVILEGE, USER_NAME } from "#wire/ipmi/constants.ts";
import { leastFirst, unpaddedText } from "#wire/ipmi/reader.ts";
import type { Message } from "#wire/ipmi/session/message.ts";
import { authenticate15, encode15 } from "#wire/ipmi/session/packet15.ts";
import type { Packet15 } from "#wire/ipmi/session/packet15.ts";
import { encode20, Protection } from "#wire/ipmi/session/packet20.ts";
import {
  decodeOpenRequest,
  decodeProof,
  decodeRakp1,
  encodeOpenResponse,
  encodeProof,
  encodeRakp2,
  NAME_ONLY,
  STATUS,
} from "#wire/ipmi/session/rakp.ts";
import { Session15, Session20 } from "#wire/ipmi/session/session.ts";
import { Rakp, sessionKeys, SUITES } from "#wire/ipmi/session/suite.ts";
import type { SimulatedIpmi } from "./bmc.ts";
import { Refusal } from "./handlers/handler.ts";
import { replyTo } from "./reply.ts";
import type { HalfOpen, OpenSession } from "./sessions.ts";

/** The answer to a message that begins an IPMI 2.0 session; undefined: silence. */
export function answerOpening(bmc: SimulatedIpmi, type: number, payload: Uint8Array, from: UdpEndpoint): Uint8Array | undefined {
  switch (type) {
    case PAYLOAD.openSessionRequest:
      return answerOpen(bmc, payload);
    case PAYLOAD.rakp1:
      return answerRakp1(bmc, payload);
    case PAYLOAD.rakp3:
      return answerRakp3(bmc, payload, from);
    default:
      return undefined;
  }
}

function message(type: number, payload: Uint8Array): Uint8Array {
  return encode20({ type, isEncrypted: false, isAuthenticated: false, session: 0, sequence: 0, payload });
}

function answerOpen(bmc: SimulatedIpmi, payload: Uint8Array): Uint8Array {
  const { tag, privilege, remoteSession, ...wanted } = decodeOpenRequest(payload);
  const { sessions, suites, clock } = bmc;
  // It comes again because the answer was lost.
  const known = [...sessions.half.values()].find((half) => half.remote === remoteSession && half.tag === tag);
  if (known !== undefined && known.introduction === undefined) return known.answer;
  const refuse = (status: number): Uint8Array =>
    message(PAYLOAD.openSessionResponse, encodeOpenResponse({ tag, status, remoteSession }));
  const suite = [...SUITES.values()].find(
    ({ authentication, integrity, confidentiality }) =>
      authentication === wanted.authentication && integrity === wanted.integrity && confidentiality === wanted.confidentiality,
  );
  if (suite === undefined || !suites.includes(suite.id)) return refuse(STATUS.noSuiteMatch);
  if (privilege > PRIVILEGE.oem) return refuse(STATUS.invalidRole);
  if (sessions.isFull || bmc.faults.isFull?.() === true) return refuse(STATUS.insufficientResources);
  const id = bmc.newId();
  const limit = privilege === 0 ? PRIVILEGE.administrator : privilege;
  const granted = { ...suite, privilege: limit, bmcSession: id };
  const answer = message(PAYLOAD.openSessionResponse, encodeOpenResponse({ tag, status: STATUS.ok, remoteSession, granted }));
  const half = {
    id,
    remote: remoteSession,
    suite,
    tag,
    limit,
    since: clock.monotonic(),
    introduction: undefined,
    user: undefined,
    answer,
  };
  sessions.half.set(id, half);
  return answer;
}

function answerRakp1(bmc: SimulatedIpmi, payload: Uint8Array): Uint8Array | undefined {
  const { tag, bmcSession, random, role, user } = decodeRakp1(payload);
  const half = bmc.sessions.half.get(bmcSession);
  if (half === undefined) return undefined;
  if (half.introduction !== undefined && half.introduction.remoteRandom.every((byte, i) => byte === random[i]))
    return half.answer;
  const refuse = (status: number): Uint8Array => {
    bmc.sessions.half.delete(bmcSession);
    return message(PAYLOAD.rakp2, encodeRakp2({ tag, status, remoteSession: half.remote }));
  };
  const privilege = role & 0x0f;
  if (privilege === 0 || privilege > half.limit) return refuse(STATUS.invalidRole);
  if (user.length > USER_NAME) return refuse(STATUS.invalidNameLength);
  const found = bmc.users.find(toLatin1(user), (role & NAME_ONLY) === 0 ? privilege : 0);
  if (found === undefined) return refuse(STATUS.unauthorizedName);
  if (privilege > found.user.privilege) return refuse(STATUS.unauthorizedRole);
  half.user = { number: found.number, password: found.user.password, privilege };
  half.introduction = {
    remoteSession: Uint8Array.from(leastFirst(half.remote, 4)),
    bmcSession: Uint8Array.from(leastFirst(half.id, 4)),
    remoteRandom: random,
    bmcRandom: bmc.entropy.bytes(16),
    guid: bmc.guid,
    role,
    user,
  };
  const code = new Rakp(bmc.crypto, half.suite, half.introduction).code2(half.user.password);
  const granted = { random: half.introduction.bmcRandom, guid: bmc.guid, code };
  half.answer = message(PAYLOAD.rakp2, encodeRakp2({ tag, status: STATUS.ok, remoteSession: half.remote, granted }));
  return half.answer;
}

function answerRakp3(bmc: SimulatedIpmi, payload: Uint8Array, from: UdpEndpoint): Uint8Array | undefined {
  const proof = decodeProof(payload);
  const greeted = bmc.sessions.open.get(proof.session);
  if (greeted !== undefined) return greeted.greeting;
  const half = bmc.sessions.half.get(proof.session);
  if (half?.introduction === undefined || half.user === undefined) return undefined;
  bmc.sessions.half.delete(half.id);
  if (proof.status !== STATUS.ok) return undefined;
  const { suite, introduction, user } = half;
  const rakp = new Rakp(bmc.crypto, suite, introduction);
  if (!bmc.crypto.isEqual(rakp.code3(user.password), proof.code)) {
    return message(
      PAYLOAD.rakp4,
      encodeProof({ tag: proof.tag, status: STATUS.invalidCheck, session: half.remote, code: new Uint8Array() }),
    );
  }
  const sik = rakp.sik(bmc.key ?? user.password);
  const greeting = message(
    PAYLOAD.rakp4,
    encodeProof({ tag: proof.tag, status: STATUS.ok, session: half.remote, code: rakp.code4(sik) }),
  );
  bmc.sessions.open.set(half.id, openSession(bmc, half, sik, from, greeting));
  return greeting;
}

function openSession(bmc: SimulatedIpmi, half: HalfOpen, sik: Uint8Array, from: UdpEndpoint, greeting: Uint8Array): OpenSession {
  const random = (length: number): Uint8Array => bmc.entropy.bytes(length);
  const protection = new Protection(bmc.crypto, random, half.suite, sessionKeys(bmc.crypto, half.suite, sik));
  return {
    transport: new Session20({ id: half.id, own: half.id, peer: half.remote, protection }),
    handle: bmc.sessions.handle(),
    user: half.user!.number,
    suite: half.suite,
    limit: half.user!.privilege,
    privilege: PRIVILEGE.user,
    from,
    heardAt: bmc.clock.monotonic(),
    last: undefined,
    sol: undefined,
    greeting,
  };
}

/** Get Session Challenge, which comes outside of a session. Throws {@link Refusal}. */
export function challenge(bmc: SimulatedIpmi, data: Uint8Array): Iterable<number> {
  if (!bmc.speaks15) throw new Refusal(COMPLETION.invalidCommand);
  if (data.length < 1 + USER_NAME) throw new Refusal(COMPLETION.lengthInvalid);
  const type = data[0]! & 0x0f;
  if (!bmc.types15.includes(type)) throw new Refusal(COMPLETION.invalidField);
  const name = unpaddedText(data.subarray(1, 1 + USER_NAME));
  const found = bmc.users.find(name);
  if (found === undefined) throw new Refusal(name === "" ? 0x82 : 0x81);
  const id = bmc.newId();
  const bytes = bmc.entropy.bytes(16);
  bmc.sessions.challenges.set(id, { id, user: found.number, type, challenge: bytes, since: bmc.clock.monotonic() });
  return [...leastFirst(id, 4), ...bytes];
}

/** The answer to Activate Session, in a packet of a session that only has its number yet; undefined: silence. */
export function activate(bmc: SimulatedIpmi, packet: Packet15, message: Message, from: UdpEndpoint): Uint8Array | undefined {
  const { data } = message;
  // It comes again because the answer was lost.
  const greeted = bmc.sessions.open.get(packet.session);
  if (greeted !== undefined) return greeted.greeting;
  const pending = bmc.sessions.challenges.get(packet.session);
  const user = pending && bmc.users.get(pending.user);
  if (pending === undefined || user === undefined || data.length < 22) return undefined;
  const password = user.password.slice(0, PASSWORD_15);
  const isGenuine = packet.type === pending.type && bmc.crypto.isEqual(packet.code, authenticate15(bmc.crypto, password, packet));
  const isAnswer = data.subarray(2, 18).every((byte, i) => byte === pending.challenge[i]);
  if (!isGenuine || !isAnswer) return undefined;
  const outbound = (data[18]! | (data[19]! << 8) | (data[20]! << 16) | (data[21]! << 24)) >>> 0;
  const answer = (...bytes: number[]): Uint8Array => {
    const sent = { type: pending.type, sequence: outbound, session: packet.session, payload: replyTo(message, bytes) };
    return encode15({ ...sent, code: authenticate15(bmc.crypto, password, sent) });
  };
  const wanted = data[1]! & 0x0f;
  if (wanted > user.privilege) return answer(0x86);
  if (bmc.sessions.isFull || bmc.faults.isFull?.() === true) return answer(0x81);
  bmc.sessions.challenges.delete(packet.session);
  const inbound = 1 + (bmc.entropy.bytes(1)[0]! & 0x7f);
  const greeting = answer(COMPLETION.ok, pending.type, ...leastFirst(packet.session, 4), ...leastFirst(inbound, 4), wanted);
  bmc.sessions.open.set(packet.session, {
    transport: new Session15({
      id: packet.session,
      type: pending.type,
      password,
      next: outbound + 1,
      first: inbound,
      primitives: bmc.crypto,
    }),
    handle: bmc.sessions.handle(),
    user: pending.user,
    suite: undefined,
    limit: wanted,
    privilege: PRIVILEGE.user,
    from,
    heardAt: bmc.clock.monotonic(),
    last: undefined,
    sol: undefined,
    greeting,
  });
  return greeting;
}

export const LOGIN_COMMANDS = { challenge: APP.getSessionChallenge, activate: APP.activateSession } as const;
