/** `/openapi/v3`, its documents, and `/openapi/v2`: what kubectl explains and validates by. */
import type { Digest } from "#io/digest.ts";
import type { Outgoing } from "#io/serve.ts";
import { apiVersionOf } from "#schema/meta.ts";
import { derived } from "../derived.ts";
import { servedGroups } from "../discovery/groups.ts";
import type { Registry, Resource } from "../registry.ts";
import { negotiate } from "../render/accept.ts";
import { JSON_FORMAT, JSON_TYPE, notAcceptable } from "../render/format.ts";
import type { ApiRequest } from "../request.ts";
import { methodNotAllowed } from "../route.ts";
import type { Route } from "../route.ts";
import { swaggerOf } from "./v2.ts";
import type { OpenApiDocument } from "./v3.ts";
import { documentOf } from "./v3.ts";

interface Published {
  readonly document: OpenApiDocument;
  readonly body: Buffer;
  readonly hash: string;
  /** What it was made from: a change elsewhere does not make it anew. */
  readonly resources: readonly Resource[];
}

/** kubectl asks for v2 only in protobuf, by either name. */
const PROTOBUF_TYPES = [
  "application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
  "application/com.github.proto-openapi.spec.v2@v1.0+protobuf",
];

/**
 * An openapi.v2.Document that says `swagger: "2.0"` (field 1) and no more. kubectl reads it for kinds that v3 does not have, finds that
 * it cannot validate them either, and goes on to say what is the matter; on a 406 it would tell of content types instead.
 */
const EMPTY_PROTOBUF = Buffer.from([0x0a, 0x03, ...Buffer.from("2.0")]);

const YEAR = 365 * 24 * 60 * 60;

/** Answers undefined for a group and version that is not served. */
export function createOpenApi(
  registry: Registry,
  digest: Digest,
): (request: ApiRequest, route: Extract<Route, { kind: "openapi" }>) => Outgoing | undefined {
  let known = new Map<string, Published>();
  const documents = derived(registry, () => (known = publish(registry, digest, known)));
  const index = derived(registry, () => sealed(indexOf(documents()), digest));
  const swagger = derived(registry, () => sealed(swaggerOf([...documents().values()].map(({ document }) => document)), digest));

  return (request, route) => {
    if (request.method !== "GET" && request.method !== "HEAD") throw methodNotAllowed();
    const offered = route.version === "v2" ? [JSON_TYPE, ...PROTOBUF_TYPES] : [JSON_TYPE];
    const chosen = negotiate(request.headers["accept"], offered, (type) => type);
    if (chosen === undefined) throw notAcceptable(false);
    if (chosen !== JSON_TYPE)
      return { status: 200, headers: { "content-type": PROTOBUF_TYPES[0]!, vary: "Accept" }, body: [EMPTY_PROTOBUF] };
    if (route.version === "v2") return send(request, swagger());
    if (route.document === undefined) return send(request, index());
    const published = documents().get(route.document);
    return published === undefined ? undefined : sendDocument(request, route.document, published);
  };
}

/** By path below `/openapi/v3/`: `api/v1`, `apis/<group>/<version>`. */
function publish(registry: Registry, digest: Digest, known: ReadonlyMap<string, Published>): Map<string, Published> {
  const published = new Map<string, Published>();
  for (const group of servedGroups(registry)) {
    for (const version of group.versions) {
      const path = `${group.name === "" ? "api" : "apis"}/${apiVersionOf(group.name, version.name)}`;
      const old = known.get(path);
      if (old !== undefined && isSame(old.resources, version.resources)) {
        published.set(path, old);
      } else {
        const document = documentOf(group, version);
        published.set(path, { document, ...sealed(document, digest), resources: version.resources });
      }
    }
  }
  return published;
}

function isSame(a: readonly Resource[], b: readonly Resource[]): boolean {
  return a.length === b.length && a.every((resource, i) => resource.definition === b[i]!.definition);
}

function sealed(document: object, digest: Digest): { body: Buffer; hash: string } {
  const body = JSON_FORMAT.encode(document);
  return { body, hash: digest(body).toUpperCase() };
}

function urlOf(path: string, { hash }: Published): string {
  return `/openapi/v3/${path}?hash=${hash}`;
}

function indexOf(documents: ReadonlyMap<string, Published>): object {
  const entries = [...documents].map(([path, published]) => [path, { serverRelativeURL: urlOf(path, published) }] as const);
  return { paths: Object.fromEntries(entries) };
}

/** Under its hash a document never changes and may be kept; an outdated hash leads to the present one. */
function sendDocument(request: ApiRequest, path: string, published: Published): Outgoing {
  const hash = request.query.get("hash");
  if (hash === null || hash === "") return send(request, published);
  if (hash !== published.hash) return { status: 301, headers: { location: urlOf(path, published) }, body: [] };
  return send(request, published, { "cache-control": `public, immutable, max-age=${YEAR}` });
}

function send(request: ApiRequest, { body, hash }: { body: Buffer; hash: string }, more: Record<string, string> = {}): Outgoing {
  const etag = `"${hash}"`;
  const headers = { "content-type": JSON_TYPE, etag, vary: "Accept", ...more };
  return request.headers["if-none-match"] === etag ? { status: 304, headers, body: [] } : { status: 200, headers, body: [body] };
}
