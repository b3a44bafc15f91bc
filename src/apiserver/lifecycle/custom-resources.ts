/**
 * CustomResourceDefinition objects become Definitions in the registry and go out of it again: names are accepted, the kind is
 * established, a changed schema takes effect, and before a kind goes its objects go.
 */
import { timestamp } from "#io/clock.ts";
import type { CrdNames } from "#schema/crd.ts";
import type { Definition, Extension } from "#schema/definition.ts";
import type { KubeObject } from "#schema/meta.ts";
import { clone, equal } from "#std/json.ts";
import { storageName } from "../registry.ts";
import type { Entry, StoreEvent } from "../store/store.ts";
import { inBatches } from "./batch.ts";
import { acceptNames, namingConditions } from "./crd-names.ts";
import { CLEANUP_FINALIZER, conditionOf, definitionOf, isTrue, unconvertible } from "./crd.ts";
import type { Crd, CrdCondition } from "./crd.ts";
import { setFinalizers } from "./deletion.ts";
import type { LifecyclePart, LifecyclePorts } from "./ports.ts";
import { Worker } from "./worker.ts";
import { normalize } from "./writer.ts";

const CRDS = "apiextensions.k8s.io/customresourcedefinitions";
const TERMINATING = "Terminating";

type Verdict = Omit<CrdCondition, "lastTransitionTime">;

const IN_PROGRESS: Verdict = {
  type: TERMINATING,
  status: "True",
  reason: "InstanceDeletionInProgress",
  message: "CustomResource deletion is in progress",
};
const COMPLETED: Verdict = {
  type: TERMINATING,
  status: "False",
  reason: "InstanceDeletionCompleted",
  message: "removed all instances",
};

export class CustomResources implements LifecyclePart {
  readonly #ports: LifecyclePorts;
  readonly #extensions: ReadonlyMap<string, Extension>;
  readonly #worker: Worker;
  /** The definition of CustomResourceDefinition itself. */
  readonly #definition: Definition;
  /** Accepted names by CRD: reading them anew would mean to parse every schema of the group. */
  readonly #names = new Map<string, { group: string; acceptedNames: CrdNames | undefined }>();
  /** By storage name: the CRD whose last objects are awaited. */
  readonly #emptying = new Map<string, string>();
  readonly #subscriptions: (() => void)[] = [];

  /** `extensions` are keyed `<group>/<Kind>`. The registry must know CustomResourceDefinition already. */
  constructor(ports: LifecyclePorts, extensions: ReadonlyMap<string, Extension>) {
    this.#ports = ports;
    this.#extensions = extensions;
    this.#definition = ports.registry.findKind("apiextensions.k8s.io", "CustomResourceDefinition")!;
    this.#worker = new Worker({
      ...ports,
      // One at a time: whether a name is free depends on the other CRDs.
      concurrency: 1,
      work: (name) => this.#settle(name),
      report: (name, fault) => ports.report("custom-resources", name, fault),
    });
  }

  /** Kinds established earlier are served when this returns. */
  start(): void {
    for (const entry of this.#ports.store.list({ resource: CRDS }).entries) this.#follow(entry);
    this.#subscriptions.push(
      this.#ports.store.subscribe(CRDS, (event) => this.#onCrd(event)),
      this.#ports.store.subscribe(undefined, (event) => this.#onObject(event)),
    );
  }

  /**
   * Creates these CRDs or brings them to this state: spec, labels and annotations are ours, what others added to the metadata stays.
   * Resolves when they are established; must be called after `start`.
   */
  async install(crds: readonly KubeObject[]): Promise<void> {
    const { store, writer } = this.#ports;
    await Promise.all(
      crds.map(async (crd) => {
        const name = crd.metadata.name!;
        const entry = store.head({ resource: CRDS, namespace: "", name });
        const { apiVersion: _, kind: __, status: ___, ...rest } = clone(crd);
        if (entry === undefined) return writer.create(this.#definition, rest);
        return writer.change(this.#definition, entry, (object) => this.#bring(object, crd));
      }),
    );
    await this.idle();
  }

  idle(): Promise<void> {
    return this.#worker.idle();
  }

  async stop(): Promise<void> {
    for (const end of this.#subscriptions) end();
    await this.#worker.close();
  }

  #bring(object: KubeObject, wanted: KubeObject): boolean {
    const old = clone(object);
    object["spec"] = clone(wanted["spec"]);
    for (const field of ["labels", "annotations"] as const) {
      if (wanted.metadata[field] !== undefined) object.metadata[field] = { ...object.metadata[field], ...wanted.metadata[field] };
    }
    normalize(this.#definition, object);
    this.#definition.strategy.prepareUpdate?.(object, old);
    if (!equal(object["spec"], old["spec"])) object.metadata.generation = (old.metadata.generation ?? 0) + 1;
    return !equal(object, old);
  }

  #onCrd(event: StoreEvent): void {
    if (event.type !== "DELETED") return this.#follow(event.entry);
    const { group, names } = (event.entry.object() as Crd).spec;
    const { registry } = this.#ports;
    if (registry.definition(group, names.plural)?.custom === true) registry.delete(group, names.plural);
    this.#emptying.delete(storageName({ group, plural: names.plural }));
    this.#names.delete(event.entry.name);
    // Its names are free now, someone may have waited for them.
    for (const [name, other] of this.#names) if (other.group === group) this.#worker.add(name);
  }

  #onObject(event: StoreEvent): void {
    if (event.type !== "DELETED") return;
    const name = this.#emptying.get(event.entry.resource);
    if (name !== undefined) this.#worker.add(name);
  }

  #follow(entry: Entry): void {
    const crd = entry.object() as Crd;
    this.#names.set(entry.name, { group: crd.spec.group, acceptedNames: crd.status?.acceptedNames });
    this.#publish(crd);
    this.#worker.add(entry.name);
  }

  /** Puts an established CRD into the registry, unless it is there in this very form: a new generation costs all caches. */
  #publish(crd: Crd): void {
    const { registry } = this.#ports;
    if (!isTrue(crd, "Established")) return;
    const definition = definitionOf(crd, this.#extensionOf(crd));
    const known = registry.definition(definition.group, definition.plural);
    if (known?.custom === false || equal(known, definition)) return;
    registry.set(definition);
  }

  #extensionOf(crd: Crd): Extension | undefined {
    return this.#extensions.get(`${crd.spec.group}/${crd.spec.names.kind}`);
  }

  async #settle(name: string): Promise<void> {
    const entry = this.#ports.store.get({ resource: CRDS, namespace: "", name });
    if (entry === undefined) return;
    if (entry.deleting) await this.#terminate(entry);
    else await this.#accept(entry);
  }

  async #accept(entry: Entry): Promise<void> {
    await this.#change(entry, (crd) => {
      const others = [...this.#names].filter(([name, other]) => name !== entry.name && other.group === crd.spec.group);
      const naming = acceptNames(
        crd,
        others.map(([, other]) => other.acceptedNames).filter((names) => names !== undefined),
      );
      crd.status = { ...crd.status, acceptedNames: naming.acceptedNames };
      this.#setConditions(crd, [...namingConditions(naming, isTrue(crd, "Established")), ...this.#conversionCondition(crd)]);
    });
  }

  /** Told only of a CRD that it concerns: every other CRD keeps exactly the conditions that a genuine server writes. */
  #conversionCondition(crd: Crd): Verdict[] {
    const type = "AllVersionsServed";
    const versions = unconvertible(crd, this.#extensionOf(crd));
    if (versions.length > 0) {
      const message = `conversion webhooks are not called, so these versions are not served: ${versions.join(", ")}`;
      return [{ type, status: "False", reason: "ConversionWebhook", message }];
    }
    if (conditionOf(crd, type) === undefined) return [];
    return [{ type, status: "True", reason: "NoConversionNeeded", message: "no version needs a conversion webhook" }];
  }

  /** Deletes what there is of the kind; comes again with each object that is gone, and lets the CRD go after the last. */
  async #terminate(entry: Entry): Promise<void> {
    const { store, writer, registry } = this.#ports;
    const crd = entry.object() as Crd;
    if (!(crd.metadata.finalizers ?? []).includes(CLEANUP_FINALIZER)) return;
    const definition = registry.definition(crd.spec.group, crd.spec.names.plural);
    if (definition === undefined) return this.#release(entry, neverEstablished());
    if (!definition.custom) return this.#release(entry, overlapping());
    const resource = storageName(definition);
    if (!this.#emptying.has(resource)) {
      await this.#change(entry, (object) => this.#setConditions(object, [IN_PROGRESS]));
      // Objects created before the kind was known to be terminating may still be on their way to the disk.
      await store.settled();
      await inBatches(store.list({ resource }).entries, (object) => writer.delete(definition, object));
      this.#emptying.set(resource, entry.name);
    }
    if (store.count(resource) === 0) await this.#release(entry, COMPLETED);
  }

  #release(entry: Entry, verdict: Verdict): Promise<void> {
    return this.#change(entry, (crd) => {
      this.#setConditions(crd, [verdict]);
      setFinalizers(
        crd,
        (crd.metadata.finalizers ?? []).filter((finalizer) => finalizer !== CLEANUP_FINALIZER),
      );
    });
  }

  #change(entry: Entry, mutate: (crd: Crd) => void): Promise<void> {
    return this.#ports.writer.change(this.#definition, entry, (object) => {
      const old = clone(object);
      mutate(object as Crd);
      return !equal(object, old);
    });
  }

  /** The time of a condition is that of its last change of status. */
  #setConditions(crd: Crd, verdicts: readonly Verdict[]): void {
    const conditions = crd.status?.conditions ?? [];
    for (const verdict of verdicts) {
      const at = conditions.findIndex((condition) => condition.type === verdict.type);
      const known = conditions[at];
      const lastTransitionTime = known?.status === verdict.status ? known.lastTransitionTime : timestamp(this.#ports.clock);
      const condition = { ...verdict, lastTransitionTime };
      if (known === undefined) conditions.push(condition);
      else conditions[at] = condition;
    }
    crd.status = { ...crd.status, conditions };
  }
}

function neverEstablished(): Verdict {
  return { type: TERMINATING, status: "False", reason: "NeverEstablished", message: "resource was never established" };
}

function overlapping(): Verdict {
  const message = "instances overlap with built-in resources in storage";
  return { type: TERMINATING, status: "False", reason: "OverlappingBuiltInResource", message };
}
