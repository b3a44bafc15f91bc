/** Who may do what. One rule for now: system:masters may do everything, and everybody may ask how we are and which version we have. */
import type { Fault } from "#std/fault.ts";
import { quote } from "#schema/quote.ts";
import { statusFault } from "#kube/status.ts";
import type { User } from "./request.ts";
import { parseRoute } from "./route.ts";

/** What is asked for; resources are found in it with `parseRoute`. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
}

export type Authorize = (user: User, asked: Asked) => boolean | Promise<boolean>;

export const MASTERS = "system:masters";

/** Kubernetes' `system:public-info-viewer`, which is for everybody, with or without credentials. */
const PUBLIC: ReadonlySet<string> = new Set(["/livez", "/readyz", "/healthz", "/version"]);

/** True for what may be asked without credentials. */
export function isPublic(path: string): boolean {
  return PUBLIC.has(path);
}

export const mastersOnly: Authorize = (user, { path }) => user.groups.includes(MASTERS) || isPublic(path);

/** 403 in Kubernetes' words (apiserver `endpoints/handlers/responsewriters`). */
export function forbidden(user: User, { method, path, query }: Asked): Fault {
  const route = parseRoute(method, path, query);
  const who = `User ${quote(user.name)} cannot`;
  if (route.kind !== "resource") {
    return statusFault("Forbidden", `forbidden: ${harmless(`${who} ${method.toLowerCase()} path ${quote(path)}`)}`, {});
  }
  const { group, resource, name, subresource, verb } = route;
  // RequestInfo counts a namespace as being in itself.
  const namespace = route.namespace ?? (resource === "namespaces" ? name : undefined);
  const what = `resource ${quote(subresource === undefined ? resource : `${resource}/${subresource}`)} in API group ${quote(group)}`;
  const where = namespace === undefined ? "at the cluster scope" : `in the namespace ${quote(namespace)}`;
  const subject = `${group === "" ? resource : `${resource}.${group}`}${name === undefined ? "" : ` ${quote(name)}`}`;
  return statusFault("Forbidden", `${subject} is forbidden: ${harmless(`${who} ${verb} ${what} ${where}`)}`, {
    ...(name === undefined ? {} : { name }),
    ...(group === "" ? {} : { group }),
    kind: resource,
  });
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

/** A refusal repeats what was asked; no browser shall take it for HTML. */
function harmless(text: string): string {
  return text.replace(/[&<>]/g, (character) => ENTITIES[character]!);
}
