/** A session by IPMI 2.0: Open Session, then RAKP messages 1 to 4 (IPMI 2.0 §13.15). */
import { PAYLOAD, USER_NAME, PASSWORD_20 } from "../constants.ts";
import { leastFirst, malformed, paddedText } from "../reader.ts";
import { ask, insist, opening } from "./ask.ts";
import type { Steps } from "./ask.ts";
import type { LoginOptions } from "./login.ts";
import { Protection } from "./packet20.ts";
import {
  decodeOpenResponse,
  decodeProof,
  decodeRakp2,
  encodeOpenRequest,
  encodeProof,
  encodeRakp1,
  NAME_ONLY,
  STATUS,
} from "./rakp.ts";
import { denied, isSuiteRefusal, silence, statusFault } from "./refusal.ts";
import { Session20 } from "./session.ts";
import type { Session } from "./session.ts";
import { Rakp, sessionKeys } from "./suite.ts";
import type { Introduction, Suite } from "./suite.ts";

/** Undefined when the BMC wants no session with this suite; with `isLast` that is a Fault like those of `login`. */
export function* open20(options: LoginOptions, suite: Suite, isLast: boolean): Steps<Session | undefined> {
  const { primitives, random, privilege } = options;
  const user = paddedText(options.user, USER_NAME, "the user name").subarray(0, options.user.length);
  const password = paddedText(options.password, PASSWORD_20, "the password");
  const own = readId(random(4));
  const tag = random(1)[0]!;
  const answer = yield* ask(
    opening(
      "Open Session Request",
      PAYLOAD.openSessionRequest,
      encodeOpenRequest({ tag, privilege, remoteSession: own, ...suite }),
      (payload) => {
        const read = decodeOpenResponse(payload);
        return read.tag === tag && (read.remoteSession === own || read.status !== STATUS.ok) ? read : undefined;
      },
    ),
  );
  // Some say nothing to a suite that they do not have.
  if (answer === undefined && isLast) throw silence("Open Session Request");
  if (answer === undefined || (isSuiteRefusal(answer.status) && !isLast)) return undefined;
  const granted = answer.granted;
  if (granted === undefined) throw statusFault("Open Session Request", answer.status);
  if (
    granted.authentication !== suite.authentication ||
    granted.integrity !== suite.integrity ||
    granted.confidentiality !== suite.confidentiality
  ) {
    if (!isLast) return undefined;
    throw malformed("Open Session Response", "it grants other algorithms than were asked for");
  }

  const role = privilege | (options.lookup === "level" ? 0 : NAME_ONLY);
  const remoteRandom = random(16);
  const second = yield* insist(
    opening(
      "RAKP message 1",
      PAYLOAD.rakp1,
      encodeRakp1({ tag, bmcSession: granted.bmcSession, random: remoteRandom, role, user }),
      (payload) => {
        const read = decodeRakp2(payload);
        return read.tag === tag && (read.remoteSession === own || read.status !== STATUS.ok) ? read : undefined;
      },
    ),
  );
  if (second.granted === undefined) throw statusFault("RAKP message 1", second.status);

  const introduction: Introduction = {
    remoteSession: Uint8Array.from(leastFirst(own, 4)),
    bmcSession: Uint8Array.from(leastFirst(granted.bmcSession, 4)),
    remoteRandom,
    bmcRandom: second.granted.random,
    guid: second.granted.guid,
    role,
    user,
  };
  const rakp = new Rakp(primitives, suite, introduction);
  if (!primitives.isEqual(rakp.code2(password), second.granted.code)) throw denied("it has another password for this user");
  const sik = rakp.sik(options.key ?? password);
  const proof = encodeProof({ tag, status: STATUS.ok, session: granted.bmcSession, code: rakp.code3(password) });
  const fourth = yield* insist(
    opening("RAKP message 3", PAYLOAD.rakp3, proof, (payload) => {
      const read = decodeProof(payload);
      return read.tag === tag && (read.session === own || read.status !== STATUS.ok) ? read : undefined;
    }),
  );
  if (fourth.status !== STATUS.ok) throw statusFault("RAKP message 3", fourth.status);
  if (!primitives.isEqual(rakp.code4(sik), fourth.code)) throw denied("its key (K_g) is another one");
  const protection = new Protection(primitives, random, suite, sessionKeys(primitives, suite, sik));
  return new Session20({ id: granted.bmcSession, own, peer: granted.bmcSession, protection });
}

/** Any number but 0. */
function readId(bytes: Uint8Array): number {
  return (bytes[0]! | (bytes[1]! << 8) | (bytes[2]! << 16) | (bytes[3]! << 24)) >>> 0 || 1;
}
