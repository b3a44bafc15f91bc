/** Which Server of those that can be had a MetalMachine gets. */

export interface Wish {
  readonly serverClass: string;
  /** Only a Server in there will do. */
  readonly failureDomain: string | undefined;
  /** Machines that are to be kept apart: a control plane, the workers of one MachineDeployment. */
  readonly group: string;
}

/**
 * Names of free Servers, sorted, by failure domain (undefined: none is known), none of them empty; `used`: how many machines of the group are in
 * each domain already. The first Server by name in the domain with the fewest; among those with as many, the first of all.
 * Without domains that is upstream's order. Costs as much as there are domains, however many Servers.
 */
export function choose(
  free: ReadonlyMap<string | undefined, readonly string[]>,
  wanted: string | undefined,
  used: ReadonlyMap<string | undefined, number>,
): string | undefined {
  if (wanted !== undefined) return free.get(wanted)?.[0];
  let best: { readonly name: string; readonly count: number } | undefined;
  for (const [domain, [name]] of free) {
    const count = used.get(domain) ?? 0;
    if (name === undefined || (best !== undefined && count > best.count)) continue;
    if (best === undefined || count < best.count || name < best.name) best = { name, count };
  }
  return best?.name;
}
