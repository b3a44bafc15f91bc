/** Who may use which name within a group: the first that asked for it (apiextensions-apiserver, naming controller). */
import type { CrdNames } from "#schema/crd.ts";
import type { Crd, CrdCondition } from "./crd.ts";

export interface Naming {
  readonly acceptedNames: CrdNames;
  readonly isAccepted: boolean;
  readonly reason: string;
  readonly message: string;
}

/** `taken` are the accepted names of the group's other CRDs. Of several conflicts the last one is told. */
export function acceptNames(crd: Crd, taken: readonly CrdNames[]): Naming {
  const resources = new Set(taken.flatMap((names) => [names.plural, names.singular, ...(names.shortNames ?? [])]));
  const kinds = new Set(taken.flatMap((names) => [names.kind, names.listKind]));
  const wanted = crd.spec.names;
  const accepted: CrdNames = { ...(crd.status?.acceptedNames ?? { plural: "", kind: "" }) };
  let conflict: { reason: string; message: string } | undefined;

  function take(field: "plural" | "singular" | "kind" | "listKind", used: ReadonlySet<string | undefined>, reason: string): void {
    const name = wanted[field];
    if (name === undefined || name === accepted[field]) return;
    if (used.has(name)) conflict = { reason, message: inUse(name) };
    else accepted[field] = name;
  }

  take("plural", resources, "PluralConflict");
  take("singular", resources, "SingularConflict");
  const shortNames = wanted.shortNames ?? [];
  const clashing = shortNames.filter((name) => !(accepted.shortNames ?? []).includes(name) && resources.has(name));
  if (clashing.length > 0) conflict = { reason: "ShortNamesConflict", message: aggregate(clashing.map(inUse)) };
  else if (shortNames.length > 0) accepted.shortNames = shortNames;
  else delete accepted.shortNames;
  take("kind", kinds, "KindConflict");
  take("listKind", kinds, "ListKindConflict");
  if (wanted.categories === undefined) delete accepted.categories;
  else accepted.categories = wanted.categories;

  const outcome = conflict ?? { reason: "NoConflicts", message: "no conflicts found" };
  return { acceptedNames: accepted, isAccepted: conflict === undefined, ...outcome };
}

function inUse(name: string): string {
  return `${JSON.stringify(name)} is already in use`;
}

/** As apimachinery joins several errors. */
function aggregate(messages: readonly string[]): string {
  return messages.length === 1 ? messages[0]! : `[${messages.join(", ")}]`;
}

/** NamesAccepted and Established; once established, a CRD stays so whatever names it asks for later. */
export function namingConditions(naming: Naming, wasEstablished: boolean): Omit<CrdCondition, "lastTransitionTime">[] {
  const { isAccepted, reason, message } = naming;
  const accepted = { type: "NamesAccepted", status: isAccepted ? "True" : "False", reason, message } as const;
  if (wasEstablished) return [accepted];
  if (!isAccepted)
    return [accepted, { type: "Established", status: "False", reason: "NotAccepted", message: "not all names are accepted" }];
  const established = { reason: "InitialNamesAccepted", message: "the initial names have been accepted" };
  return [accepted, { type: "Established", status: "True", ...established }];
}
