/** Numbers of machines given as such or as percentages. */

/** `25%` of 10 is 3 when rounded up, 2 when rounded down. */
export function shareOf(share: number | string, total: number, round: "up" | "down"): number {
  if (typeof share === "number") return share;
  const percent = Number.parseInt(share, 10);
  if (Number.isNaN(percent)) return 0;
  const exact = (percent * total) / 100;
  return round === "up" ? Math.ceil(exact) : Math.floor(exact);
}
