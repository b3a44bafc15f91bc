/** What every handler gets: the server's parts, and the resource a request is about. */
import type { Clock } from "#io/clock.ts";
import type { Entropy } from "#io/entropy.ts";
import type { Outgoing } from "#io/serve.ts";
import type { Subject } from "#kube/status.ts";
import type { Admission } from "../admission/admission.ts";
import type { Registry, Resource } from "../registry.ts";
import { storageName } from "../registry.ts";
import type { ChooseRenderer, Item, Renderer } from "../render/render.ts";
import type { ApiRequest, User } from "../request.ts";
import type { Key, Store } from "../store/store.ts";
import type { View } from "../view.ts";
import { scaleResource } from "./scale.ts";

export interface Parts {
  readonly store: Store;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly admission: Admission;
  readonly view: View;
  readonly chooseRenderer: ChooseRenderer;
}

/** What a write is about, and who writes: all that the store's side of the handlers needs. */
export interface Place {
  readonly user: User;
  readonly resource: Resource;
  /** "" for cluster scope, and for lists over all namespaces. */
  readonly namespace: string;
  /** "" for collections. */
  readonly name: string;
  /** "", `status`, `scale` or `finalize`. */
  readonly subresource: string;
}

/** A place that a client asks for. */
export interface Target extends Place {
  readonly request: ApiRequest;
}

export function keyOf(place: Place, name: string = place.name): Key {
  return { resource: storageName(place.resource.definition), namespace: place.namespace, name };
}

/** The resource as errors name it. */
export function subjectOf(place: Place, name: string = place.name): Subject {
  const { group, plural } = place.resource.definition;
  return { group, resource: plural, name };
}

/** One object in the representation the client asked for; throws 406. */
export function answer(parts: Parts, target: Target, status: number, item: Item): Outgoing {
  const renderer = rendererOf(parts, target);
  return { status, headers: { "content-type": renderer.contentType }, body: renderer.one(item) };
}

/** Makes sure that the answer can be rendered before anything is done; throws 406. */
export function negotiate(parts: Parts, target: Target): void {
  rendererOf(parts, target);
}

/** A scale is a kind of its own, with its own columns. */
function rendererOf(parts: Parts, { resource, subresource, request }: Target): Renderer {
  return parts.chooseRenderer(
    subresource === "scale" ? scaleResource(resource) : resource,
    request.headers["accept"],
    request.query,
  );
}
