/** The API server's own authority and what it signs, kept in a directory: made once, renewed when they must be. */
import { Fault } from "#std/fault.ts";
import type { Clock } from "#io/clock.ts";
import type { Disk } from "#io/disk.ts";
import type { Entropy } from "#io/entropy.ts";
import { silent, type Log } from "#io/log.ts";
import { MASTERS } from "./authorize.ts";
import { type CertificateRequest, flawOf, issue, type Pair } from "./certificate.ts";

export interface Pki {
  /** PEM: what clients trust, and what their certificates must be signed by. */
  readonly authority: string;
  readonly serving: Pair;
  /** A client certificate that may do everything. */
  readonly admin: Pair;
}

export interface PkiOptions {
  readonly disk: Disk;
  /** Made when absent, for its owner only. */
  readonly directory: string;
  readonly clock: Clock;
  readonly entropy: Entropy;
  /** DNS names and addresses that the server is reached under. */
  readonly names: readonly string[];
  readonly log?: Log;
}

const DAY = 24 * 60 * 60_000;
const AUTHORITY_LIFETIME = 10 * 365 * DAY;
/** Some TLS clients take no server certificate of more than 825 days. */
const LEAF_LIFETIME = 800 * DAY;
/** A server may run for this long without a start at which to renew its certificates. */
const LEAF_SPARE = 400 * DAY;

/**
 * Rejects with Fault `pki.bad-authority` when the authority's files are there but do not serve: it is never replaced by itself,
 * since every client that trusts it would be shut out.
 */
export async function openPki(options: PkiOptions): Promise<Pki> {
  const { disk, directory, clock, names } = options;
  await disk.makeDirectory(directory, 0o700);
  const authority = await openAuthority(options);
  const leaf = async (file: string, request: Pick<CertificateRequest, "purpose" | "name" | "groups">): Promise<Pair> => {
    const found = await load(disk, directory, file);
    const wanted = request.purpose.kind === "server" ? names : undefined;
    const flaw = found === undefined ? "there is none" : await flawOf(found, authority, clock.now(), LEAF_SPARE, wanted);
    if (found !== undefined && flaw === undefined) return found;
    (options.log ?? silent).info("making a certificate", { file, because: flaw });
    return save(options, file, await issue(demand(options, request, LEAF_LIFETIME), authority));
  };
  return {
    authority: authority.certificate,
    serving: await leaf("apiserver", { purpose: { kind: "server", names }, name: "sidero" }),
    admin: await leaf("admin", { purpose: { kind: "client" }, name: "sidero-admin", groups: [MASTERS] }),
  };
}

async function openAuthority(options: PkiOptions): Promise<Pair> {
  const { disk, directory, clock } = options;
  const found = await load(disk, directory, "ca");
  if (found === undefined) {
    // A certificate is written after its key: alone, it means that the key is lost, not that a start was interrupted.
    if ((await disk.read(`${directory}/ca.crt`)) !== undefined) throw badAuthority(directory, "ca.key is missing");
    const request = demand(options, { purpose: { kind: "authority" }, name: "sidero-ca" }, AUTHORITY_LIFETIME);
    return save(options, "ca", await issue(request));
  }
  const flaw = await flawOf(found, found, clock.now(), 0);
  if (flaw !== undefined) throw badAuthority(directory, flaw);
  return found;
}

function badAuthority(directory: string, flaw: string): Fault {
  const remedy =
    "restore ca.crt and ca.key from a backup, or remove both to start with a new authority (clients then need a new kubeconfig)";
  return new Fault("pki.bad-authority", `the authority in ${directory} cannot serve: ${flaw}; ${remedy}`, {
    fault: "world",
    retry: "never",
  });
}

function demand(
  { clock, entropy }: PkiOptions,
  request: Pick<CertificateRequest, "purpose" | "name" | "groups">,
  lifetime: number,
): CertificateRequest {
  return { ...request, now: clock.now(), lifetime, serial: entropy.bytes(16) };
}

/** Undefined unless both files are there. */
async function load(disk: Disk, directory: string, file: string): Promise<Pair | undefined> {
  const [certificate, key] = await Promise.all([disk.read(`${directory}/${file}.crt`), disk.read(`${directory}/${file}.key`)]);
  if (certificate === undefined || key === undefined) return undefined;
  return { certificate: Buffer.from(certificate).toString(), key: Buffer.from(key).toString() };
}

/** The key first: a certificate on disk always has one. */
async function save({ disk, directory }: PkiOptions, file: string, pair: Pair): Promise<Pair> {
  await disk.writeAtomic(`${directory}/${file}.key`, pair.key, 0o600);
  await disk.writeAtomic(`${directory}/${file}.crt`, pair.certificate, 0o644);
  return pair;
}

/** Not addresses anybody can connect to: the listener takes connections to all addresses of the machine. */
const UNSPECIFIED = new Set(["", "0.0.0.0", "::"]);

/** The names for a listener on `host`: that, this machine's names for itself, and what the operator adds; each once. */
export function servingNames(host: string, hostname: string, extra: readonly string[] = []): string[] {
  const names = ["localhost", "127.0.0.1", "::1", hostname, host, ...extra];
  return [...new Set(names.map((name) => name.toLowerCase()))].filter((name) => !UNSPECIFIED.has(name));
}
