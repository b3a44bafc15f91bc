/** `layers.json` as questions. The linter's configuration is generated from it, the architecture test asks it directly. */
import { readFileSync } from "node:fs";

interface Layer {
  /** Names of layers; `*` for all. A layer may always import itself. */
  readonly mayImport: readonly string[];
  /** No clock, no randomness, no sockets, no `node:*`. */
  readonly pure?: boolean;
  /** The only folder of the layer that may touch `node:*`. */
  readonly nodeOnlyUnder?: string;
  /** Folders directly below the layer may not import one another. */
  readonly siblingsApart?: boolean;
  /** False: nothing may import it. */
  readonly importable?: boolean;
}

export interface LayerTable {
  readonly layers: Readonly<Record<string, Layer>>;
  /** npm package → areas (`io/node`, `main`…) that may import it; an empty list means tests only. */
  readonly packages: Readonly<Record<string, readonly string[]>>;
  readonly lines: { readonly soft: number; readonly hard: number };
}

/** Globals that a pure layer may not name: each is a door to time, chance or the machine. */
export const IMPURE_GLOBALS = [
  "setTimeout",
  "setInterval",
  "setImmediate",
  "process",
  "Buffer",
  "crypto",
  "performance",
  "fetch",
  "console",
] as const;

export function readLayers(file: string | URL): LayerTable {
  return JSON.parse(readFileSync(file, "utf8")) as LayerTable;
}

/** `src/io/node/disk.ts` → `io/node`; files directly in a layer → the layer. Undefined outside `src/`. */
export function areaOf(file: string): string | undefined {
  const parts = file.split("/");
  if (parts[0] !== "src" || parts.length < 3) return undefined;
  return parts.slice(1, -1).join("/");
}

export function layerOf(area: string): string {
  return area.split("/")[0]!;
}

function within(area: string, folder: string): boolean {
  return area === folder || area.startsWith(`${folder}/`);
}

export function isPure(table: LayerTable, area: string): boolean {
  return table.layers[layerOf(area)]?.pure === true;
}

/** `main` owns the process, the layers with `nodeOnlyUnder` name their one folder, a layer above the doors may use `node:*` not at all. */
export function mayImportNode(table: LayerTable, area: string): boolean {
  const layer = table.layers[layerOf(area)];
  if (layer === undefined) return false;
  return layer.mayImport.includes("*") || (layer.nodeOnlyUnder !== undefined && within(area, layer.nodeOnlyUnder));
}

export function mayImportLayer(table: LayerTable, from: string, to: string): boolean {
  if (from === to) return true;
  const target = table.layers[to];
  if (target === undefined || target.importable === false) return false;
  const allowed = table.layers[from]?.mayImport ?? [];
  return allowed.includes("*") || allowed.includes(to);
}

/** True when `fromArea` and `toArea` are different folders of a layer whose folders are to stay apart. */
export function areSiblings(table: LayerTable, fromArea: string, toArea: string): boolean {
  const [layer, folder] = fromArea.split("/");
  const [otherLayer, otherFolder] = toArea.split("/");
  if (layer !== otherLayer || folder === undefined || otherFolder === undefined) return false;
  return table.layers[layer!]?.siblingsApart === true && folder !== otherFolder;
}

export function mayImportPackage(table: LayerTable, area: string, name: string): boolean {
  return (table.packages[name] ?? []).some((allowed) => within(area, allowed));
}
