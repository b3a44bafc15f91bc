/** How a session begins: what the BMC can do is asked first, then by IPMI 2.0 or 1.5. */
import { getChannelAuthenticationCapabilities, getChannelCipherSuites, readCipherSuites } from "../app/channel.ts";
import type { AuthenticationCapabilities } from "../app/channel.ts";
import { COMPLETION, THIS_CHANNEL } from "../constants.ts";
import { concat } from "#std/bytes.ts";
import type { Duration } from "#std/duration.ts";
import { ask, insist, PATIENT, plain } from "./ask.ts";
import type { Steps } from "./ask.ts";
import { open15 } from "./login15.ts";
import { open20 } from "./login20.ts";
import type { Primitives, Random } from "./primitives.ts";
import { unsupported } from "./refusal.ts";
import type { Session } from "./session.ts";
import { SUITES } from "./suite.ts";

export interface LoginOptions {
  /** At most 16 bytes of Latin 1. */
  readonly user: string;
  /** At most 20 bytes of Latin 1, with `lan` 16. */
  readonly password: string;
  /** The BMC's own key (K_g), where it has one. */
  readonly key?: Uint8Array;
  /** IPMI 2.0, or 1.5. */
  readonly interface: "lanplus" | "lan";
  /**
   * The only cipher suite to try. Absent: 17, then 3, of those that the BMC has. 0 stands for no authentication at all, and with `lan` allows
   * the same, and a password in the clear.
   */
  readonly cipherSuite?: number;
  /** As in PRIVILEGE: what to become. */
  readonly privilege: number;
  /** Which of several users of the name (§13.20): `level` looks for one who has the privilege. */
  readonly lookup?: "name" | "level";
  readonly primitives: Primitives;
  readonly random: Random;
}

export interface Login {
  readonly session: Session;
  /** Undefined with IPMI 1.5. */
  readonly suite: number | undefined;
}

/** The best one first. */
const PREFERENCE: readonly number[] = [17, 3];
/** Old BMCs never answer what suites they have. Others would have, by then. */
const BRIEF: readonly Duration[] = [400, 800];
const LAST_INDEX = 0x3f;
const PIECE = 16;

/**
 * Throws Fault `ipmi.unreachable` (world, soon), `ipmi.denied` (caller, later: wrong password, unknown user, too little privilege), `ipmi.busy`
 * (peer, soon: no session left), `ipmi.unsupported` (peer, never: nothing both sides speak), `ipmi.text` (caller, never) or `ipmi.malformed`.
 */
export function* login(options: LoginOptions): Steps<Login> {
  const capabilities = yield* askCapabilities(options);
  if (options.interface === "lan") {
    if (!capabilities.speaks15) throw unsupported('it does not speak IPMI 1.5 ("lan"); try "lanplus"');
    return { session: yield* open15(options, capabilities), suite: undefined };
  }
  if (!capabilities.speaks20) throw unsupported('it does not speak IPMI 2.0 ("lanplus"); try "lan"');
  const suites = yield* chooseSuites(options);
  for (const suite of suites) {
    const session = yield* open20(options, SUITES.get(suite)!, suite === suites.at(-1));
    if (session !== undefined) return { session, suite };
  }
  throw unsupported(`it takes none of the cipher suites ${suites.join(", ")}`);
}

/** The same, with a suite that is known to work: three questions less. */
export function* loginAgain(options: LoginOptions, suite: number): Steps<Login> {
  return { session: (yield* open20(options, SUITES.get(suite)!, true))!, suite };
}

function* askCapabilities({ privilege }: LoginOptions): Steps<AuthenticationCapabilities> {
  const command = getChannelAuthenticationCapabilities;
  const question = { channel: THIS_CHANNEL, privilege };
  const response = yield* insist(plain(command.name, command.encode(question), 1, PATIENT));
  if (response.completion !== COMPLETION.invalidField) return command.decode(response);
  // IPMI 1.5 knows no extended question (§22.13).
  return command.decode(yield* insist(plain(command.name, command.encode({ ...question, extended: false }), 2, PATIENT)));
}

function* chooseSuites({ cipherSuite }: LoginOptions): Steps<readonly number[]> {
  if (cipherSuite !== undefined) {
    if (!SUITES.has(cipherSuite))
      throw unsupported(`cipher suite ${cipherSuite} is not spoken here, only ${[...SUITES.keys()].join(", ")}`);
    return [cipherSuite];
  }
  const offered = yield* askSuites();
  const usable = PREFERENCE.filter((suite) => offered.includes(suite));
  if (offered.length > 0 && usable.length === 0) {
    throw unsupported(`it has the cipher suites ${offered.join(", ")} only, and is not trusted without 3 or 17`);
  }
  return usable.length > 0 ? usable : PREFERENCE;
}

/** None when the BMC does not tell. */
function* askSuites(): Steps<readonly number[]> {
  const command = getChannelCipherSuites;
  const pieces: Uint8Array[] = [];
  for (let index = 0; index <= LAST_INDEX; index++) {
    const request = command.encode({ channel: THIS_CHANNEL, index });
    const response = yield* ask(plain(command.name, request, 3 + (index % 60), BRIEF));
    if (response === undefined || response.completion !== COMPLETION.ok) break;
    const piece = command.decode(response);
    pieces.push(piece);
    if (piece.length < PIECE) break;
  }
  return readCipherSuites(concat(pieces));
}
