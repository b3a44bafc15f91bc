/** RFC 3339 times as Go reads and writes them, without a clock: text to text. */

/** metav1.Time: whole seconds. metav1.MicroTime: exactly six digits of fraction. Both are written in UTC. */
export type TimePrecision = "seconds" | "microseconds";

const LAYOUT = { seconds: "2006-01-02T15:04:05Z07:00", microseconds: "2006-01-02T15:04:05.000000Z07:00" } as const;
const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/**
 * The time in UTC (`2026-01-02T03:04:05Z`), or Go's message about it. metav1.Time takes any fraction and drops it; MicroTime
 * wants six digits.
 */
export function normalizeTime(text: string, precision: TimePrecision): { time: string } | { problem: string } {
  const match = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:([.,])(\d+))?(?:Z|([+-])(\d\d):(\d\d))$/.exec(text);
  const fraction = match?.[8] ?? "";
  if (match === null || (precision === "microseconds" && (match[7] !== "." || fraction.length !== 6))) {
    return { problem: syntaxProblem(text, precision) };
  }
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (month < 1 || month > 12) return { problem: rangeProblem(text, "month") };
  if (day < 1 || day > daysOf(year, month)) return { problem: rangeProblem(text, "day") };
  if (hour > 23) return { problem: rangeProblem(text, "hour") };
  if (minute > 59) return { problem: rangeProblem(text, "minute") };
  if (second > 59) return { problem: rangeProblem(text, "second") };
  const offset = match[9] === undefined ? 0 : Number(`${match[9]}1`) * (Number(match[10]) * 60 + Number(match[11]));
  const date = utc(year, month, day, hour * 60 + minute - offset);
  return { time: `${date}:${match[6]}${precision === "seconds" ? "" : `.${fraction}`}Z` };
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

function rangeProblem(text: string, part: string): string {
  return `parsing time ${JSON.stringify(text)}: ${part} out of range`;
}

/** The layout's parts in order, with what Go takes for each. */
const PARTS: readonly (readonly [string, RegExp])[] = [
  ["2006", /^\d{4}/],
  ["-", /^-/],
  ["01", /^\d\d/],
  ["-", /^-/],
  ["02", /^\d\d/],
  ["T", /^T/],
  ["15", /^\d\d/],
  [":", /^:/],
  ["04", /^\d\d/],
  [":", /^:/],
  ["05", /^\d\d/],
];

/** The first part of the layout that the text does not have. */
function syntaxProblem(text: string, precision: TimePrecision): string {
  const fraction = precision === "seconds" ? ([/^([.,]\d+)?/, ""] as const) : ([/^\.\d{6}/, ".000000"] as const);
  const parts: (readonly [string, RegExp])[] = [...PARTS, [fraction[1], fraction[0]], ["Z07:00", /^(Z|[+-]\d\d:\d\d)/]];
  let rest = text;
  const start = `parsing time ${JSON.stringify(text)}`;
  for (const [part, pattern] of parts) {
    const match = pattern.exec(rest);
    if (match === null) return `${start} as "${LAYOUT[precision]}": cannot parse ${JSON.stringify(rest)} as "${part}"`;
    rest = rest.slice(match[0].length);
  }
  return `${start}: extra text: ${JSON.stringify(rest)}`;
}
