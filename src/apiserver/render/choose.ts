/** Which representation a request gets: content negotiation over Accept, `pretty` and `includeObject`. */
import { badRequest } from "#kube/status.ts";
import type { Clock } from "#io/clock.ts";
import type { VersionDefinition } from "#schema/definition.ts";
import { apiVersionOf } from "#schema/meta.ts";
import { quote } from "#schema/quote.ts";
import { flag } from "../query.ts";
import type { Resource } from "../registry.ts";
import { negotiate } from "./accept.ts";
import { documentRenderer } from "./document.ts";
import { JSON_FORMAT, JSON_TYPE, YAML_TYPE, formatOf, notAcceptable } from "./format.ts";
import { jsonRenderer } from "./json.ts";
import { partialShape } from "./partial.ts";
import type { ChooseRenderer, Renderer } from "./render.ts";
import { wholeShape } from "./shape.ts";
import type { Shape } from "./shape.ts";
import { tableShape } from "./table.ts";
import type { IncludeObject } from "./table.ts";

const META_GROUP = "meta.k8s.io";
const TRANSFORMS = ["Table", "PartialObjectMetadata", "PartialObjectMetadataList"] as const;
type Transform = (typeof TRANSFORMS)[number];

/** What Accept settled on: a media type, and the shape that `as`, `g` and `v` name. */
interface Choice {
  readonly mediaType: string;
  readonly transform: Transform | undefined;
  /** Version of meta.k8s.io for a transform. */
  readonly version: string;
}

/**
 * The renderer is the same object for the same resource version and choice, so that watchers can be grouped by it and share
 * encoded events. The clock is for ages in tables.
 */
export function createChooseRenderer(clock: Clock): ChooseRenderer {
  const byVersion = new WeakMap<VersionDefinition, Map<string, Renderer>>();
  return (resource, accept, query) => {
    const watch = flag(query, "watch") === true;
    const choice = choose(accept, watch);
    const pretty = !watch && choice.mediaType === JSON_TYPE && flag(query, "pretty") === true;
    const includeObject = choice.transform === "Table" ? readIncludeObject(query.get("includeObject")) : "Metadata";
    let renderers = byVersion.get(resource.version);
    if (renderers === undefined) byVersion.set(resource.version, (renderers = new Map<string, Renderer>()));
    const key = [choice.mediaType, choice.transform, choice.version, pretty, includeObject].join();
    let renderer = renderers.get(key);
    if (renderer === undefined) renderers.set(key, (renderer = build(resource, choice, pretty, includeObject, clock)));
    return renderer;
  };
}

/** Throws the 406 of the genuine server when no clause fits; a watch has no YAML form, which is noticed last. */
function choose(accept: string | undefined, watch: boolean): Choice {
  const choice = (watch ? negotiateChoice(accept, [JSON_TYPE]) : undefined) ?? negotiateChoice(accept, [JSON_TYPE, YAML_TYPE]);
  if (choice === undefined) throw notAcceptable(false);
  if (watch && choice.mediaType === YAML_TYPE) throw notAcceptable(true);
  return choice;
}

function negotiateChoice(accept: string | undefined, offered: readonly string[]): Choice | undefined {
  return negotiate(accept, offered, (mediaType, parameters) => {
    const stream = parameters.get("stream");
    if (stream !== undefined && (stream !== "watch" || mediaType !== JSON_TYPE)) return undefined;
    const [as, group, version] = [parameters.get("as"), parameters.get("g"), parameters.get("v")];
    if (as === undefined && group === undefined && version === undefined) return { mediaType, transform: undefined, version: "" };
    const transform = TRANSFORMS.find((candidate) => candidate === as);
    if (transform === undefined || group !== META_GROUP || (version !== "v1" && version !== "v1beta1")) return undefined;
    return { mediaType, transform, version };
  });
}

function build(resource: Resource, choice: Choice, pretty: boolean, includeObject: IncludeObject, clock: Clock): Renderer {
  const format = formatOf(choice.mediaType, pretty);
  if (choice.transform === undefined && format === JSON_FORMAT) return jsonRenderer(resource);
  return documentRenderer(shapeOf(resource, choice, includeObject, clock), format);
}

function shapeOf(resource: Resource, choice: Choice, includeObject: IncludeObject, clock: Clock): Shape {
  const metaVersion = apiVersionOf(META_GROUP, choice.version);
  if (choice.transform === undefined) return wholeShape(resource);
  if (choice.transform === "Table") return tableShape(resource, metaVersion, includeObject, clock);
  return partialShape(metaVersion, choice.transform, goType(resource));
}

/** The Go type that the genuine server names in its errors. */
function goType({ definition, version }: Resource): string {
  return definition.custom ? "*unstructured.Unstructured" : `*${version.name}.${definition.kind}`;
}

function readIncludeObject(value: string | null): IncludeObject {
  if (value === null || value === "") return "Metadata";
  if (value === "None" || value === "Metadata" || value === "Object") return value;
  const message = `includeObject: Invalid value: ${quote(value)}: must be 'Metadata', 'Object', 'None', or empty`;
  throw badRequest(`Unable to convert to Table as requested: ${message}`);
}
