/** Which Servers are in a ServerClass, and what has to be done about it. */
import { FieldPath, printFieldError } from "#schema/field.ts";
import { compileSelector, validateSelector } from "#schema/selector.ts";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import type { ServerClass } from "#kinds/metal/v1alpha2/server-class.ts";
import { satisfies } from "./hardware.ts";

/** The class that all accepted Servers are in. It is made when missing, and has no qualifiers; a selector set on it stays. */
export const ANY = "any";

/** Where a Server stands in a class; undefined: not in it. */
export type Place = "available" | "in-use" | undefined;

/** The rules of a class, ready to be asked about many Servers. */
export interface Membership {
  readonly placeOf: (server: Server) => Place;
  /** Why nobody can be in the class: its selector does not parse. */
  readonly problem: string | undefined;
}

type Spec = ServerClass["spec"];

/**
 * Accepted, not cordoned, chosen by the selector (empty: all), and fitting the qualifiers: one of the `hardware` entries (none:
 * all; a Server whose hardware is unknown fits none), and any one label of any one of `labelSelectors`. That these are alternatives
 * also within one entry is how it has always been; `selector` is the one to use.
 */
export function membershipOf(name: string, spec: Spec): Membership {
  const problems = validateSelector(spec?.selector ?? {}, FieldPath.of("spec", "selector"));
  if (problems.length > 0) return { placeOf: () => undefined, problem: problems.map(printFieldError).join("; ") };
  const selector = compileSelector(spec?.selector ?? {});
  const { hardware = [], labelSelectors = [] } = (name === ANY ? undefined : spec?.qualifiers) ?? {};

  const isMember = ({ metadata: { labels = {} }, spec: server }: Server): boolean =>
    server?.accepted === true &&
    server.cordoned !== true &&
    selector.matches(labels) &&
    (hardware.length === 0 || (server.hardware !== undefined && hardware.some((entry) => satisfies(server.hardware, entry)))) &&
    (labelSelectors.length === 0 || labelSelectors.some((entry) => carriesOne(labels, entry)));

  return {
    placeOf: (server) => (isMember(server) ? (server.status?.inUse === true ? "in-use" : "available") : undefined),
    problem: undefined,
  };
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
}

export type ClassEffect =
  | { readonly do: "create-any" }
  /** As long as the class still is what it was when this was decided. */
  | { readonly do: "clear-qualifiers"; readonly name: string; readonly resourceVersion: string }
  | { readonly do: "warn"; readonly about: ServerClass; readonly problem: string };

export interface ClassDecision {
  readonly effects: readonly ClassEffect[];
  readonly status?: { readonly serversAvailable: string[]; readonly serversInUse: string[] };
}

export function decideServerClass({ name, serverClass, available, inUse, problem }: ObservedClass): ClassDecision {
  if (serverClass === undefined) return { effects: name === ANY ? [{ do: "create-any" }] : [] };
  const effects: ClassEffect[] = [];
  const qualifiers = serverClass.spec?.qualifiers;
  if (name === ANY && qualifiers !== undefined && Object.keys(qualifiers).length > 0) {
    effects.push({ do: "clear-qualifiers", name, resourceVersion: serverClass.metadata.resourceVersion ?? "" });
  }
  if (problem !== undefined) effects.push({ do: "warn", about: serverClass, problem });
  return { effects, status: { serversAvailable: [...available], serversInUse: [...inUse] } };
}
