/** A Server as the values that a predicate is asked about. */
import type { CelInput } from "@bufbuild/cel";
import { isObject, own } from "#std/json.ts";
import type { HardwareInformation } from "#kinds/metal/v1alpha2/hardware.ts";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import type { Type } from "./type.ts";

export interface Facts {
  readonly bindings: Readonly<Record<string, CelInput>>;
  /** Items of the longest list or map in it: what work the predicate may make depends on. */
  readonly longest: number;
}

/**
 * What is missing is empty: "", 0, false, an empty list, an object of such, as everywhere where hardware is compared. Integers are integers, sizes of memory
 * and storage bytes. `needed`: names of variables, and of what type they are as far as it matters.
 */
export function factsOf(server: Server, needed: ReadonlyMap<string, Type>): Facts {
  const { metadata, spec } = server;
  const source: Record<string, unknown> = {
    ...inBytes(spec?.hardware ?? {}, needed),
    labels: metadata.labels ?? {},
    hostname: spec?.hostname,
    name: metadata.name,
  };
  let longest = 1;
  const build = (type: Type, value: unknown): CelInput => {
    switch (type.kind) {
      case "int":
        return typeof value === "number" ? BigInt(Math.trunc(value)) : 0n;
      case "double":
        return typeof value === "number" ? value : 0;
      case "bool":
        return value === true;
      case "list": {
        const items: unknown[] = Array.isArray(value) ? value : [];
        longest = Math.max(longest, items.length);
        return items.map((item) => build(type.item, item));
      }
      case "map": {
        const entries = isObject(value) ? Object.entries(value) : [];
        longest = Math.max(longest, entries.length);
        return new Map(entries.map(([key, inner]) => [key, build(type.value, inner)]));
      }
      case "object": {
        const fields = isObject(value) ? value : {};
        return new Map([...type.fields].map(([field, inner]) => [field, build(inner, own(fields, field))]));
      }
      default:
        return typeof value === "string" ? value : "";
    }
  };
  const bindings: Record<string, CelInput> = {};
  for (const [name, type] of needed) bindings[name] = build(type, source[name]);
  return { bindings, longest };
}

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

/** Modules are in MiB; the totals are texts such as "32 GB", which mean GiB and are rounded down: what they are the sum of is better. */
function inBytes(hardware: HardwareInformation, needed: ReadonlyMap<string, Type>): Record<string, unknown> {
  const { memory, storage } = hardware;
  if (!needed.has("memory") && !needed.has("storage")) return { ...hardware };
  const modules = memory?.modules?.map((module) => ({ ...module, size: (module.size ?? 0) * MIB }));
  const total = (devices: readonly { readonly size?: number }[] | undefined, text: string | undefined): number =>
    devices !== undefined && devices.length > 0 ? devices.reduce((sum, { size = 0 }) => sum + size, 0) : gib(text);
  return {
    ...hardware,
    memory: { ...memory, modules, totalSize: total(modules, memory?.totalSize) },
    storage: { ...storage, totalSize: total(storage?.devices, storage?.totalSize) },
  };
}

function gib(text = ""): number {
  return Number(/^(\d{1,9}) GB$/.exec(text)?.[1] ?? 0) * GIB;
}
