/** Programs of ours as scripts that an image holds. */
import { buildSync } from "esbuild";
import { PROJECT } from "./places.ts";

/**
 * A program as one script: in CommonJS what is imported late is loaded late, Node's own modules too. `threads` are scripts that it starts as
 * threads of its own, by the names that its sources have for them: name there → name of the file beside the script.
 */
export function bundle(contents: string, threads: Readonly<Record<string, string>> = {}): Uint8Array {
  const { outputFiles } = buildSync({
    stdin: { contents, resolveDir: PROJECT },
    absWorkingDir: PROJECT,
    bundle: true,
    write: false,
    minify: true,
    platform: "node",
    format: "cjs",
    target: "node26",
    legalComments: "none",
    ...(Object.keys(threads).length === 0
      ? // Where a script finds its thread it knows otherwise.
        { logOverride: { "empty-import-meta": "silent" } }
      : { define: { "import.meta.url": "scriptUrl" }, banner: { js: SCRIPT_URL } }),
    // It looks for its library beside itself: both are in the system.
    external: ["koffi"],
  });
  const output = outputFiles[0]!;
  return Object.keys(threads).length === 0 ? output.contents : Buffer.from(renamed(output.text, threads));
}

const SCRIPT_URL = 'const scriptUrl=require("node:url").pathToFileURL(__filename).href;';

function renamed(text: string, threads: Readonly<Record<string, string>>): string {
  return Object.entries(threads).reduce((all, [name, file]) => {
    if (!all.includes(JSON.stringify(name))) throw new Error(`the program starts no thread ${name}`);
    return all.replaceAll(JSON.stringify(name), JSON.stringify(`./${file}`));
  }, text);
}
