/** get and list. */
import type { Outgoing } from "#io/serve.ts";
import { badRequest, notFound, statusFault, unclassified } from "#kube/status.ts";
import type { Status } from "#kube/status.ts";
import { Fault } from "#std/fault.ts";
import type { ListMeta } from "#schema/meta.ts";
import { quote } from "#schema/quote.ts";
import { revision } from "../query.ts";
import type { Entry, Page, Store } from "../store/store.ts";
import { decodeContinue, encodeContinue } from "./continue.ts";
import type { Continuation } from "./continue.ts";
import { readListOptions } from "./options.ts";
import type { ListOptions } from "./options.ts";
import { scaleOf } from "./scale.ts";
import { selectionOf } from "./selection.ts";
import type { Selection } from "./selection.ts";
import { answer, keyOf, negotiate, subjectOf } from "./target.ts";
import type { Parts, Target } from "./target.ts";

const LIST_EXPIRED = "The resourceVersion for the provided list is too old.";
const CONTINUE_EXPIRED =
  "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, " +
  "or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an " +
  "inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.";

/** One object, or its `status` or `scale`; resourceVersion is "not older than". */
export function get(parts: Parts, target: Target): Outgoing {
  negotiate(parts, target);
  const wanted = revision(target.request.query.get("resourceVersion"), (problem) =>
    invalidRevision(target.request.query, problem),
  );
  if (wanted !== undefined && wanted > parts.store.revision) throw tooLargeRevision(wanted, parts.store.revision, 1);
  const entry = parts.store.get(keyOf(target));
  if (entry === undefined) throw notFound(subjectOf(target));
  const item = parts.view.item(entry, target.resource);
  return answer(
    parts,
    target,
    200,
    target.subresource === "scale" ? scaleOf(item.object(), target.resource.version.scale!) : item,
  );
}

function invalidRevision(query: URLSearchParams, problem: string): Error {
  return unclassified(`resourceVersion: Invalid value: ${quote(query.get("resourceVersion") ?? "")}: ${problem}`);
}

/** 504: the client knows more than we do. */
export function tooLargeRevision(wanted: number, current: number, retryAfterSeconds: number): Error {
  return statusFault("Timeout", `Timeout: Too large resource version: ${wanted}, current: ${current}`, {
    causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
    ...(retryAfterSeconds === 0 ? {} : { retryAfterSeconds }),
  });
}

/** A page of objects, consistent with one revision; all pages of a list with the same. */
export function list(parts: Parts, target: Target): Outgoing {
  const renderer = parts.chooseRenderer(target.resource, target.request.headers["accept"], target.request.query);
  const options = readListOptions(target.request.query, false);
  const selection = selectionOf(target, options, parts.view);
  const { entries, meta } = page(parts.store, target, options, selection);
  const items = entries.map((entry) => parts.view.item(entry, target.resource));
  return { status: 200, headers: { "content-type": renderer.contentType }, body: renderer.list(items, meta) };
}

/** The entries a list answers with, and its metadata. Throws 400, 410 and 504 as the genuine server does. */
export function page(
  store: Store,
  target: Target,
  options: ListOptions,
  selection: Selection,
): { entries: Entry[]; meta: ListMeta } {
  const { definition } = target.resource;
  const { limit, continuation, at } = readRange(options, selection, definition.namespaced, store.revision);
  const found = listAt(store, target, selection, limit, continuation, at);
  // Of an inconsistent list each page is consistent with its own revision, so that the last one can be watched from.
  const meta: ListMeta = { resourceVersion: String(found.revision) };
  if (found.next !== undefined) {
    meta.continue = encodeContinue({ revision: found.revision, after: found.next }, selection.namespace);
    if (selection.isEmpty) meta.remainingItemCount = found.remaining;
  }
  return { entries: found.entries, meta };
}

interface Range {
  readonly limit: number;
  readonly continuation: Continuation | undefined;
  /** An exact past revision; undefined for the newest. */
  readonly at: number | undefined;
}

function readRange(options: ListOptions, selection: Selection, namespaced: boolean, current: number): Range {
  const { limit, resourceVersion, resourceVersionMatch } = options;
  const wanted = revision(resourceVersion, (problem) =>
    badRequest(`invalid resource version: resourceVersion: Invalid value: ${quote(resourceVersion ?? "")}: ${problem}`),
  );
  if (options.continueToken !== "") {
    const continuation = decodeContinue(options.continueToken, selection.namespace, namespaced);
    if (wanted !== undefined && wanted !== 0) throw badRequest("specifying resource version is not allowed when using continue");
    if (continuation.revision > current) throw tooLargeRevision(continuation.revision, current, 0);
    return { limit, continuation, at: continuation.revision === -1 ? undefined : continuation.revision };
  }
  // "Any revision will do" is answered from the genuine server's cache, which does not page.
  if (wanted === 0) return { limit: 0, continuation: undefined, at: undefined };
  if (wanted !== undefined && wanted > current) throw tooLargeRevision(wanted, current, 1);
  const isExact = resourceVersionMatch === "Exact" || (resourceVersionMatch === "" && limit > 0);
  return { limit, continuation: undefined, at: isExact ? wanted : undefined };
}

function listAt(
  store: Store,
  target: Target,
  selection: Selection,
  limit: number,
  continuation: Continuation | undefined,
  at: number | undefined,
): Page {
  const resource = keyOf(target).resource;
  if (
    selection.name !== undefined &&
    at === undefined &&
    continuation === undefined &&
    (selection.namespace !== undefined || !target.resource.definition.namespaced)
  ) {
    const entry = store.get({ resource, namespace: selection.namespace ?? "", name: selection.name });
    const entries = entry !== undefined && selection.matches(entry) ? [entry] : [];
    return { entries, revision: store.revision, next: undefined, remaining: 0 };
  }
  try {
    return store.list({
      resource,
      ...(selection.namespace === undefined ? {} : { namespace: selection.namespace }),
      ...(selection.isEmpty ? {} : { match: (entry: Entry) => selection.matches(entry) }),
      ...(limit === 0 ? {} : { limit }),
      ...(continuation === undefined ? {} : { after: continuation.after }),
      ...(at === undefined || at === store.revision ? {} : { at }),
    });
  } catch (error) {
    if (!Fault.is(error, "store.compacted")) throw error;
    if (continuation === undefined) throw statusFault("Expired", LIST_EXPIRED);
    throw expiredContinue(continuation, selection.namespace);
  }
}

/** 410 with a token that goes on at the newest revision. */
function expiredContinue(continuation: Continuation, within: string | undefined): Error {
  const fault = statusFault("Expired", CONTINUE_EXPIRED);
  const status = fault.facts["status"] as Status;
  status.metadata["continue"] = encodeContinue({ revision: -1, after: continuation.after }, within);
  return fault;
}
