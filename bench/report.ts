/** The result: one JSON object a line. */

export interface Line {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly peer: string;
  readonly peerValue: number | null;
  /** How many times better ours is: above 1 it is. */
  readonly ratio: number | null;
}

export const PEER = "refapi+etcd";

/** Rates are better when they are high, everything else when it is low. */
export function compare(name: string, unit: string, ours: readonly number[], theirs: readonly number[], peer = PEER): Line {
  const [value, peerValue] = [median(ours), median(theirs)];
  const ratio = unit.endsWith("/s") ? value / peerValue : peerValue / value;
  return { name, value: rounded(value), unit, peer, peerValue: rounded(peerValue), ratio: rounded(ratio) };
}

/** What no peer is measured for. */
export function alone(name: string, unit: string, ours: readonly number[]): Line {
  return { name, value: rounded(median(ours)), unit, peer: "none", peerValue: null, ratio: null };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Three significant digits: the rest is noise. */
export function rounded(value: number): number {
  return Number(value.toPrecision(3));
}

export function print(line: Line): void {
  console.log(JSON.stringify(line));
}
