/** The log door on pino: lines on standard error, JSON or plain text. */
import { styleText } from "node:util";
import pino from "pino";
import type { Facts, Log } from "../log.ts";

export interface LogOptions {
  readonly format: "text" | "json";
  /** 0 what operators need, 4 and more also debug lines. */
  readonly verbosity: number;
}

const COLORS = { error: "red", warn: "yellow", info: "green", debug: "dim" } as const;

export function createLog(options: LogOptions): Log {
  const level = options.verbosity >= 4 ? "debug" : "info";
  const destination =
    options.format === "json" ? pino.destination(2) : { write: (line: string) => void process.stderr.write(textOf(line)) };
  const base = {
    base: null,
    level,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return wrap(pino(base, destination));
}

function wrap(logger: pino.Logger): Log {
  const at = (level: "error" | "warn" | "info" | "debug") => (message: string, facts?: Facts) =>
    logger[level](facts === undefined ? {} : plain(facts), message);
  return {
    error: at("error"),
    warn: at("warn"),
    info: at("info"),
    debug: at("debug"),
    with: (facts) => wrap(logger.child(plain(facts))),
  };
}

/** Errors have no enumerable properties; what matters of them is their text. */
function plain(facts: Facts): Record<string, unknown> {
  return Object.fromEntries(Object.entries(facts).map(([key, value]) => [key, value instanceof Error ? value.message : value]));
}

/** `12:00:01.234 info  message key=value`, for people. Machines have a say in messages and facts: what would move a terminal's cursor is escaped. */
export function textOf(line: string): string {
  const { time, level, msg, ...facts } = JSON.parse(line) as { time: string; level: keyof typeof COLORS; msg: string } & Facts;
  const rest = Object.entries(facts).map(
    ([key, value]) => ` ${key}=${typeof value === "string" && !/[\s"=]/.test(value) ? value : JSON.stringify(value)}`,
  );
  const colored = styleText(COLORS[level], level.padEnd(5), { stream: process.stderr });
  return `${time.slice(11, 23)} ${colored} ${(msg + rest.join("")).replaceAll(CONTROL, escaped)}\n`;
}

const CONTROL = /[\p{C}\p{Zl}\p{Zp}]/gu;

function escaped(character: string): string {
  return `\\u{${character.codePointAt(0)!.toString(16)}}`;
}
