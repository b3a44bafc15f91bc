/** What machines and their firmware ask over HTTP: scripts, files, and where their configuration is. */
import type { Incoming, Handler, Outgoing } from "#io/serve.ts";
import { Fault } from "#std/fault.ts";
import { isLoopback } from "#decide/boot/entitlement.ts";
import type { Witness } from "#decide/sighting.ts";
import { Admission } from "./admission.ts";
import { script, text } from "./answer.ts";
import type { MetadataOptions } from "../metadata/gate.ts";
import { createMetadata } from "../metadata/metadata.ts";
import { answerWith, type Download } from "./download.ts";
import { endpointOf } from "./endpoint.ts";
import { createFindFile, type FileOptions } from "./file-route.ts";
import { createScriptRoute, type ScriptOptions } from "./script-route.ts";
import { entryScript } from "./scripts.ts";

export interface BootHandlerOptions extends ScriptOptions, FileOptions {
  /** Of all downloads; several handlers may share one. Absent: 64 MiB on their way at once. */
  readonly admission?: Admission;
  /** Absent: there are no configurations, and no tokens for them. */
  readonly metadata?: MetadataOptions;
}

const IN_FLIGHT = 64 * 1024 * 1024;
/** Of these for one address, which may be that of a gateway with many machines behind it. */
const SHARE = 4 * 1024 * 1024;
/** A chunk that takes longer is a machine that is off or a network that is down. */
const PATIENCE = 5_000;
/** Characters of path and query together. */
const LONGEST_TARGET = 2048;
/** Nobody may keep it. */
const UNKEPT = { "cache-control": "no-store" };
/** Seconds. */
const RETRY_AFTER = { "retry-after": "5" };

/**
 * Answers `/boot.ipxe`, `/ipxe`, `/env/…`, `/tftp/…` and `/configdata`. Everything it refuses, and every download that ends, is a sighting. Never
 * rejects.
 */
export function createBootHandler(options: BootHandlerOptions): Handler {
  const { clock, log, witness, settings } = options;
  const admission = options.admission ?? new Admission({ limit: IN_FLIGHT, share: SHARE, patience: PATIENCE, clock });
  const findFile = createFindFile(options);
  const { metadata: sources } = options;
  const metadata =
    sources &&
    createMetadata({ ...options, metadata: sources, tokenLifetime: settings.tokenLifetime, sideroLink: settings.sideroLink });
  const answerScript = createScriptRoute(options, metadata?.tokens);

  const refuse = ({ method, target, peer }: Incoming, status: number, reason: string, headers = {}): Outgoing => {
    const what = `${method} ${shown(target)}`;
    witness({ of: { address: peer.address }, at: clock.now(), what: "http.refused", text: `${what}: ${status}, ${reason}` });
    log.info(`refused ${what}: ${reason}`, { address: peer.address, status });
    return text(status, `${reason}\n`, headers);
  };
  const entry = (incoming: Incoming, waitsForLink: boolean): Outgoing =>
    script(entryScript({ base: `http://${endpointOf(incoming, settings)}`, waitsForLink }));

  const route = async (incoming: Incoming): Promise<Outgoing> => {
    const { method, target, peer } = incoming;
    if (target.length > LONGEST_TARGET) return refuse(incoming, 414, "the target is too long");
    if (method !== "GET" && method !== "HEAD") return refuse(incoming, 405, "only GET and HEAD", { allow: "GET, HEAD" });
    const url = parseTarget(target);
    if (url === undefined) return refuse(incoming, 400, "the target is malformed");
    const { path, segments, query } = url;
    if (path === "/ipxe") return answerScript(incoming, query);
    if (path === "/boot.ipxe") return entry(incoming, false);
    // iPXE of 2023 and later looks for a script beside the program it was started from.
    if (path === "/tftp/autoexec.ipxe") return entry(incoming, true);
    const isConfig = path === "/configdata";
    if (isConfig || segments[0] === "cloud") {
      if (metadata === undefined) return refuse(incoming, 503, "there are no configurations here", RETRY_AFTER);
      const answer = await metadata.answer(isConfig ? query : segments.slice(1), {
        address: peer.address,
        endpoint: endpointOf(incoming, settings),
      });
      if (answer.is === "served")
        return { status: 200, headers: { ...UNKEPT, "content-type": answer.type }, body: [answer.text] };
      const headers = answer.status === 503 || answer.status === 429 ? RETRY_AFTER : {};
      if (answer.is === "unheard") return refuse(incoming, answer.status, answer.because, headers);
      return text(answer.status, `${answer.because}\n`, headers);
    }
    const file = await findFile(segments);
    if (file === undefined) return refuse(incoming, 404, "not found");
    const started = clock.monotonic();
    return answerWith(file, { method, headers: incoming.headers, signal: incoming.signal, peer }, admission, (download) => {
      report(download, { target, address: peer.address, at: clock.now(), took: clock.monotonic() - started, witness });
      if (download.fault !== undefined) log.error(`${shown(target)}: ${download.fault.message}`, { code: download.fault.code });
    });
  };

  return async (received) => {
    const incoming = unrelayed(received);
    try {
      return await route(incoming);
    } catch (cause) {
      const { code, message } = Fault.from(cause);
      log.error(`${shown(incoming.target)}: ${message}`, { code });
      return refuse(incoming, 500, "something went wrong here; the log says what");
    }
  };
}

/** What proxies say they have relayed something by (RFC 7239, RFC 9110 §7.6.3, and custom). */
const RELAYED = ["forwarded", "via", "x-forwarded-for", "x-real-ip"];
/** Nobody's. */
const UNKNOWN = "0.0.0.0";

/**
 * A program on this host is believed, as nobody else can have its address; what a proxy on this host relays is from anybody. Whom the proxy names is not
 * believed either: whoever asks can have written that.
 */
function unrelayed(incoming: Incoming): Incoming {
  const { method, target, headers, peer, local } = incoming;
  if (!isLoopback(peer.address) || RELAYED.every((name) => headers[name] === undefined)) return incoming;
  return {
    method,
    target,
    headers,
    peer: { ...peer, address: UNKNOWN },
    ...(local && { local }),
    body: (limit) => incoming.body(limit),
    get signal() {
      return incoming.signal;
    },
  };
}

interface Circumstances {
  readonly target: string;
  readonly address: string;
  readonly at: number;
  readonly took: number;
  readonly witness: Witness;
}

function report(
  { start, end, size, sent, complete, fault }: Download,
  { target, address, at, took, witness }: Circumstances,
): void {
  const what = shown(target);
  const part = end - start === size ? "" : ` (bytes ${start} to ${end - 1} of ${size})`;
  const of = { address };
  if (complete) {
    const rate = took > 0 ? `, ${megabytes(((end - start) / took) * 1000)} MB/s` : "";
    return witness({
      of,
      at,
      what: "http.sent",
      text: `sent ${what}${part}, ${megabytes(end - start)} MB${rate}`,
      bytes: end - start,
      took,
    });
  }
  const why = fault === undefined ? "the machine went away" : fault.message;
  const far = `after ${megabytes(sent)} of ${megabytes(end - start)} MB`;
  witness({ of, at, what: "http.failed", text: `${what}${part} broke off ${far}: ${why}`, bytes: sent, took });
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(bytes < 1e6 ? 3 : 1);
}

/** Not all of a target is fit to be shown: nobody has looked at it yet, and it may be a token. */
function shown(target: string): string {
  const path = target
    .split("?")[0]!
    .replaceAll(/[^!-~]/g, "?")
    .replace(/^(.*\/cloud)\/[^/]+/, "$1/***");
  return path.length > 100 ? `${path.slice(0, 100)}…` : path;
}

interface Target {
  readonly path: string;
  /** Decoded. */
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
}

/** Also of the absolute form that proxies send (RFC 9112 §3.2.2). Undefined: no such thing. */
function parseTarget(target: string): Target | undefined {
  const origin = target.replace(/^https?:\/\/[^/?#]*/i, "");
  const [path = "", ...query] = origin.split("?");
  if (!path.startsWith("/")) return undefined;
  try {
    const segments = path.slice(1).split("/").map(decodeURIComponent);
    return { path, segments, query: new URLSearchParams(query.join("?")) };
  } catch {
    return undefined;
  }
}
