/**
 * Kubernetes Events: what `kubectl describe` shows of an object's recent life. The same thing said again is the same Event with
 * a higher count; an object that says too much is cut short. Telling never fails the teller: what cannot be written is
 * logged and dropped.
 */
import type { KubeObject, ObjectMeta } from "#schema/meta.ts";
import { type Clock, timestamp } from "#io/clock.ts";
import type { Entropy } from "#io/entropy.ts";
import type { Log } from "#io/log.ts";
import type { Client } from "./client.ts";
import { kindRef } from "./kind.ts";
import { isNotFound } from "./status.ts";

export interface KubeEvent extends KubeObject {
  metadata: ObjectMeta;
  involvedObject: ObjectReference;
  type: "Normal" | "Warning";
  reason: string;
  message: string;
  source: { component: string };
  reportingComponent: string;
  reportingInstance: string;
  firstTimestamp: string;
  lastTimestamp: string;
  count: number;
}

interface ObjectReference {
  apiVersion: string;
  kind: string;
  namespace?: string;
  name: string;
  uid?: string;
  resourceVersion?: string;
}

export const KubeEvent = kindRef<KubeEvent>({ group: "", version: "v1", kind: "Event", plural: "events", scope: "Namespaced" });

export interface Said {
  readonly type: "Normal" | "Warning";
  /** UpperCamelCase, at most 128 characters; what programs look at. */
  readonly reason: string;
  /** What people read; cut after 1024 characters, as the server would refuse longer ones. */
  readonly message: string;
}

export interface Recorder {
  /** Returns at once; the Event is written in the background. */
  record(object: KubeObject, said: Said): void;
}

export interface RecorderOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
  /** Who tells: `sidero`, or one controller of it. */
  readonly component: string;
  /** The process that tells. */
  readonly instance: string;
}

/** As client-go's spam filter: 25 Events of one object at once, then one every five minutes. */
const BURST = 25;
const REFILL = 300_000;
/** Distinct things remembered for counting; and Events waiting to be written. Beyond that the oldest are forgotten, the newest dropped. */
const REMEMBERED = 4096;
const LONGEST_QUEUE = 1000;
const LONGEST_MESSAGE = 1024;

interface Sighting {
  readonly object: ObjectReference;
  readonly said: Said;
  /** The Event's own namespace and name, once it has been made. */
  name: string | undefined;
  count: number;
  first: string;
  last: string;
}

export function createRecorder(options: RecorderOptions): Recorder {
  const { client, clock, entropy, log, component, instance } = options;
  const events = client.for(KubeEvent);
  const sightings = new Recent<Sighting>(REMEMBERED);
  const allowances = new Recent<{ tokens: number; at: number }>(REMEMBERED);
  const unwritten = new Set<Sighting>();
  let isWriting = false;

  function isAllowed(about: string): boolean {
    const now = clock.monotonic();
    const { tokens, at } = allowances.get(about) ?? { tokens: BURST, at: now };
    const left = Math.min(BURST, tokens + (now - at) / REFILL);
    allowances.set(about, { tokens: left < 1 ? left : left - 1, at: now });
    return left >= 1;
  }

  async function writeAll(): Promise<void> {
    isWriting = true;
    // What is said in one breath is written once.
    await Promise.resolve();
    for (const sighting of unwritten) {
      unwritten.delete(sighting);
      try {
        await write(sighting);
      } catch (error) {
        log.warn("could not write an Event", { reason: sighting.said.reason, object: sighting.object.name, because: error });
      }
    }
    isWriting = false;
  }

  async function write(sighting: Sighting): Promise<void> {
    // Events of cluster-scoped objects live where kubectl looks for them.
    const place = events.in(sighting.object.namespace ?? "default");
    const { count, last: lastTimestamp } = sighting;
    if (sighting.name !== undefined) {
      try {
        await place.patch(sighting.name, { count, lastTimestamp });
        return;
      } catch (error) {
        // It has outlived its hour: a new one begins to count.
        if (!isNotFound(error)) throw error;
        Object.assign(sighting, { first: lastTimestamp, count: 1 });
      }
    }
    const name = `${sighting.object.name.slice(0, 200)}.${entropy.uuid().replaceAll("-", "").slice(0, 16)}`;
    await place.create({
      metadata: { name, namespace: sighting.object.namespace ?? "default" },
      involvedObject: sighting.object,
      ...sighting.said,
      source: { component },
      reportingComponent: component,
      reportingInstance: instance,
      firstTimestamp: sighting.first,
      lastTimestamp,
      count: sighting.count,
    });
    sighting.name = name;
  }

  return {
    record(object, { type, reason, message }) {
      const reference = referenceTo(object);
      const about = `${reference.kind}/${reference.namespace ?? ""}/${reference.name}/${reference.uid ?? ""}`;
      if (!isAllowed(about) || unwritten.size >= LONGEST_QUEUE) {
        log.debug("an Event too many", { object: about, reason });
        return;
      }
      const said = {
        type,
        reason,
        message: message.length <= LONGEST_MESSAGE ? message : `${message.slice(0, LONGEST_MESSAGE - 3)}...`,
      };
      const id = JSON.stringify([about, said]);
      const now = timestamp(clock);
      const sighting = sightings.get(id) ?? { object: reference, said, name: undefined, count: 0, first: now, last: now };
      sighting.count++;
      sighting.last = now;
      sightings.set(id, sighting);
      unwritten.add(sighting);
      if (!isWriting) void writeAll();
    },
  };
}

function referenceTo(object: KubeObject): ObjectReference {
  const { namespace, name = "", uid, resourceVersion } = object.metadata;
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    ...(namespace === undefined ? {} : { namespace }),
    name,
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
}

/** A map that forgets what has not been set for longest. */
class Recent<V> {
  readonly #most: number;
  readonly #values = new Map<string, V>();
  constructor(most: number) {
    this.#most = most;
  }
  get(key: string): V | undefined {
    return this.#values.get(key);
  }
  set(key: string, value: V): void {
    this.#values.delete(key);
    this.#values.set(key, value);
    if (this.#values.size > this.#most) this.#values.delete(this.#values.keys().next().value!);
  }
}
