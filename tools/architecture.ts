/**
 * The rules of the house, checked on source text: `layers.json` for imports, purity and sizes, and the naming rules of DESIGN §5.
 * Own eyes on purpose: the linter reads the same table with another parser, so neither can go blind unnoticed.
 */
import { posix } from "node:path";
import {
  IMPURE_GLOBALS,
  areSiblings,
  areaOf,
  isPure,
  layerOf,
  mayImportLayer,
  mayImportNode,
  mayImportPackage,
} from "./layers.ts";
import type { LayerTable } from "./layers.ts";

export interface Violation {
  readonly rule: "import" | "cycle" | "purity" | "size" | "name";
  readonly file: string;
  readonly message: string;
}

/** Path from the root, with forward slashes → text. */
export type Sources = ReadonlyMap<string, string>;

interface Import {
  readonly specifier: string;
  /** `import type …`: gone at run time, so it cannot close a cycle. */
  readonly typeOnly: boolean;
}

const IMPORT =
  /^\s*(?:import|export)\s+(type\s+)?(?:[\w*{][^;"']*?\sfrom\s*)?["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*\)/gm;

export function importsOf(text: string): Import[] {
  return [...text.matchAll(IMPORT)].map((match) => ({ specifier: match[2] ?? match[3]!, typeOnly: match[1] !== undefined }));
}

/** The file that a `#…` or relative specifier names. */
function resolve(file: string, specifier: string): string | undefined {
  if (specifier.startsWith("#")) return `src/${specifier.slice(1)}`;
  if (specifier.startsWith(".")) return posix.join(posix.dirname(file), specifier);
  return undefined;
}

function packageName(specifier: string): string {
  const parts = specifier.split("/");
  return specifier.startsWith("@") ? parts.slice(0, 2).join("/") : parts[0]!;
}

function isTest(file: string): boolean {
  return file.endsWith(".test.ts");
}

/** JavaScript that protoc writes, no source of ours; whether it is there the compiler says. */
const GENERATED = /^src\/proto\/.*_pb\.js$/;

/** Why `file` may not import `specifier`; undefined when it may. */
function importFault(table: LayerTable, sources: Sources, file: string, specifier: string): string | undefined {
  const area = areaOf(file)!;
  const layer = layerOf(area);
  const target = resolve(file, specifier);
  if (target !== undefined) {
    // Data is no source: test vectors, package.json. Whether it is there the compiler says.
    if (target.endsWith(".json")) return undefined;
    if (!sources.has(target) && !GENERATED.test(target)) return `"${specifier}" does not exist`;
    if (isTest(file) && target.startsWith("test/")) return undefined;
    const targetArea = areaOf(target);
    if (targetArea === undefined) return `"${specifier}" is outside src/`;
    const targetLayer = layerOf(targetArea);
    if (specifier.startsWith(".") && targetLayer !== layer) return `"${specifier}" leaves the layer: write #${target.slice(4)}`;
    if (!mayImportLayer(table, layer, targetLayer)) return `${layer} may not import ${targetLayer} ("${specifier}")`;
    if (areSiblings(table, area, targetArea)) return `${area} may not import its sibling ${targetArea}`;
    return undefined;
  }
  if (specifier.startsWith("node:")) {
    return isTest(file) || mayImportNode(table, area) ? undefined : `${area} may not import ${specifier}`;
  }
  const name = packageName(specifier);
  const forTests = table.packages[name]?.length === 0;
  if (mayImportPackage(table, area, name) || (forTests && isTest(file))) return undefined;
  return `${area} may not import the package ${name}`;
}

function importViolations(table: LayerTable, sources: Sources): Violation[] {
  const found: Violation[] = [];
  for (const [file, text] of sources) {
    if (!file.startsWith("src/")) continue;
    const area = areaOf(file);
    if (area === undefined || table.layers[layerOf(area)] === undefined) {
      found.push({ rule: "import", file, message: "is in no layer of layers.json" });
      continue;
    }
    for (const { specifier } of importsOf(text)) {
      const message = importFault(table, sources, file, specifier);
      if (message !== undefined) found.push({ rule: "import", file, message });
    }
  }
  return found;
}

/** Depth-first over run-time imports; each cycle is reported once, where it closes. */
function cycleViolations(sources: Sources): Violation[] {
  const found: Violation[] = [];
  const finished = new Set<string>();
  const visit = (file: string, trail: readonly string[]): void => {
    if (finished.has(file)) return;
    const start = trail.indexOf(file);
    if (start >= 0) {
      found.push({ rule: "cycle", file, message: [...trail.slice(start), file].join(" → ") });
      return;
    }
    for (const { specifier, typeOnly } of importsOf(sources.get(file) ?? "")) {
      const target = resolve(file, specifier);
      if (!typeOnly && target !== undefined && sources.has(target)) visit(target, [...trail, file]);
    }
    finished.add(file);
  };
  for (const file of sources.keys()) visit(file, []);
  return found;
}

const IMPURE = [
  { pattern: /\bDate\.now\b/, name: "Date.now" },
  { pattern: /\bnew Date\(\s*\)/, name: "new Date()" },
  { pattern: /\bMath\.random\b/, name: "Math.random" },
  ...IMPURE_GLOBALS.map((name) => ({ pattern: new RegExp(`(?<![\\w.$"'#-])${name}\\s*[.([<]|[:<]\\s*${name}\\b`), name })),
];

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/^\s*\/\/.*$/gm, "");
}

function purityViolations(table: LayerTable, sources: Sources): Violation[] {
  const found: Violation[] = [];
  for (const [file, text] of sources) {
    const area = areaOf(file);
    if (area === undefined || isTest(file) || !isPure(table, area)) continue;
    const code = withoutComments(text);
    for (const { pattern, name } of IMPURE) {
      if (pattern.test(code)) found.push({ rule: "purity", file, message: `a pure layer may not use ${name}` });
    }
  }
  return found;
}

export function lineCount(text: string): number {
  return text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
}

function sizeViolations(table: LayerTable, sources: Sources): Violation[] {
  return [...sources]
    .filter(([, text]) => lineCount(text) > table.lines.hard)
    .map(([file, text]) => ({ rule: "size", file, message: `${lineCount(text)} lines; at most ${table.lines.hard}` }));
}

const EMPTY_NAMES = new Set(["utils", "util", "helpers", "helper", "common", "manager", "service", "misc"]);
const MODULE_NAME = /^[a-z0-9]+(-[a-z0-9]+)*(\.test)?\.ts$/;

function nameViolations(sources: Sources): Violation[] {
  const found: Violation[] = [];
  for (const file of sources.keys()) {
    const parts = file.split("/");
    if (!MODULE_NAME.test(parts.at(-1)!)) found.push({ rule: "name", file, message: "file names are kebab-case" });
    const empty = parts.flatMap((part) => part.replace(/\..*$/, "").split("-")).find((word) => EMPTY_NAMES.has(word));
    if (empty !== undefined) found.push({ rule: "name", file, message: `"${empty}" says nothing: use the field's term` });
  }
  return found;
}

/** Everything that breaks a rule, in order of rule, then file. */
export function violations(table: LayerTable, sources: Sources): Violation[] {
  return [
    ...importViolations(table, sources),
    ...cycleViolations(sources),
    ...purityViolations(table, sources),
    ...sizeViolations(table, sources),
    ...nameViolations(sources),
  ];
}
