/** RFC 3339 times as Go reads and writes them, without a clock: text to text. */

/** metav1.Time: whole seconds. metav1.MicroTime: exactly six digits of fraction. Both are written in UTC. */
export type TimePrecision = "seconds" | "microseconds";

const LAYOUT = { seconds: "2006-01-02T15:04:05Z07:00", microseconds: "2006-01-02T15:04:05.000000Z07:00" } as const;
const SHAPE = {
  seconds: /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)([.,]\d+)?(?:Z|([+-])(\d\d):(\d\d))$/,
  microseconds: /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d{6})(?:Z|([+-])(\d\d):(\d\d))$/,
} as const;
const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/**
 * The time in UTC (`2026-01-02T03:04:05Z`), or Go's message about it. metav1.Time takes any fraction and drops it; MicroTime
 * wants six digits.
 */
export function normalizeTime(text: string, precision: TimePrecision): { time: string } | { problem: string } {
  const match = SHAPE[precision].exec(text);
  if (match === null) return { problem: problemOf(text, precision) };
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const isReal = month >= 1 && month <= 12 && day >= 1 && day <= daysOf(year, month) && hour < 24 && minute < 60 && second < 60;
  if (!isReal) return { problem: problemOf(text, precision) };
  const offset = match[8] === undefined ? 0 : Number(`${match[8]}1`) * (Number(match[9]) * 60 + Number(match[10]));
  const start = utc(year, month, day, hour * 60 + minute - offset);
  return { time: `${start}:${match[6]}${precision === "seconds" ? "" : match[7]}Z` };
}

function daysOf(year: number, month: number): number {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month === 2 && isLeap ? 29 : MONTH_DAYS[month - 1]!;
}

/** `2026-01-02T03:04` for a minute of a day, which may lie in a neighbouring day. */
function utc(year: number, month: number, day: number, minutes: number): string {
  let [y, m, d, rest] = [year, month, day, minutes];
  for (; rest < 0; rest += 1440) {
    d--;
    if (d === 0) {
      m = m === 1 ? 12 : m - 1;
      if (m === 12) y--;
      d = daysOf(y, m);
    }
  }
  for (; rest >= 1440; rest -= 1440) {
    d++;
    if (d > daysOf(y, m)) {
      d = 1;
      m = m === 12 ? 1 : m + 1;
      if (m === 1) y++;
    }
  }
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${String(y).padStart(4, "0")}-${two(m)}-${two(d)}T${two(Math.floor(rest / 60))}:${two(rest % 60)}`;
}

/** The layout's parts in order: what Go takes for each, and how far its value may go. */
const PARTS: readonly (readonly [string, RegExp, string?, number?, number?])[] = [
  ["2006", /^\d{4}/],
  ["-", /^-/],
  ["01", /^\d\d/, "month", 1, 12],
  ["-", /^-/],
  ["02", /^\d\d/],
  ["T", /^T/],
  ["15", /^\d\d/, "hour", 0, 23],
  [":", /^:/],
  ["04", /^\d\d/, "minute", 0, 59],
  [":", /^:/],
  ["05", /^\d\d/, "second", 0, 59],
];

/** What Go stumbles over first in a text that is no time: the days of a month it counts last. */
function problemOf(text: string, precision: TimePrecision): string {
  const fraction = precision === "seconds" ? (["", /^([.,]\d+)?/] as const) : ([".000000", /^\.\d{6}/] as const);
  const start = `parsing time ${JSON.stringify(text)}`;
  let rest = text;
  for (const [part, pattern, name, low = 0, high = 0] of [...PARTS, fraction, ["Z07:00", /^(Z|[+-]\d\d:\d\d)/] as const]) {
    const match = pattern.exec(rest);
    if (match === null) return `${start} as "${LAYOUT[precision]}": cannot parse ${JSON.stringify(rest)} as "${part}"`;
    const value = Number(match[0]);
    if (name !== undefined && (value < low || value > high)) return `${start}: ${name} out of range`;
    rest = rest.slice(match[0].length);
  }
  return rest === "" ? `${start}: day out of range` : `${start}: extra text: ${JSON.stringify(rest)}`;
}
