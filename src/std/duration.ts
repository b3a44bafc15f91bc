/** Durations as Go prints and parses them (`20m`, `1h30m`, `1.5s`, `250ms`), in milliseconds inside. */
export type Duration = number;

const UNITS: Record<string, number> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const TERM = /(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/y;

/** Milliseconds, or undefined when the text is not a Go duration. `0` alone needs no unit. */
export function parseDuration(text: string): Duration | undefined {
  if (text === "0") return 0;
  const negative = text.startsWith("-");
  let at = negative || text.startsWith("+") ? 1 : 0;
  if (at === text.length) return undefined;
  let total = 0;
  while (at < text.length) {
    TERM.lastIndex = at;
    const term = TERM.exec(text);
    if (term === null) return undefined;
    total += Number(term[1]) * UNITS[term[2]!]!;
    at = TERM.lastIndex;
  }
  return negative ? -total : total;
}

/** `20m0s`, `1h0m0s`, `1.5s`, `250ms`: Go's Duration.String, to the millisecond. */
export function formatDuration(duration: Duration): string {
  if (duration === 0) return "0s";
  const sign = duration < 0 ? "-" : "";
  const total = Math.abs(duration);
  if (total < 1000) return `${sign}${total}ms`;
  const hours = Math.floor(total / 3_600_000);
  const minutes = Math.floor((total % 3_600_000) / 60_000);
  const seconds = (total % 60_000) / 1000;
  if (hours > 0) return `${sign}${hours}h${minutes}m${seconds}s`;
  return minutes > 0 ? `${sign}${minutes}m${seconds}s` : `${sign}${seconds}s`;
}
