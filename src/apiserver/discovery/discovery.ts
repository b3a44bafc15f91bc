/** Discovery as clients ask for it: which groups, versions and resources there are. Encoded once per state of the registry. */
import type { Digest } from "#io/digest.ts";
import type { Outgoing } from "#io/serve.ts";
import { apiVersionOf } from "#schema/meta.ts";
import { derived } from "../derived.ts";
import { flag } from "../query.ts";
import type { Registry } from "../registry.ts";
import { negotiate } from "../render/accept.ts";
import { JSON_FORMAT, JSON_TYPE, YAML_TYPE, formatOf, notAcceptable } from "../render/format.ts";
import type { ApiRequest } from "../request.ts";
import { methodNotAllowed } from "../route.ts";
import { aggregated, apiGroup, apiGroupList, apiResourceList, apiVersions } from "./documents.ts";
import { servedGroups } from "./groups.ts";

const AGGREGATED_TYPE = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

interface Aggregated {
  readonly body: Buffer;
  readonly etag: string;
}

interface Documents {
  /** By path, without a slash at the end. */
  readonly legacy: ReadonlyMap<string, object>;
  readonly aggregated: ReadonlyMap<string, Aggregated>;
}

/** Answers `/api`, `/apis`, `/api/v1`, `/apis/<group>` and `/apis/<group>/<version>`; anything else is `undefined`. */
export function createDiscovery(registry: Registry, digest: Digest): (request: ApiRequest) => Outgoing | undefined {
  const documents = derived(registry, () => makeDocuments(registry, digest));
  return (request) => {
    const path = request.path.endsWith("/") ? request.path.slice(0, -1) : request.path;
    const { legacy, aggregated: all } = documents();
    const document = legacy.get(path);
    if (document === undefined) return undefined;
    if (request.method !== "GET" && request.method !== "HEAD") throw methodNotAllowed();
    const answer = all.get(path);
    const mediaType = negotiate(request.headers["accept"], [JSON_TYPE, YAML_TYPE], (offered, parameters) => {
      if (answer !== undefined && offered === JSON_TYPE && asksAggregated(parameters)) return AGGREGATED_TYPE;
      return parameters.has("as") || parameters.has("g") || parameters.has("v") ? undefined : offered;
    });
    if (mediaType === undefined) throw notAcceptable(false);
    if (mediaType === AGGREGATED_TYPE) return sendAggregated(request, answer!);
    const format = formatOf(mediaType, flag(request.query, "pretty") === true);
    return { status: 200, headers: { "content-type": format.contentType }, body: [format.encode(document)] };
  };
}

function asksAggregated(parameters: ReadonlyMap<string, string>): boolean {
  return (
    parameters.get("as") === "APIGroupDiscoveryList" &&
    parameters.get("g") === "apidiscovery.k8s.io" &&
    parameters.get("v") === "v2"
  );
}

function sendAggregated(request: ApiRequest, answer: Aggregated): Outgoing {
  const headers = { "content-type": AGGREGATED_TYPE, etag: answer.etag, vary: "Accept", "cache-control": "public" };
  if (request.headers["if-none-match"] === answer.etag) return { status: 304, headers, body: [] };
  return { status: 200, headers, body: [answer.body] };
}

function makeDocuments(registry: Registry, digest: Digest): Documents {
  const groups = servedGroups(registry);
  const core = groups.filter((group) => group.name === "");
  const named = groups.filter((group) => group.name !== "");
  const legacy = new Map([
    ["/api", apiVersions(core[0])],
    ["/apis", apiGroupList(named)],
  ]);
  for (const group of groups) {
    if (group.name !== "") legacy.set(`/apis/${group.name}`, apiGroup(group));
    for (const version of group.versions) {
      const prefix = group.name === "" ? "/api" : "/apis";
      legacy.set(`${prefix}/${apiVersionOf(group.name, version.name)}`, apiResourceList(group, version, digest));
    }
  }
  const all = new Map([
    ["/api", encode(aggregated(core), digest)],
    ["/apis", encode(aggregated(named), digest)],
  ]);
  return { legacy, aggregated: all };
}

function encode(document: object, digest: Digest): Aggregated {
  const body = JSON_FORMAT.encode(document);
  return { body, etag: `"${digest(body).toUpperCase()}"` };
}
