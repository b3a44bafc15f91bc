/** How many machines may be unhealthy for remediation to go on (§2.7): where most are, something else is wrong than they. */
import type { TriggerIf } from "#kinds/cluster/v1beta2/health-check.ts";
import { shareOf } from "../machines/share.ts";

export interface Limit {
  readonly isAllowed: boolean;
  /** How many more may be unhealthy. */
  readonly left: number;
  /** Why it is not allowed. */
  readonly problem: string;
}

export function limitOf(trigger: TriggerIf | undefined, expected: number, unhealthy: number): Limit {
  const range = /^\[(\d+)-(\d+)\]$/.exec(trigger?.unhealthyInRange ?? "");
  if (range !== null) {
    const [least, most] = [Number(range[1]), Number(range[2])];
    // Where none is unhealthy nothing is restricted, though the range may begin later.
    const isAllowed = unhealthy === 0 || (unhealthy >= least && unhealthy <= most);
    const problem = `Remediation is not allowed, the number of not started or unhealthy machines does not fall within the range (total: ${expected}, unhealthy: ${unhealthy}, unhealthyInRange: ${range[0]})`;
    return { isAllowed, left: isAllowed ? most - unhealthy : 0, problem };
  }
  const share = trigger?.unhealthyLessThanOrEqualTo ?? "100%";
  const most = shareOf(share, expected, "down");
  const problem = `Remediation is not allowed, the number of not started or unhealthy machines exceeds maxUnhealthy (total: ${expected}, unhealthy: ${unhealthy}, maxUnhealthy: ${share})`;
  return { isAllowed: unhealthy <= most, left: Math.max(most - unhealthy, 0), problem };
}
