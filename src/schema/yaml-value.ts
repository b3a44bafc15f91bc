/** One YAML value, as JSON has it. */
import { Fault } from "#std/fault.ts";
import type { Json } from "#std/json.ts";
import { parse } from "yaml";

/** Fault `yaml.invalid`, caller's, for text that is none, or that refers to itself more often than any value needs. */
export function parseYamlValue(text: string): Json {
  try {
    return (parse(text, { maxAliasCount: 100, schema: "core", logLevel: "silent" }) ?? null) as Json;
  } catch (error) {
    throw new Fault("yaml.invalid", `not YAML: ${(error as Error).message.split("\n")[0]}`, {
      fault: "caller",
      retry: "never",
      cause: error,
    });
  }
}
