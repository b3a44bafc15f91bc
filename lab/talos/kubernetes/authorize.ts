/** Who may do what in the cluster: administrators everything, a machine that joins asks for a certificate, a node cares for itself. */
import { MASTERS, isPublic } from "#apiserver/authorize.ts";
import type { Authorize } from "#apiserver/authorize.ts";
import { parseRoute } from "#apiserver/route.ts";
import { NODE_LEASES } from "./kinds.ts";

export const BOOTSTRAPPERS = "system:bootstrappers";
export const NODES = "system:nodes";
export const NODE_PREFIX = "system:node:";

export const authorize: Authorize = (user, { method, path, query }) => {
  if (user.groups.includes(MASTERS) || isPublic(path)) return true;
  const route = parseRoute(method, path, query);
  if (route.kind !== "resource") return true;
  const { group, resource, name, namespace, verb } = route;
  const isNode = user.groups.includes(NODES) && user.name.startsWith(NODE_PREFIX);
  if (group === "certificates.k8s.io") {
    const mayAsk = isNode || user.groups.includes(BOOTSTRAPPERS);
    return mayAsk && resource === "certificatesigningrequests" && (verb === "create" || verb === "get" || verb === "watch");
  }
  if (!isNode) return false;
  const own = user.name.slice(NODE_PREFIX.length);
  // Whose a new object is stands in its body: nodes are trusted with that, as nothing in the lab depends on it.
  if (group === "" && resource === "nodes") return verb === "create" || name === own || verb === "get";
  if (group === "coordination.k8s.io" && namespace === NODE_LEASES) return verb === "create" || name === own;
  return group === "" && resource === "events" && verb === "create";
};
