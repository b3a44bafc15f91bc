/**
 * Writes `.oxlintrc.layers.json` (extended by `.oxlintrc.json`) from `layers.json`, so that an import upwards is red in the editor.
 * Usage: node tools/lint-layers.ts [--check]   --check writes nothing and exits 1 when the file is stale.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { IMPURE_GLOBALS, isPure, mayImportLayer, mayImportNode, mayImportPackage, readLayers } from "./layers.ts";
import type { LayerTable } from "./layers.ts";

interface Pattern {
  group: string[];
  message: string;
}

/** Every layer, and below it the folders that the table grants more than their layer; those last, as the last override wins. */
function areas(table: LayerTable): string[] {
  const granted = Object.values(table.packages).flat();
  const doors = Object.values(table.layers).flatMap((layer) => layer.nodeOnlyUnder ?? []);
  return [...new Set([...Object.keys(table.layers), ...granted, ...doors])].sort(
    (a, b) => a.split("/").length - b.split("/").length || (a < b ? -1 : 1),
  );
}

function importPatterns(table: LayerTable, area: string, isTest: boolean): Pattern[] {
  const layer = area.split("/")[0]!;
  const layers = Object.keys(table.layers).filter((to) => !mayImportLayer(table, layer, to));
  const packages = Object.keys(table.packages).filter((name) => {
    return !mayImportPackage(table, area, name) && !(isTest && table.packages[name]!.length === 0);
  });
  const patterns: Pattern[] = [];
  if (layers.length > 0)
    patterns.push({ group: layers.map((to) => `#${to}/**`), message: `layers.json: ${layer} may not import this layer` });
  if (packages.length > 0) {
    const group = packages.flatMap((name) => [name, `${name}/**`]);
    patterns.push({ group, message: `layers.json: ${area} may not import this package` });
  }
  if (!isTest && !mayImportNode(table, area))
    patterns.push({ group: ["node:*"], message: `layers.json: ${area} has no door to Node; take a port` });
  return patterns;
}

function override(table: LayerTable, area: string, isTest: boolean): unknown {
  const pure = isPure(table, area) && !isTest;
  const patterns = importPatterns(table, area, isTest);
  return {
    files: [isTest ? `src/${area}/**/*.test.ts` : `src/${area}/**/*.ts`],
    rules: {
      "no-restricted-imports": patterns.length > 0 ? ["error", { patterns }] : "off",
      ...(pure ? { "no-restricted-globals": ["error", ...IMPURE_GLOBALS] } : { "no-restricted-globals": "off" }),
      ...(pure
        ? {
            "no-restricted-properties": [
              "error",
              { object: "Date", property: "now", message: "a pure layer sees no clock" },
              { object: "Math", property: "random", message: "a pure layer sees no randomness" },
            ],
          }
        : { "no-restricted-properties": "off" }),
    },
  };
}

const root = new URL("../", import.meta.url);
const table = readLayers(new URL("layers.json", root));
const overrides = [false, true].flatMap((isTest) => areas(table).map((area) => override(table, area, isTest)));
const text = `${JSON.stringify({ overrides }, null, 2)}\n`;
const target = new URL(".oxlintrc.layers.json", root);
if (process.argv.includes("--check")) {
  if (readFileSync(target, "utf8") !== text) {
    console.error(".oxlintrc.layers.json is stale: run `make generate`");
    process.exitCode = 1;
  }
} else {
  writeFileSync(target, text);
}
