/** From a request's path to the part that answers it. */
import type { Outgoing } from "#io/serve.ts";
import type { ResourceHandler } from "./handlers/resource.ts";
import type { Registry } from "./registry.ts";
import { PRETTY_FORMAT } from "./render/format.ts";
import type { ApiHandler, ApiRequest } from "./request.ts";
import { methodNotAllowed, misplaced, noSuchResource, parseRoute } from "./route.ts";
import type { ResourceRoute, Route } from "./route.ts";

/** Undefined where there is nothing. */
type Answer<K extends Route["kind"]> = (request: ApiRequest, route: Extract<Route, { kind: K }>) => Outgoing | undefined;

export interface RouterParts {
  readonly registry: Registry;
  readonly resources: ResourceHandler;
  readonly discovery: Answer<"discovery">;
  readonly openapi: Answer<"openapi">;
  readonly health: Answer<"health">;
  readonly version: (request: ApiRequest) => Outgoing;
  /** Paths besides the API groups', for the list at `/`. */
  readonly paths: readonly string[];
}

export function createRouter(parts: RouterParts): ApiHandler {
  return async (request) => {
    const route = parseRoute(request.method, request.path, request.query);
    switch (route.kind) {
      case "resource":
        return resource(parts, request, route);
      case "discovery":
        if (isBuiltIn(parts.registry, route.group)) {
          if (!route.exact) throw noSuchResource();
          if (request.method === "HEAD") throw methodNotAllowed();
        }
        return parts.discovery(request, route) ?? missing(parts.registry, route.group);
      case "openapi":
        return parts.openapi(request, route) ?? pageNotFound();
      case "health":
        return parts.health(request, route) ?? index(parts, 404);
      case "version":
        return parts.version(request);
      case "index":
        return index(parts, 200);
      case "unknown":
        return index(parts, 404);
    }
  };
}

async function resource({ registry, resources }: RouterParts, request: ApiRequest, route: ResourceRoute): Promise<Outgoing> {
  const definition = registry.definition(route.group, route.resource);
  if (definition === undefined || registry.find(route.group, route.version, route.resource) === undefined) {
    return missing(registry, route.group);
  }
  const problem = misplaced(request.method, route, definition);
  if (problem === "page") return pageNotFound();
  if (problem !== undefined) throw problem;
  return resources(request, route);
}

/** Groups of built-in kinds answer with a Status, whatever else there is with a page: two servers in one, in the genuine one. */
function missing(registry: Registry, group: string | undefined): Outgoing {
  if (isBuiltIn(registry, group)) throw noSuchResource();
  return pageNotFound();
}

/** True for the groups of built-in kinds, and for what is above all groups. */
function isBuiltIn(registry: Registry, group: string | undefined): boolean {
  if (group === undefined) return true;
  for (const definition of registry.definitions()) if (definition.group === group && !definition.custom) return true;
  return false;
}

function pageNotFound(): Outgoing {
  return {
    status: 404,
    headers: { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" },
    body: [Buffer.from("404 page not found\n")],
  };
}

/** The list of paths: the answer to `/`, and the excuse for every path that means nothing. */
function index({ registry, paths }: RouterParts, status: number): Outgoing {
  const found = new Set(["/api", "/apis", ...paths]);
  for (const { group, versions } of registry.definitions()) {
    const root = group === "" ? "/api" : `/apis/${group}`;
    found.add(root);
    for (const version of versions) if (version.served) found.add(`${root}/${version.name}`);
  }
  const body = PRETTY_FORMAT.encode({ paths: [...found].sort() });
  return { status, headers: { "content-type": "application/json" }, body: [body] };
}
