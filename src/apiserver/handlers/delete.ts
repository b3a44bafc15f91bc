/** delete and deletecollection. */
import { timestamp } from "#io/clock.ts";
import type { Outgoing } from "#io/serve.ts";
import { badRequest, conflict, isNotFound, notFound } from "#kube/status.ts";
import { equal } from "#std/json.ts";
import { Fault } from "#std/fault.ts";
import { bodyType, parseDocument, readBody } from "../codec.ts";
import { inBatches } from "../lifecycle/batch.ts";
import { beginDeletion } from "../lifecycle/deletion.ts";
import { DecodeProblem } from "../metadata.ts";
import { methodNotAllowed } from "../route.ts";
import type { Item } from "../render/render.ts";
import type { Entry } from "../store/store.ts";
import { itemOf } from "../view.ts";
import { readDeleteOptions, readListOptions } from "./options.ts";
import type { DeleteOptions, PropagationPolicy } from "./options.ts";
import { page } from "./read.ts";
import { selectionOf } from "./selection.ts";
import { answer, keyOf, negotiate, subjectOf } from "./target.ts";
import type { Parts, Place, Target } from "./target.ts";
import { attributesOf, write } from "./write.ts";

/** How often a deletion that a write overtook is tried again. */
const MAX_ATTEMPTS = 6;

export async function remove(parts: Parts, target: Target): Promise<Outgoing> {
  negotiate(parts, target);
  const options = await readOptions(target);
  const held = await deleteObject(parts, target, options);
  if (held.item !== undefined) return answer(parts, target, options.orphanDependents === false ? 202 : 200, held.item);
  const { group, plural } = target.resource.definition;
  const details = { name: target.name, ...(group === "" ? {} : { group }), kind: plural, uid: held.uid };
  const status = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details };
  return { status: 200, headers: { "content-type": "application/json" }, body: [Buffer.from(JSON.stringify(status))] };
}

/** Deletes what a list with the same selectors would show, and answers with that list. */
export async function removeCollection(parts: Parts, target: Target): Promise<Outgoing> {
  const { request, resource } = target;
  if (resource.definition.strategy.specFinalizers === true) throw methodNotAllowed();
  const renderer = parts.chooseRenderer(resource, request.headers["accept"], request.query);
  const listOptions = readListOptions(request.query, false);
  const selection = selectionOf(target, listOptions, parts.view);
  const options = await readOptions(target);
  const { entries, meta } = page(parts.store, target, listOptions, selection);
  const items = entries.map((entry) => parts.view.item(entry, resource));
  await inBatches(entries, (entry) => removeListed(parts, target, entry, options));
  return { status: 200, headers: { "content-type": renderer.contentType }, body: renderer.list(items, meta) };
}

async function removeListed(parts: Parts, target: Target, { namespace, name }: Entry, options: DeleteOptions): Promise<void> {
  try {
    await deleteObject(parts, { ...target, namespace, name }, options);
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

async function readOptions({ request }: Target): Promise<DeleteOptions> {
  const body = await readBody(request);
  if (body.length === 0) return readDeleteOptions(request.query, undefined);
  const type = bodyType(request, "v1", "DeleteOptions");
  try {
    return readDeleteOptions(request.query, parseDocument(body, type).value);
  } catch (error) {
    if (error instanceof DecodeProblem) throw badRequest(`couldn't get version/kind; json parse error: ${error.message}`);
    throw error;
  }
}

/** `item` is the object as finalizers keep it; undefined when it is gone. Throws 404, 403 and 409. */
async function deleteObject(
  parts: Parts,
  place: Place,
  options: DeleteOptions,
): Promise<{ item: Item | undefined; uid: string }> {
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    const entry = parts.store.head(keyOf(place));
    if (entry === undefined) throw notFound(subjectOf(place));
    checkPreconditions(place, entry, options);
    const attributes = attributesOf(place, "DELETE", undefined, parts.view.object(entry, place.resource), options);
    await parts.admission.mutate(attributes);
    await parts.admission.validate(attributes);
    try {
      return { item: await deleteOnce(parts, place, entry, options), uid: entry.uid };
    } catch (error) {
      if (!Fault.is(error, "store.moved")) throw error;
    }
  }
  throw conflict(subjectOf(place), "the object has been modified; please apply your changes to the latest version and try again");
}

async function deleteOnce(parts: Parts, place: Place, entry: Entry, options: DeleteOptions): Promise<Item | undefined> {
  const { definition } = place.resource;
  const key = keyOf(place);
  const object = parts.view.object(entry, place.resource);
  if (beginDeletion(definition, object, policyOf(options), timestamp(parts.clock))) {
    if (options.dryRun) return itemOf(object);
    if (equal(object, parts.view.object(entry, place.resource))) return parts.view.item(entry, place.resource);
    return write(parts, place, key, entry, object);
  }
  if (!options.dryRun) await parts.store.remove(key, entry, entry.object());
  return undefined;
}

function policyOf({ propagationPolicy, orphanDependents }: DeleteOptions): PropagationPolicy | undefined {
  if (orphanDependents === undefined) return propagationPolicy;
  return orphanDependents ? "Orphan" : "Background";
}

/** The genuine server names the kind, not the resource, in these conflicts. */
function checkPreconditions({ resource, name }: Place, entry: Entry, { uid, resourceVersion }: DeleteOptions): void {
  const subject = { group: resource.definition.group, resource: resource.definition.kind, name };
  if (uid !== undefined && uid !== entry.uid) {
    throw conflict(
      subject,
      `the UID in the precondition (${uid}) does not match the UID in record (${entry.uid}). The object might have been deleted and then recreated`,
    );
  }
  if (resourceVersion !== undefined && resourceVersion !== String(entry.revision)) {
    throw conflict(
      subject,
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${entry.revision}). The object might have been modified`,
    );
  }
}
