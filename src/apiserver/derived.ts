import type { Registry } from "./registry.ts";

/** A value made from the registry: made when first asked for, and again after the registry has changed. */
export function derived<T>(registry: Registry, make: () => T): () => T {
  let made: { generation: number; value: T } | undefined;
  return () => {
    if (made?.generation !== registry.generation) made = { generation: registry.generation, value: make() };
    return made.value;
  };
}
