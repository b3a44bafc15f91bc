/** Which Servers are in a ServerClass, and what has to be done about it. */
import { type FieldError, FieldPath, invalid, printFieldError } from "#schema/field.ts";
import { compileSelector, validateSelector } from "#schema/selector.ts";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import type { ServerClass } from "#kinds/metal/v1alpha2/server-class.ts";
import { satisfies } from "./hardware.ts";
import { compileWhere } from "./where/predicate.ts";

/** The class that all accepted Servers are in. It is made when missing, and has no qualifiers; a selector set on it stays. */
export const ANY = "any";

/** Where a Server stands in a class; undefined: not in it. */
export type Place = "available" | "in-use" | undefined;

/** The rules of a class, ready to be asked about many Servers. */
export interface Membership {
  /** `onFailure` is told why it cannot be said whether the Server is in; then it is not. */
  readonly placeOf: (server: Server, onFailure?: (failure: string) => void) => Place;
  /** It would be in, were it accepted and not cordoned. */
  readonly isMeant: (server: Server) => boolean;
  /** It asks for the host name, which no other rule looks at. */
  readonly looksAtHostname: boolean;
  /** Why nobody can be in the class: its selector or its `where` does not parse. */
  readonly problem: string | undefined;
}

type Spec = ServerClass["spec"];

/**
 * Accepted, not cordoned, chosen by the selector (empty: all), and fitting the qualifiers: one of the `hardware` entries (none:
 * all; a Server whose hardware is unknown fits none), and any one label of any one of `labelSelectors`, and meeting `where`. That labels are
 * alternatives also within one entry is how it has always been; `selector` is the one to use.
 */
export function membershipOf(name: string, spec: Spec): Membership {
  const problems = validateSelector(spec?.selector ?? {}, FieldPath.of("spec", "selector"));
  if (problems.length > 0) return nobody(problems.map(printFieldError).join("; "));
  const compiled = spec?.where === undefined || spec.where === "" ? undefined : compileWhere(spec.where);
  if (compiled !== undefined && "problems" in compiled) {
    return nobody(compiled.problems.map((text) => `spec.where: ${text}`).join("; "));
  }
  const selector = compileSelector(spec?.selector ?? {});
  const { hardware = [], labelSelectors = [] } = (name === ANY ? undefined : spec?.qualifiers) ?? {};

  const isOpen = ({ spec: server }: Server): boolean => server?.accepted === true && server.cordoned !== true;

  const fits = ({ metadata: { labels = {} }, spec: server }: Server): boolean =>
    selector.matches(labels) &&
    (hardware.length === 0 || (server?.hardware !== undefined && hardware.some((entry) => satisfies(server.hardware, entry)))) &&
    (labelSelectors.length === 0 || labelSelectors.some((entry) => carriesOne(labels, entry)));

  const meets = (server: Server, onFailure: ((failure: string) => void) | undefined): boolean => {
    if (compiled === undefined) return true;
    const verdict = compiled.where(server);
    if ("matches" in verdict) return verdict.matches;
    onFailure?.(verdict.failed);
    return false;
  };
  return {
    placeOf(server, onFailure) {
      // What costs most comes last.
      if (!isOpen(server) || !fits(server) || !meets(server, onFailure)) return undefined;
      return server.status?.inUse === true ? "in-use" : "available";
    },
    isMeant: (server) => fits(server) && meets(server, undefined),
    looksAtHostname: compiled?.used.has("hostname") ?? false,
    problem: undefined,
  };
}

function nobody(problem: string): Membership {
  return { placeOf: () => undefined, isMeant: () => false, looksAtHostname: false, problem };
}

/** What is wrong with `where` of a class that is written; one that was so before, and is left as it was, is let be. */
export function whereErrors(
  spec: { readonly where?: unknown } | undefined,
  old: { readonly where?: unknown } | undefined,
): FieldError[] {
  const where = spec?.where;
  if (typeof where !== "string" || where === "" || where === old?.where) return [];
  const compiled = compileWhere(where);
  if ("where" in compiled) return [];
  const path = FieldPath.of("spec", "where");
  return compiled.problems.map((problem) => invalid(path, where, problem));
}

function carriesOne(labels: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>>): boolean {
  return Object.keys(wanted).some((key) => Object.hasOwn(labels, key) && labels[key] === wanted[key]);
}

/** Everything that a decision about a class rests on. */
export interface ObservedClass {
  readonly name: string;
  /** Undefined: there is none of this name. */
  readonly serverClass: ServerClass | undefined;
  /** Names of its Servers, sorted. */
  readonly available: readonly string[];
  readonly inUse: readonly string[];
  readonly problem: string | undefined;
  /** By name, Servers of which it cannot be told, and why; the first few. */
  readonly failures?: ReadonlyMap<string, string>;
}

export type ClassEffect =
  | { readonly do: "create-any" }
  /** As long as the class still is what it was when this was decided. */
  | { readonly do: "clear-qualifiers"; readonly name: string; readonly resourceVersion: string }
  | {
      readonly do: "warn";
      readonly about: ServerClass;
      readonly reason: "InvalidSelector" | "InvalidWhere" | "WhereFailed";
      readonly problem: string;
    };

export interface ClassDecision {
  readonly effects: readonly ClassEffect[];
  readonly status?: { readonly serversAvailable: string[]; readonly serversInUse: string[] };
}

export function decideServerClass({
  name,
  serverClass,
  available,
  inUse,
  problem,
  failures = new Map(),
}: ObservedClass): ClassDecision {
  if (serverClass === undefined) return { effects: name === ANY ? [{ do: "create-any" }] : [] };
  const effects: ClassEffect[] = [];
  const qualifiers = serverClass.spec?.qualifiers;
  if (name === ANY && qualifiers !== undefined && Object.keys(qualifiers).length > 0) {
    effects.push({ do: "clear-qualifiers", name, resourceVersion: serverClass.metadata.resourceVersion ?? "" });
  }
  if (problem !== undefined) {
    const reason = problem.startsWith("spec.where") ? "InvalidWhere" : "InvalidSelector";
    effects.push({ do: "warn", about: serverClass, reason, problem });
  }
  const [[server, failure] = []] = failures;
  if (server !== undefined) {
    const others = failures.size > 1 ? `, and ${failures.size - 1} more` : "";
    const failed = `spec.where cannot be told of Server ${server}${others}, which are left out: ${failure}`;
    effects.push({
      do: "warn",
      about: serverClass,
      reason: "WhereFailed",
      problem: failures.size > 1 ? failed : failed.replace("which are", "which is"),
    });
  }
  return { effects, status: { serversAvailable: [...available], serversInUse: [...inUse] } };
}
