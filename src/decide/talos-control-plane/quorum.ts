/** Whether etcd can do without a member: the one question that everything which takes one away has to ask. */

export interface Voter {
  readonly id: string;
  readonly isLearner: boolean;
}

/** Members that have to agree, of so many with a vote. */
export function quorumOf(voters: number): number {
  return Math.floor(voters / 2) + 1;
}

/**
 * Why the member may not be taken away; undefined: it may. `healthy` are the members that are known to take part. Removing is itself
 * agreed on by the present members, and must leave a quorum of healthy ones behind; a member that does not take part can go at no risk but that.
 */
export function whyKept(members: readonly Voter[], healthy: ReadonlySet<string>, id: string): string | undefined {
  const leaving = members.find((member) => member.id === id);
  if (leaving === undefined) return undefined;
  const voters = members.filter(({ isLearner }) => !isLearner);
  const well = voters.filter((voter) => healthy.has(voter.id)).length;
  if (well < quorumOf(voters.length))
    return `${well} of etcd's ${voters.length} members take part, and ${quorumOf(voters.length)} have to`;
  if (leaving.isLearner) return undefined;
  const rest = voters.filter((voter) => voter.id !== id);
  if (rest.length === 0) return "it is the only member of etcd";
  const left = rest.filter((voter) => healthy.has(voter.id)).length;
  if (left >= quorumOf(rest.length)) return undefined;
  return `without it ${left} of etcd's ${rest.length} members would take part, and ${quorumOf(rest.length)} would have to`;
}
