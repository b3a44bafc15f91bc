/**
 * A Server's BMC account on record: the Secret that upstream makes too (`user`, `pass`), and beside them the passwords that its BMC may have by now
 * (`pending`): they are written before the BMC has them and go when one of them has proven to work.
 */
import { bmcSecretName } from "#decide/registration/bmc.ts";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import type { Registry } from "./registry.ts";

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

export interface BmcRecord {
  /** What the Server refers to; it has worked once. */
  readonly current: Credentials | undefined;
  /** Newest first. */
  readonly pending: readonly Credentials[];
}

/** Passwords kept while none is proven. A set-up makes five at most before it gives up for a while. */
const MOST_PENDING = 8;
/** So that `clusterctl move` takes the Secret along, and a pivoted Server finds it. */
const LABELS = { "clusterctl.cluster.x-k8s.io/move": "" };

export class BmcRecords {
  readonly #registry: Registry;
  readonly namespace: string;

  constructor(registry: Registry, namespace: string) {
    this.#registry = registry;
    this.namespace = namespace;
  }

  async read(server: Server): Promise<BmcRecord> {
    const { user = "", pass = "", pending = "" } = (await this.#registry.secret(this.namespace, bmcSecretName(server))) ?? {};
    const current = user === "" || pass === "" ? undefined : { user, password: pass };
    return { current, pending: parsePending(pending) };
  }

  /** Beside the one that works. Nothing is written when it is there already. */
  async add(server: Server, credentials: Credentials): Promise<void> {
    const { current, pending } = await this.read(server);
    if ([current, ...pending].some((each) => each !== undefined && isSame(each, credentials))) return;
    await this.#write(server, { pending: JSON.stringify([credentials, ...pending].slice(0, MOST_PENDING)) });
  }

  /** The one that works from now on. */
  async promote(server: Server, credentials: Credentials): Promise<void> {
    const { current, pending } = await this.read(server);
    if (current !== undefined && isSame(current, credentials) && pending.length === 0) return;
    await this.#write(server, { user: credentials.user, pass: credentials.password, pending: undefined });
  }

  #write(server: Server, data: Readonly<Record<string, string | undefined>>): Promise<void> {
    return this.#registry.putSecret(server, { namespace: this.namespace, name: bmcSecretName(server), labels: LABELS, data });
  }
}

function isSame(a: Credentials, b: Credentials): boolean {
  return a.user === b.user && a.password === b.password;
}

/** What is no list of ours counts as none. */
function parsePending(text: string): Credentials[] {
  try {
    const list: unknown = JSON.parse(text || "[]");
    return Array.isArray(list) ? list.filter(isCredentials).slice(0, MOST_PENDING) : [];
  } catch {
    return [];
  }
}

function isCredentials(value: unknown): value is Credentials {
  const { user, password } = (value ?? {}) as { user?: unknown; password?: unknown };
  return typeof user === "string" && typeof password === "string";
}
