/** Who sends a request: a caller in this process, the subject of a client certificate, or the owner of a bearer token. */
import "reflect-metadata";
import { X509Certificate } from "@peculiar/x509";
import { statusFault } from "#kube/status.ts";
import type { Clock } from "#io/clock.ts";
import type { Incoming } from "#io/serve.ts";
import type { User } from "./request.ts";
import type { Tokens } from "./tokens.ts";

/** Undefined: nobody in particular. Throws the 401 fault for credentials that are wrong, also where none are needed. */
export type Authenticate = (incoming: Incoming) => User | undefined | Promise<User | undefined>;

const AUTHENTICATED = "system:authenticated";

/** What somebody without credentials is, where that is allowed at all. */
export const ANONYMOUS: User = { name: "system:anonymous", groups: ["system:unauthenticated"] };

export interface AuthenticatorOptions {
  readonly clock: Clock;
  readonly tokens?: Tokens;
}

export function createAuthenticator({ clock, tokens }: AuthenticatorOptions): Authenticate {
  return (incoming) => {
    const { principal, certificate } = incoming.peer;
    if (principal !== undefined) return authenticated(principal);
    if (certificate !== undefined) return subjectOf(certificate, clock.now());
    const token = bearer(incoming.headers["authorization"]);
    if (token === undefined) return undefined;
    const user = tokens?.find(token);
    if (user === undefined) throw unauthorized();
    return authenticated(user);
  };
}

export function unauthorized(): Error {
  return statusFault("Unauthorized", "Unauthorized");
}

/** The user with the group that all who have proven who they are belong to. */
export function authenticated(user: User): User {
  return user.groups.includes(AUTHENTICATED) ? user : { ...user, groups: [...user.groups, AUTHENTICATED] };
}

/** RFC 6750 §2.1 as client-go's server side reads it: the scheme in any case, exactly one space, what follows a second one ignored. */
function bearer(header: string | undefined): string | undefined {
  const [scheme, token] = (header ?? "").trim().split(" ", 3);
  return scheme!.toLowerCase() === "bearer" && token !== undefined && token !== "" ? token : undefined;
}

interface Subject {
  readonly user: User | undefined;
  readonly from: number;
  readonly until: number;
}

/** A connection shows the same bytes with each of its requests: they are parsed once. */
const subjects = new WeakMap<Uint8Array, Subject>();

/** CN is the user's name and each O a group, as Kubernetes has it. TLS has verified the chain; time goes on while a connection is open. */
function subjectOf(certificate: Uint8Array, now: number): User {
  let subject = subjects.get(certificate);
  if (subject === undefined) subjects.set(certificate, (subject = parseSubject(certificate)));
  if (subject.user === undefined || now < subject.from || now > subject.until) throw unauthorized();
  return subject.user;
}

function parseSubject(certificate: Uint8Array): Subject {
  const { subjectName, notBefore, notAfter } = new X509Certificate(Buffer.from(certificate));
  const [name = ""] = subjectName.getField("CN");
  const groups = subjectName.getField("O");
  return {
    user: name === "" ? undefined : authenticated({ name, groups }),
    from: notBefore.getTime(),
    until: notAfter.getTime(),
  };
}
