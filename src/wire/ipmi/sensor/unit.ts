/** Units of sensors (IPMI 2.0 §43.17, table 43-15), as people write them. */

/** By their code; what is missing is written as it is called there. */
const UNITS: readonly string[] = [
  "",
  "°C",
  "°F",
  "K",
  "V",
  "A",
  "W",
  "J",
  "C",
  "VA",
  "nit",
  "lm",
  "lx",
  "cd",
  "kPa",
  "psi",
  "N",
  "CFM",
  "RPM",
  "Hz",
  "µs",
  "ms",
  "s",
  "min",
  "h",
  "d",
  "week",
  "mil",
  "in",
  "ft",
  "in³",
  "ft³",
  "mm",
  "cm",
  "m",
  "cm³",
  "m³",
  "l",
  "fl oz",
  "rad",
  "sr",
  "rev",
  "cycle",
  "g",
];
const RATES: readonly string[] = ["", "/µs", "/ms", "/s", "/min", "/h", "/d", ""];

/** Of the three bytes of units (§43.1, bytes 21 to 23); undefined when there is none. */
export function unitOf(flags: number, base: number, modifier: number): string | undefined {
  const rate = RATES[(flags >> 3) & 0x07]!;
  const [first, second] = [UNITS[base] ?? `unit ${base}`, UNITS[modifier] ?? `unit ${modifier}`];
  const combined = [first, `${first}/${second}`, `${first}·${second}`, first][(flags >> 1) & 0x03]!;
  const unit = `${(flags & 0x01) !== 0 ? "%" : ""}${combined}${rate}`;
  return unit === "" ? undefined : unit;
}
