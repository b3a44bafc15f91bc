import { Fault } from "#std/fault.ts";
import { formatArguments } from "./argument.ts";
import type { Command, Line, Script, Text } from "./script.ts";
import { displayable, operands, settingName, valueWords, withSettings, word, words } from "./word.ts";

const LABEL = /^[a-z][a-z0-9_]{0,31}$/;

/**
 * The text that iPXE runs, ASCII, with the magic first line. Throws `caller` Faults `ipxe.text` and `ipxe.argument` for a text that no script can
 * express, and `ours` Fault `ipxe.script` for a script that makes no sense in itself. Only `echo` and `prompt` never refuse a literal: what they
 * cannot show they show as well as they can.
 */
export function encode(script: Script): string {
  checkLabels(script);
  return `#!ipxe\n${script.map((line) => `${encodeLine(line)}\n`).join("")}`;
}

function encodeLine(line: Line): string {
  if ("label" in line) return `:${line.label}`;
  const parts = [encodeCommand(line.run)];
  if (line.onSuccess !== undefined) parts.push("&&", encodeCommand(line.onSuccess));
  // `||` with nothing behind it succeeds.
  if (line.onFailure !== undefined) parts.push("||");
  if (line.onFailure !== undefined && line.onFailure !== "continue") parts.push(encodeCommand(line.onFailure));
  return parts.join(" ");
}

/** Every label is there once, and every `goto` has one. */
function checkLabels(script: Script): void {
  const labels = new Set<string>();
  for (const line of script) {
    if (!("label" in line)) continue;
    if (!LABEL.test(line.label) || labels.has(line.label)) throw senseless(`the label ${line.label}`);
    labels.add(line.label);
  }
  for (const line of script) {
    if ("label" in line) continue;
    for (const command of [line.run, line.onSuccess, line.onFailure]) {
      if (typeof command === "object" && command.do === "goto" && !labels.has(command.label)) {
        throw senseless(`goto ${command.label}`);
      }
    }
  }
}

function encodeCommand(command: Command): string {
  return [command.do, ...operandsOf(command)].join(" ");
}

function operandsOf(command: Command): string[] {
  switch (command.do) {
    case "echo":
      return operands(words(shown(command.text)));
    case "prompt":
      return [...option("key", command.key), ...option("timeout", command.timeout), ...operands(words(shown(command.text)))];
    case "set":
      return [settingName(command.setting), ...valueWords(command.text)];
    case "clear":
    case "inc":
      return [settingName(command.setting)];
    case "isset":
      return operands([word(command.text)]);
    case "iseq":
      return ["--", word(command.left), word(command.right)];
    case "goto":
      return [command.label];
    case "sleep":
      return [natural(Math.ceil(command.time / 1000))];
    case "ifstat":
    case "route":
    case "imgfree":
    case "boot":
    case "reboot":
    case "poweroff":
    case "shell":
      return [];
    case "ifclose":
    case "dhcp":
      return device(command.device);
    case "iflinkwait":
      return [...option("timeout", command.timeout), ...device(command.device)];
    case "kernel": {
      const line = withSettings(formatArguments(command.arguments ?? []), command.settings ?? []);
      return [...named(command.name), ...operands([word(command.uri)]), ...words(line)];
    }
    case "initrd":
      return [...named(command.name), ...operands([word(command.uri)])];
    case "chain":
      return [...flag("replace", command.replace), ...flag("autofree", command.autofree), ...operands([word(command.uri)])];
    case "sanboot":
      return ["--no-describe", ...option("drive", command.drive), ...named(command.filename, "filename")];
    case "exit":
      return command.status === undefined ? [] : [natural(command.status)];
  }
}

/** Literals for the console; settings stay. */
function shown(text: Text): Text {
  if (typeof text === "string") return displayable(text);
  if (text.every((part) => typeof part === "string")) return displayable(text.join(""));
  // Beside a setting braces are not safe, and the spaces at a literal's ends are wanted.
  return text.map((part) => (typeof part === "string" ? part.replaceAll(/[^ -~]/g, "?").replaceAll(/[${}]/g, "?") : part));
}

function device(name: Text | undefined): string[] {
  return name === undefined ? [] : operands([word(name)]);
}

/** `--name=value`: one word, so that no value is taken for an option. */
function named(value: string | undefined, option = "name"): string[] {
  return value === undefined ? [] : [word(`--${option}=${value}`)];
}

function option(name: string, value: number | undefined): string[] {
  return value === undefined ? [] : [`--${name}`, natural(value)];
}

function flag(name: string, value: boolean | undefined): string[] {
  return value === true ? [`--${name}`] : [];
}

function natural(value: number): string {
  if (!Number.isSafeInteger(value) || value < 0 || value > 0xffff_ffff) throw senseless(`the number ${value}`);
  return String(value);
}

function senseless(what: string): Fault {
  return new Fault("ipxe.script", `a script with ${what}`, { fault: "ours", retry: "never" });
}
