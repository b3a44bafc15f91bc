/** What happened, in order: for people who want to know how a seed came to fail. */
import type { Clock } from "#io/clock.ts";
import type { Facts, Log } from "#io/log.ts";

export interface Line {
  /** Milliseconds since the simulation began. */
  readonly at: number;
  readonly who: string;
  readonly what: string;
}

export class Story {
  readonly lines: Line[] = [];
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  tell(who: string, what: string): void {
    this.lines.push({ at: this.#clock.monotonic(), who, what });
  }

  /** `00:01:02.003 who: what`, of all or of one. */
  text(who?: string): string {
    const lines = who === undefined ? this.lines : this.lines.filter((line) => line.who === who || line.what.includes(who));
    return lines.map((line) => `${time(line.at)} ${line.who}: ${line.what}`).join("\n");
  }
}

function time(milliseconds: number): string {
  const whole = Math.floor(milliseconds / 1000);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60].map((part) => String(part).padStart(2, "0"));
  return `${parts.join(":")}.${String(Math.floor(milliseconds % 1000)).padStart(3, "0")}`;
}

/** Sidero's log as part of the story; `each` sees every line whole, also those that are not told. */
export function storyLog(story: Story, each: (line: string) => void = () => {}): Log {
  const wrap = (bound: Facts): Log => {
    const at =
      (level: string, isTold: boolean) =>
      (message: string, facts: Facts = {}): void => {
        const line = `${message}${textOf({ ...bound, ...facts })}`;
        each(line);
        if (isTold) story.tell("sidero", `${level}: ${line}`);
      };
    const levels = { error: at("error", true), warn: at("warning", true), info: at("info", true), debug: at("debug", false) };
    return { ...levels, with: (facts) => wrap({ ...bound, ...facts }) };
  };
  return wrap({});
}

function textOf(facts: Facts): string {
  return Object.entries(facts)
    .map(([name, value]) => ` ${name}=${value instanceof Error ? (value.stack ?? value.message) : JSON.stringify(value)}`)
    .join("");
}
