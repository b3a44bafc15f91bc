/** From the byte that a sensor gives to the number that it means (IPMI 2.0 §36.3). */

export interface Factors {
  readonly m: number;
  readonly b: number;
  /** Exponents of ten. */
  readonly bExponent: number;
  readonly rExponent: number;
  /** §43.1, byte 24: 0 is linear. */
  readonly linearization: number;
  /** How the byte is a number (§43.1, byte 21). */
  readonly format: "unsigned" | "ones-complement" | "twos-complement" | "none";
}

const FUNCTIONS: readonly ((x: number) => number)[] = [
  (x) => x,
  Math.log,
  Math.log10,
  Math.log2,
  Math.exp,
  (x) => 10 ** x,
  (x) => 2 ** x,
  (x) => 1 / x,
  (x) => x ** 2,
  (x) => x ** 3,
  Math.sqrt,
  Math.cbrt,
];

/** `y = L[(M·x + B·10^K1)·10^K2]`; undefined when there is no number to it, or its factors depend on the reading (non-linear sensors). */
export function convert(raw: number, { m, b, bExponent, rExponent, linearization, format }: Factors): number | undefined {
  const linearize = FUNCTIONS[linearization];
  if (format === "none" || linearize === undefined) return undefined;
  const value = linearize((m * signed(raw, format) + b * 10 ** bExponent) * 10 ** rExponent);
  // Twelve digits: what is behind them comes of powers of ten, not of the sensor.
  return Number.isFinite(value) ? Number(value.toPrecision(12)) : undefined;
}

function signed(raw: number, format: Factors["format"]): number {
  if (format === "unsigned" || raw < 0x80) return raw;
  return format === "twos-complement" ? raw - 0x100 : raw - 0xff;
}
