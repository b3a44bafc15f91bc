/** User and password of a BMC, from the Server or from Secrets. */
import type { BmcWay, CredentialPart } from "#decide/bmc-address.ts";
import type { SecretKeyReference } from "#kinds/reference.ts";
import { Fault } from "#std/fault.ts";
import { Sealed } from "#std/sealed.ts";
import type { Credentials } from "./bmc.ts";

/**
 * The value of one key of a Secret as it is now. Rejects with Fault `bmc.no-credentials` (caller, later) that names what is missing, or with those of the
 * API.
 */
export type ReadSecret = (reference: SecretKeyReference) => Promise<string>;

/** Credentials that nobody sees who does not ask for one of them by name: whatever prints them, prints `***`. */
export class SealedCredentials extends Sealed<Credentials> implements Credentials {
  constructor(user: string, password: string) {
    super({ user, password });
  }
  get user(): string {
    return this.reveal().user;
  }
  get password(): string {
    return this.reveal().password;
  }
}

export type CredentialSources = Extract<BmcWay, { way: "bmc" }>["credentials"];

/** Reads them anew. Rejects as {@link ReadSecret} does. */
export async function readCredentials(sources: CredentialSources, readSecret: ReadSecret): Promise<Credentials | undefined> {
  if (sources === undefined) return undefined;
  const [user, password] = await Promise.all([valueOf(sources.user, readSecret), valueOf(sources.password, readSecret)]);
  return new SealedCredentials(user, password);
}

async function valueOf(part: CredentialPart, readSecret: ReadSecret): Promise<string> {
  if ("literal" in part) return part.literal;
  const value = await readSecret(part.secret);
  if (value === "") throw noCredentials(part.secret, "is empty");
  return value;
}

/** For whoever implements {@link ReadSecret}. `problem`: `does not exist`. */
export function noCredentials({ namespace, name, key }: SecretKeyReference, problem: string): Fault {
  const message = `Secret ${namespace}/${name}, key ${key}: ${problem}`;
  return new Fault("bmc.no-credentials", message, { fault: "caller", retry: "later", facts: { namespace, name, key } });
}
