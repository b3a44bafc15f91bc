/**
 * What a path asks for, as Kubernetes' RequestInfo reads it (apiserver `endpoints/request`), and where kinds of either sort may
 * be found: built-in kinds have exact paths, custom ones are found by what RequestInfo says.
 */
import type { Fault } from "#std/fault.ts";
import type { Definition } from "#schema/definition.ts";
import { badRequest, statusFault } from "#kube/status.ts";
import { quote } from "#schema/quote.ts";
import { flag } from "./query.ts";

export type Verb = "get" | "list" | "watch" | "create" | "update" | "patch" | "delete" | "deletecollection";

export interface ResourceRoute {
  readonly kind: "resource";
  /** "" for the core group. */
  readonly group: string;
  readonly version: string;
  /** Plural. Namespaces themselves are the resource `namespaces` with a name and no namespace. */
  readonly resource: string;
  /** Absent for cluster-scoped resources and for requests across all namespaces; neither is ever "". */
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: string;
  /** "" for methods that mean nothing to Kubernetes (OPTIONS, TRACE). */
  readonly verb: Verb | "";
  /** False with a slash at the end, a subresource of no name, or segments after the subresource: no built-in kind is there. */
  readonly exact: boolean;
}

export type Route =
  | ResourceRoute
  /** `/api`, `/apis`, `/api/v1`, `/apis/<group>`, `/apis/<group>/<version>`; `exact` as above. */
  | { readonly kind: "discovery"; readonly group?: string; readonly version?: string; readonly exact: boolean }
  /** `/openapi/v2`, `/openapi/v3`, and `document` after `/openapi/v3/`: `api/v1`, `apis/<group>/<version>`. */
  | { readonly kind: "openapi"; readonly version: "v2" | "v3"; readonly document?: string }
  /** `check` after `/livez/`. */
  | { readonly kind: "health"; readonly endpoint: HealthEndpoint; readonly check?: string }
  | { readonly kind: "version" }
  /** `/`, the list of paths; every path that means nothing is answered with that list and 404. */
  | { readonly kind: "index" }
  | { readonly kind: "unknown" };

export type HealthEndpoint = "livez" | "readyz" | "healthz";

const VERBS: Readonly<Record<string, Verb>> = {
  GET: "get",
  HEAD: "get",
  POST: "create",
  PUT: "update",
  PATCH: "patch",
  DELETE: "delete",
};

/** `/namespaces/x/status` is about the namespace, `/namespaces/x/secrets` about secrets in it. */
const NAMESPACE_SUBRESOURCES = new Set(["status", "finalize"]);

/** `path` is decoded: an encoded slash divides like any other. */
export function parseRoute(method: string, path: string, query: URLSearchParams): Route {
  if (path.startsWith("//")) return { kind: "unknown" };
  const segments = path.replace(/^\/|\/+$/g, "").split("/");
  const exact = !path.endsWith("/");
  const [root, first, second] = segments;
  if (root === "api") {
    if (segments.length > 2) return resourceRoute(method, "", first!, segments.slice(2), query, exact);
    return first === undefined ? { kind: "discovery", exact } : { kind: "discovery", group: "", version: first, exact };
  }
  if (root === "apis") {
    if (segments.length > 3) return resourceRoute(method, first!, second!, segments.slice(3), query, exact);
    if (first === undefined) return { kind: "discovery", exact };
    return second === undefined
      ? { kind: "discovery", group: first, exact }
      : { kind: "discovery", group: first, version: second, exact };
  }
  return otherRoute(path);
}

function resourceRoute(
  method: string,
  group: string,
  version: string,
  segments: string[],
  query: URLSearchParams,
  exact: boolean,
): ResourceRoute {
  const legacyWatch = segments[0] === "watch" && segments.length > 1;
  if (legacyWatch) segments.shift();
  let namespace = "";
  if (segments[0] === "namespaces" && segments.length > 2 && !NAMESPACE_SUBRESOURCES.has(segments[2]!)) {
    namespace = segments[1]!;
    segments = segments.slice(2);
  }
  const [resource = "", name = "", subresource = ""] = segments;
  return {
    kind: "resource",
    group,
    version,
    resource,
    ...(namespace === "" ? {} : { namespace }),
    ...(name === "" ? {} : { name }),
    ...(subresource === "" ? {} : { subresource }),
    verb: legacyWatch ? "watch" : verbOf(method, name, query),
    exact: exact && segments.length <= 3 && (name !== "" || subresource === ""),
  };
}

function verbOf(method: string, name: string, query: URLSearchParams): Verb | "" {
  const verb = Object.hasOwn(VERBS, method) ? VERBS[method]! : "";
  if (name !== "") return verb;
  if (verb === "get") return flag(query, "watch") === true ? "watch" : "list";
  return verb === "delete" ? "deletecollection" : verb;
}

function otherRoute(path: string): Route {
  if (path === "/") return { kind: "index" };
  if (path === "/version") return { kind: "version" };
  const health = /^\/(livez|readyz|healthz)(?:\/(.+))?$/.exec(path);
  if (health !== null) {
    const endpoint = health[1] as HealthEndpoint;
    return health[2] === undefined ? { kind: "health", endpoint } : { kind: "health", endpoint, check: health[2] };
  }
  const openapi = /^\/openapi\/(v2|v3)(?:\/(.*))?$/.exec(path);
  if (openapi === null) return { kind: "unknown" };
  const [, version, document = ""] = openapi as unknown as [string, "v2" | "v3", string?];
  if (document === "") return { kind: "openapi", version };
  return version === "v3" ? { kind: "openapi", version, document } : { kind: "unknown" };
}

/** 404 where no resource of any kind is or could be. */
export function noSuchResource(): Fault {
  return statusFault("NotFound", "the server could not find the requested resource", {});
}

/** 405 where the path is right and the method is not. */
export function methodNotAllowed(): Fault {
  return statusFault("MethodNotAllowed", "the server does not allow this method on the requested resource", {});
}

/** Methods with an own path: a kind's collection, or one object. */
const OF_COLLECTION = new Set<string>(["list", "watch", "create", "deletecollection"]);
const OF_OBJECT = new Set<string>(["get", "update", "patch", "delete", "watch"]);
const OF_SUBRESOURCE = new Set<string>(["get", "update", "patch"]);

/**
 * Why nothing of this kind is at the route: a fault to raise, or "page" for the plain `404 page not found` that the genuine server
 * has for custom kinds. Undefined when the route is the kind's own; whether there is an object of that name is another question.
 */
export function misplaced(method: string, route: ResourceRoute, definition: Definition): Fault | "page" | undefined {
  const problem = definition.custom ? misplacedCustom(route, definition) : misplacedBuiltIn(method, route, definition);
  return problem ?? badName(route.name);
}

/** What no name can be, since it means something in a path (apimachinery `IsValidPathSegmentName`). */
function badName(name: string | undefined): Fault | undefined {
  if (name === undefined || (name !== "." && name !== ".." && !name.includes("%"))) return undefined;
  const flaw = name.includes("%") ? "may not contain '%'" : `may not be '${name}'`;
  return badRequest(`Name parameter invalid: ${quote(name)}: ${flaw}`);
}

function misplacedCustom(route: ResourceRoute, definition: Definition): Fault | "page" | undefined {
  if (!definition.namespaced) return route.namespace === undefined ? undefined : "page";
  return route.namespace !== undefined || route.verb === "list" || route.verb === "watch" ? undefined : "page";
}

function misplacedBuiltIn(method: string, route: ResourceRoute, definition: Definition): Fault | undefined {
  const { name, namespace, subresource, verb } = route;
  const wide = definition.namespaced && namespace === undefined;
  if (definition.namespaced ? wide && name !== undefined : namespace !== undefined) return noSuchResource();
  if (!route.exact) return name === undefined && !wide ? badRequest("name must be provided") : noSuchResource();
  if (method === "HEAD") return methodNotAllowed();
  if (subresource !== undefined) return OF_SUBRESOURCE.has(verb) ? undefined : methodNotAllowed();
  if (name !== undefined) return OF_OBJECT.has(verb) ? undefined : methodNotAllowed();
  if (wide) return verb === "list" || verb === "watch" ? undefined : methodNotAllowed();
  return OF_COLLECTION.has(verb) ? undefined : methodNotAllowed();
}
