/**
 * One turn of a controller on one object. Its order is a contract, so that a crash between any two steps is made good by the next
 * turn: finalizer and intent on record → effects in order, stopping at the first fault → status → finalizer gone.
 *
 * All writes carry the resourceVersion that the decision was made from: if the object has moved on meanwhile they are refused
 * (`api.conflict`, retry soon), and what was true then is not written over what is true now.
 */
import { Fault } from "#std/fault.ts";
import { equal, isObject, type JsonObject } from "#std/json.ts";
import type { KubeObject } from "#schema/meta.ts";
import type { Log } from "#io/log.ts";
import type { Client, ResourceClient } from "./client.ts";
import { type Controller, type Decision, REFERENCED, type StatusOf } from "./controller.ts";
import type { Recorder } from "./events.ts";
import type { KindRef } from "./kind.ts";
import { isNotFound } from "./status.ts";
import { isDeclared, undeclared, watchedClient } from "./writes.ts";

export interface TurnOptions {
  readonly client: Client;
  readonly events: Recorder;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly mayAct: () => boolean;
}

export class Turn<T extends KubeObject, O, E> {
  /** As the cache had it when the turn began, then as the turn's own writes left it. */
  object: T | undefined;
  /** What this turn has written so far, with the server's answers. */
  readonly written: { readonly kind: KindRef; readonly version: string }[] = [];
  readonly #controller: Controller<T, O, E>;
  readonly #options: TurnOptions;
  readonly #client: Client;

  constructor(controller: Controller<T, O, E>, options: TurnOptions) {
    this.#controller = controller;
    this.#options = options;
    const mayWrite = (kind: KindRef): void => {
      if (!controller.writes.some((writing) => sameKind(writing.kind, kind) || sameKind(writing.kind, REFERENCED)))
        throw undeclared(controller.name, `writes ${kind.kind}`);
      this.#mustLead();
    };
    this.#client = watchedClient(options.client, mayWrite, (kind, version) => this.written.push({ kind, version }));
  }

  async perform(key: string, decision: Decision<StatusOf<T>, E>): Promise<void> {
    const { finalizer, name } = this.#controller;
    const { intent, effects = [], status, finalized = false } = decision;
    const isDeleting = this.object?.metadata.deletionTimestamp !== undefined;
    if (finalizer !== undefined && this.object !== undefined && !isDeleting) await this.#setFinalizer(finalizer, true);
    if (intent !== undefined) await this.writeStatus(intent);
    for (const effect of effects) {
      this.#mustLead();
      this.#options.log.debug("acting", { key, effect });
      await this.#controller.act(effect, { client: this.#client, events: this.#options.events, signal: this.#options.signal });
    }
    if (status !== undefined) await this.writeStatus(status);
    if (!finalized || finalizer === undefined || this.object === undefined) return;
    if (!isDeleting) throw ours("kube.not-deleting", `${name} finalizes ${key}, which is not being deleted`);
    await this.#setFinalizer(finalizer, false);
  }

  /** Writes the fields of `status` that differ from the object's, and nothing when none does. */
  async writeStatus(status: StatusOf<T>): Promise<void> {
    const { name, kind, writes } = this.#controller;
    const { object } = this;
    if (object === undefined) throw ours("kube.no-object", `${name} has a status for an object that is not there`);
    const old: JsonObject = isObject(object["status"]) ? object["status"] : {};
    const changed = Object.entries(status as JsonObject).filter(([field, value]) => !equal(old[field], value));
    if (changed.length === 0) return;
    for (const path of changed.flatMap(([field, value]) => pathsOf(field, old[field], value))) {
      if (!isDeclared(writes, kind, path)) throw undeclared(name, `writes ${path} of ${kind.kind}`);
    }
    const next = { ...object, status: { ...old, ...Object.fromEntries(changed) } };
    await this.#write(object, (resource) => resource.update(next, { subresource: "status" }));
  }

  async #setFinalizer(finalizer: string, isWanted: boolean): Promise<void> {
    const object = this.object!;
    const { name = "", resourceVersion = "", finalizers = [] } = object.metadata;
    if (finalizers.includes(finalizer) === isWanted) return;
    const next = isWanted ? [...finalizers, finalizer] : finalizers.filter((each) => each !== finalizer);
    await this.#write(object, (resource) => resource.patch(name, { metadata: { resourceVersion, finalizers: next } }));
  }

  /** An object that has gone meanwhile is no failure: the cache is about to say so, and the key comes once more. */
  async #write(object: T, write: (resource: ResourceClient<T>) => Promise<T>): Promise<void> {
    const { kind } = this.#controller;
    try {
      this.object = await write(this.#client.for(kind).in(object.metadata.namespace ?? ""));
    } catch (error) {
      if (!isNotFound(error)) throw error;
      const message = `${kind.kind} ${object.metadata.name} is gone`;
      throw new Fault("kube.gone", message, { fault: "world", retry: "soon", cause: error });
    }
  }

  #mustLead(): void {
    if (!this.#options.mayAct())
      throw new Fault("kube.not-leading", "another process may be leading", { fault: "world", retry: "later" });
  }
}

/** Several controllers may share a list of conditions: each declares those that it judges, as `status.conditions.Ready`. */
function pathsOf(field: string, before: unknown, after: unknown): string[] {
  if (field !== "conditions" || !Array.isArray(after)) return [`status.${field}`];
  const had = Array.isArray(before) ? before : [];
  const typesIn = (list: readonly unknown[]): string[] =>
    list.flatMap((each) => (isObject(each) && typeof each["type"] === "string" ? each["type"] : []));
  const of = (list: readonly unknown[], type: string): unknown => list.find((each) => isObject(each) && each["type"] === type);
  const types = new Set([...typesIn(had), ...typesIn(after)]);
  return [...types].filter((type) => !equal(of(had, type), of(after, type))).map((type) => `status.conditions.${type}`);
}

function ours(code: string, message: string): Fault {
  return new Fault(code, message, { fault: "ours", retry: "never" });
}

function sameKind(a: KindRef, b: KindRef): boolean {
  return a.group === b.group && a.kind === b.kind;
}
