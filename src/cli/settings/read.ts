/** From flags, environment and file to typed values. Every problem is reported at once, by name and place; nothing is guessed. */
import { Fault } from "#std/fault.ts";
import { isObject } from "#std/json.ts";
import { formatDuration, parseDuration } from "#std/duration.ts";
import { parseListenAddress } from "./address.ts";
import { refusalOf } from "./refused.ts";
import type { Role, Setting, ValueOf } from "./setting.ts";
import type { SettingName } from "./table.ts";
import { SETTINGS } from "./table.ts";

export type Settings = { readonly [Name in SettingName]: ValueOf<(typeof SETTINGS)[Name]> };

export interface Sources {
  /** Flag name without dashes → text. */
  readonly flags: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The parsed configuration file; undefined when there is none. */
  readonly file?: unknown;
}

type Read = { value: unknown } | { problem: string };

/**
 * Reads the settings of a role; those of other roles keep their defaults. Throws Fault `cli.settings`, whose message has a line
 * for each unknown or impossible value.
 */
export function readSettings(role: Role, sources: Sources): Settings {
  const problems: string[] = [];
  const file = fileEntries(sources.file, problems);
  for (const name of Object.keys(sources.flags)) if (!isKnown(name, role)) problems.push(`--${name}: ${unknown(name)}`);
  for (const name of Object.keys(file)) if (!isKnown(name, role)) problems.push(`${name} (configuration file): ${unknown(name)}`);

  const values: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(SETTINGS) as [string, Setting][]) {
    const given = setting.roles.includes(role) ? lookUp(name, setting, sources, file) : undefined;
    const read = given === undefined ? { value: defaultOf(setting) } : parseSetting(setting, given.text);
    if ("problem" in read) problems.push(`${given!.from}: ${read.problem}`);
    else values[name] = read.value;
  }
  if (problems.length > 0) throw new Fault("cli.settings", problems.join("\n"), { fault: "caller", retry: "never" });
  return values as Settings;
}

function isKnown(name: string, role: Role): boolean {
  return Object.hasOwn(SETTINGS, name) && (SETTINGS as Record<string, Setting>)[name]!.roles.includes(role);
}

function unknown(name: string): string {
  return refusalOf(name) ?? "unknown setting";
}

function lookUp(
  name: string,
  setting: Setting,
  sources: Sources,
  file: Record<string, string>,
): { text: string; from: string } | undefined {
  const isGiven = (text: string | undefined): text is string =>
    text !== undefined && !(setting.dashIsEmpty === true && (text === "-" || text === ""));
  const flag = sources.flags[name];
  if (isGiven(flag)) return { text: flag, from: `--${name}` };
  for (const variable of setting.env ?? []) {
    const text = sources.env[variable];
    if (isGiven(text) && text !== "") return { text, from: variable };
  }
  const text = file[name];
  return isGiven(text) ? { text, from: `${name} (configuration file)` } : undefined;
}

function fileEntries(file: unknown, problems: string[]): Record<string, string> {
  if (file === undefined || file === null) return {};
  if (!isObject(file)) {
    problems.push("configuration file: must be a mapping of setting names to values");
    return {};
  }
  const entries: Record<string, string> = {};
  for (const [name, value] of Object.entries(file)) {
    const scalar = typeof value === "string" || typeof value === "number" || typeof value === "boolean";
    if (scalar) entries[name] = String(value);
    else if (Array.isArray(value) && value.every((item) => typeof item === "string"))
      entries[name] = value.join(separatorOf(name));
    else problems.push(`${name} (configuration file): must be a text, a number, true, false or a list of texts`);
  }
  return entries;
}

function separatorOf(name: string): string {
  const setting = (SETTINGS as Record<string, Setting>)[name];
  return setting?.type === "list" ? setting.separator : ",";
}

function defaultOf(setting: Setting): unknown {
  if (setting.type !== "address") return setting.default;
  const read = parseListenAddress(setting.default);
  return "value" in read ? read.value : undefined;
}

/** One value from text, by the setting's type. */
export function parseSetting(setting: Setting, text: string): Read {
  switch (setting.type) {
    case "text": {
      const problem = setting.check?.(text);
      return problem === undefined ? { value: text } : { problem };
    }
    case "choice":
      if (setting.choices.includes(text)) return { value: text };
      return { problem: `"${text}" is not one of ${setting.choices.join(", ")}` };
    case "boolean":
      if (["true", "1", "t", "T", "TRUE", "True"].includes(text)) return { value: true };
      if (["false", "0", "f", "F", "FALSE", "False"].includes(text)) return { value: false };
      return { problem: `"${text}" is neither true nor false` };
    case "integer":
    case "fraction":
      return parseNumber(setting.type, text, setting.min, setting.max);
    case "duration": {
      const duration = parseDuration(text);
      if (duration === undefined) return { problem: `"${text}" is not a duration such as 90s, 20m or 1h30m` };
      if (duration < setting.min) return { problem: `${text} is less than ${formatDuration(setting.min)}` };
      return { value: duration };
    }
    case "address":
      return parseListenAddress(text);
    case "several": {
      const items = itemsOf(text, ",");
      const unknown = items.find((item) => !setting.choices.includes(item));
      return unknown === undefined ? { value: items } : { problem: `"${unknown}" is not one of ${setting.choices.join(", ")}` };
    }
    case "list": {
      const items = itemsOf(text, setting.separator);
      const problem = items.map((item) => setting.check?.(item)).find((message) => message !== undefined);
      return problem === undefined ? { value: items } : { problem };
    }
  }
}

function itemsOf(text: string, separator: string): string[] {
  return text.split(separator).flatMap((item) => (item.trim() === "" ? [] : [item.trim()]));
}

function parseNumber(type: "integer" | "fraction", text: string, min: number, max: number): Read {
  const pattern = type === "integer" ? /^-?\d{1,15}$/ : /^-?\d{1,15}(\.\d{1,15})?$/;
  if (!pattern.test(text)) return { problem: `"${text}" is not ${type === "integer" ? "a whole number" : "a number"}` };
  const value = Number(text);
  return value < min || value > max ? { problem: `${text} is not between ${min} and ${max}` } : { value };
}
