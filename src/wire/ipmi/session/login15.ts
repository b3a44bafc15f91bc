/** A session by IPMI 1.5: a challenge, and its answer (IPMI 2.0 §6.12.3, §22.16, §22.17). */
import type { AuthenticationCapabilities } from "../app/channel.ts";
import { activateSession, getSessionChallenge } from "../app/session.ts";
import { AUTHENTICATION, PASSWORD_15 } from "../constants.ts";
import type { IpmiResponse } from "../packet.ts";
import { paddedText } from "../reader.ts";
import { decodeAnswer, encodeCommand, insist, PATIENT, plain } from "./ask.ts";
import type { Ask, Steps } from "./ask.ts";
import type { LoginOptions } from "./login.ts";
import { authenticate15, decode15, encode15 } from "./packet15.ts";
import { unsupported } from "./refusal.ts";
import { Session15, tolerant } from "./session.ts";
import type { Session } from "./session.ts";

const CHALLENGE_SEQUENCE = 5;
const ACTIVATE_SEQUENCE = 6;

/** Throws as `login` does. */
export function* open15(options: LoginOptions, capabilities: AuthenticationCapabilities): Steps<Session> {
  const { primitives, random, user, privilege } = options;
  const password = paddedText(options.password, PASSWORD_15, "the password");
  const type = chooseType(options, capabilities);
  const asked = getSessionChallenge.encode({ type, user });
  const { session, challenge } = getSessionChallenge.decode(
    yield* insist(plain(getSessionChallenge.name, asked, CHALLENGE_SEQUENCE, PATIENT)),
  );

  // The top half stays free, so that the numbers do not go round.
  const outbound = 1 + (random(2)[0]! | (random(2)[1]! << 8));
  const request = activateSession.encode({ type, privilege, challenge, outbound });
  const packet = { type, sequence: 0, session, payload: encodeCommand(request, ACTIVATE_SEQUENCE) };
  const activation: Ask<IpmiResponse> = {
    name: activateSession.name,
    waits: PATIENT,
    send: () => encode15({ ...packet, code: authenticate15(primitives, password, packet) }),
    read: (datagram) => {
      const found = tolerant(() => decode15(datagram));
      if (found === undefined) return undefined;
      const answer = decodeAnswer(found.payload, request, ACTIVATE_SEQUENCE);
      // A refusal may come without a proof; that we are let in may not.
      const isGenuine = found.type === type && primitives.isEqual(found.code, authenticate15(primitives, password, found));
      return answer !== undefined && (answer.completion !== 0 || isGenuine) ? answer : undefined;
    },
  };
  const active = activateSession.decode(yield* insist(activation));
  return new Session15({
    id: active.session,
    type: active.type,
    password,
    next: active.inbound,
    first: outbound,
    primitives,
  });
}

function chooseType({ cipherSuite, password }: LoginOptions, { types }: AuthenticationCapabilities): number {
  if (types.includes(AUTHENTICATION.md5)) return AUTHENTICATION.md5;
  // Whoever answers at its address says what it has, and would be told the password.
  if (types.includes(AUTHENTICATION.password) && cipherSuite === 0) return AUTHENTICATION.password;
  if (types.includes(AUTHENTICATION.none) && (cipherSuite === 0 || password === "")) return AUTHENTICATION.none;
  const has = types.includes(AUTHENTICATION.password) ? ", only passwords in the clear, which cipher suite 0 allows" : "";
  throw unsupported(`by IPMI 1.5 it has no MD5${has}`);
}
