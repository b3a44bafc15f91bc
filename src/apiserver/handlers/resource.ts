/** Every request about a resource, of whatever kind: the verb and subresource choose who answers. */
import type { Outgoing } from "#io/serve.ts";
import { badRequest, notFound, statusFault } from "#kube/status.ts";
import type { Fault } from "#std/fault.ts";
import { View } from "../view.ts";
import type { ApiRequest } from "../request.ts";
import { noSuchResource } from "../route.ts";
import type { ResourceRoute } from "../route.ts";
import { remove, removeCollection } from "./delete.ts";
import { patch } from "./patch.ts";
import { get, list } from "./read.ts";
import { subjectOf } from "./target.ts";
import type { Parts, Target } from "./target.ts";
import { create, update } from "./update.ts";
import { WatchHub } from "./watch.ts";

export type ResourceHandlerOptions = Omit<Parts, "view">;

/** Answers a request whose route has been found to be right for its kind; rejects with faults that carry a Status. */
export type ResourceHandler = (request: ApiRequest, route: ResourceRoute) => Promise<Outgoing>;

export function createResourceHandler(options: ResourceHandlerOptions): ResourceHandler {
  const parts: Parts = { ...options, view: new View() };
  const watches = new WatchHub(parts);
  return async (request, route) => {
    const resource = parts.registry.find(route.group, route.version, route.resource);
    if (resource === undefined) throw noSuchResource();
    const { deprecated, deprecationWarning, name } = resource.version;
    if (deprecated === true) {
      const { group, kind } = resource.definition;
      request.warnings.push(deprecationWarning ?? `${group}/${name} ${kind} is deprecated`);
    }
    const { namespace = "", name: object = "", subresource = "" } = route;
    const target: Target = { request, user: request.user, resource, namespace, name: object, subresource };
    checkSubresource(target, route);
    if (object === "" && NEED_NAME.has(route.verb)) throw badRequest("name must be provided");
    switch (route.verb) {
      case "get":
        return get(parts, target);
      case "list":
        return list(parts, target);
      case "watch":
        return watches.open(target);
      case "create":
        return create(parts, target);
      case "update":
        return update(parts, target);
      case "patch":
        return patch(parts, target);
      case "delete":
        return remove(parts, target);
      case "deletecollection":
        return removeCollection(parts, target);
      default:
        throw notSupported(target, route.verb);
    }
  };
}

const NEED_NAME = new Set(["update", "patch"]);
const VERBS_OF_SUBRESOURCES = new Set(["get", "update", "patch"]);

function checkSubresource(target: Target, route: ResourceRoute): void {
  const { definition, version } = target.resource;
  if (target.subresource === "") return;
  const exists =
    (target.subresource === "status" && version.hasStatus) ||
    (target.subresource === "scale" && version.scale !== undefined) ||
    (target.subresource === "finalize" && definition.strategy.specFinalizers === true);
  if (!exists) throw definition.custom ? notFound(subjectOf(target)) : noSuchResource();
  if (!VERBS_OF_SUBRESOURCES.has(route.verb)) throw notSupported(target, route.verb);
}

/** 405 of custom resources. */
function notSupported({ resource }: Target, verb: string): Fault {
  const { group, plural } = resource.definition;
  const qualified = group === "" ? plural : `${plural}.${group}`;
  const details = { ...(group === "" ? {} : { group }), kind: plural };
  return statusFault("MethodNotAllowed", `${verb} is not supported on resources of kind "${qualified}"`, details);
}
