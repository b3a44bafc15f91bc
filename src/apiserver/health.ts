/** `/livez`, `/readyz`, `/healthz` and `/version`, worded as the genuine server words them (apiserver `server/healthz`). */
import type { Outgoing } from "#io/serve.ts";
import { quote } from "#schema/quote.ts";
import { JSON_TYPE, PRETTY_FORMAT } from "./render/format.ts";
import type { ApiRequest } from "./request.ts";
import { type HealthEndpoint, methodNotAllowed } from "./route.ts";

export interface Check {
  /** One path segment or more: `/livez/<name>`. */
  readonly name: string;
  /** What is wrong, undefined when all is well. Must not block. */
  problem(): string | undefined;
  /** True for what keeps traffic away but is no reason to restart the process. */
  readonly readyOnly?: boolean;
}

const PING: Check = { name: "ping", problem: () => undefined };

/** Answers an endpoint or one of its checks; undefined when there is no such check. */
export type Health = (request: ApiRequest, endpoint: HealthEndpoint, check?: string) => Outgoing | undefined;

/** `problem` texts are only shown by the check's own path, which needs more rights than the endpoint: here they are withheld. */
export function createHealth(checks: readonly Check[]): Health {
  const ready = [PING, ...checks];
  const live = ready.filter((check) => check.readyOnly !== true);
  return ({ query }, endpoint, name) => {
    const of = endpoint === "readyz" ? ready : live;
    if (name === undefined) return summary(endpoint, of, query);
    const check = of.find((candidate) => candidate.name === name);
    if (check === undefined) return undefined;
    const problem = check.problem();
    return problem === undefined ? text(200, "ok") : text(500, `internal server error: ${problem}\n`);
  };
}

function summary(endpoint: HealthEndpoint, checks: readonly Check[], query: URLSearchParams): Outgoing {
  const excluded = new Set(query.getAll("exclude"));
  const lines: string[] = [];
  let failed = false;
  for (const check of checks) {
    if (excluded.delete(check.name)) {
      lines.push(`[+]${check.name} excluded: ok`);
    } else if (check.problem() === undefined) {
      lines.push(`[+]${check.name} ok`);
    } else {
      failed = true;
      lines.push(`[-]${check.name} failed: reason withheld`);
    }
  }
  if (excluded.size > 0) {
    const names = [...excluded].toSorted().map(quote).join(",");
    lines.push(`warn: some health checks cannot be excluded: no matches for ${names}`);
  }
  if (!failed && !query.has("verbose")) return text(200, "ok");
  return text(failed ? 500 : 200, `${[...lines, `${endpoint} check ${failed ? "failed" : "passed"}`].join("\n")}\n`);
}

function text(status: number, body: string): Outgoing {
  const headers = { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" };
  return { status, headers, body: [Buffer.from(body)] };
}

export interface Version {
  /** Ours, e.g. `0.1.0`. */
  readonly version: string;
  /** As Go names it, e.g. `linux/amd64`. */
  readonly platform: string;
}

/** The Kubernetes whose API we speak: clients compare against it, kubectl warns when it is two minors away. */
const KUBERNETES = { major: "1", minor: "36", patch: "0" } as const;

/** The document of `/version` (apimachinery `version.Info`). */
export function versionInfo({ version, platform }: Version): Record<string, string> {
  const { major, minor, patch } = KUBERNETES;
  return {
    major,
    minor,
    emulationMajor: major,
    emulationMinor: minor,
    minCompatibilityMajor: major,
    minCompatibilityMinor: String(Number(minor) - 1),
    gitVersion: `v${major}.${minor}.${patch}+sidero-${version}`,
    gitCommit: "",
    gitTreeState: "clean",
    buildDate: "1970-01-01T00:00:00Z",
    goVersion: "",
    compiler: "",
    platform,
  };
}

/** Answers `/version`: 405 for anything but GET. */
export function answerVersion(request: ApiRequest, version: Version): Outgoing {
  if (request.method !== "GET") throw methodNotAllowed();
  return { status: 200, headers: { "content-type": JSON_TYPE }, body: [PRETTY_FORMAT.encode(versionInfo(version))] };
}
