/** The kinds that are served now. CRDs come and go while the server runs, so everything derived from it is keyed by `generation`. */
import type { Definition, VersionDefinition } from "#schema/definition.ts";

/** A definition in one of its served versions. */
export interface Resource {
  readonly definition: Definition;
  readonly version: VersionDefinition;
}

/** The store's name for a resource: one storage bucket for all versions. */
export function storageName(definition: { group: string; plural: string }): string {
  return `${definition.group}/${definition.plural}`;
}

export class Registry {
  /** Grows with every change. */
  generation = 0;
  readonly #byResource = new Map<string, Definition>();
  readonly #listeners: ((definition: Definition) => void)[] = [];

  /** Tells of every definition that has been added, replaced or deleted, after it has. */
  onChange(listener: (definition: Definition) => void): void {
    this.#listeners.push(listener);
  }

  /** Adds or replaces the definition of its group and plural. */
  set(definition: Definition): void {
    this.#byResource.set(storageName(definition), definition);
    this.#changed(definition);
  }

  delete(group: string, plural: string): void {
    const definition = this.definition(group, plural);
    if (definition === undefined) return;
    this.#byResource.delete(storageName(definition));
    this.#changed(definition);
  }

  definition(group: string, plural: string): Definition | undefined {
    return this.#byResource.get(storageName({ group, plural }));
  }

  /** By the store's name for it, see {@link storageName}. */
  stored(resource: string): Definition | undefined {
    return this.#byResource.get(resource);
  }

  /** A served version; undefined when group, version or plural is unknown. */
  find(group: string, version: string, plural: string): Resource | undefined {
    const definition = this.definition(group, plural);
    const found = definition?.versions.find((candidate) => candidate.name === version && candidate.served);
    return definition === undefined || found === undefined ? undefined : { definition, version: found };
  }

  findKind(group: string, kind: string): Definition | undefined {
    for (const definition of this.#byResource.values()) {
      if (definition.group === group && definition.kind === kind) return definition;
    }
    return undefined;
  }

  definitions(): Iterable<Definition> {
    return this.#byResource.values();
  }

  #changed(definition: Definition): void {
    this.generation++;
    for (const listener of this.#listeners) listener(definition);
  }
}
