/** Settings of the programs before Sidero that are not taken, and why. What is merely unknown might be a slip of the pen; these were meant. */

const DISCOVERY_KUBECONFIG =
  "machines do not create their own Servers any more, with a kubeconfig that anyone can download: they are registered by the agent API, " +
  "on the HTTP port that their boot script names, with that script's token. Leave this out";

const REFUSED: ReadonlyMap<string, string> = new Map([["discovery-kubeconfig", DISCOVERY_KUBECONFIG]]);

/** Names without dashes: flags take them, so that they can be refused in so many words. */
export const REFUSED_FLAGS: readonly string[] = [...REFUSED.keys()];

/** Why this one is not taken; undefined: there never was such a setting. */
export function refusalOf(name: string): string | undefined {
  return REFUSED.get(name);
}

/** The same as an argument of the kernel that the agent boots with: `discovery-kubeconfig=…`, `arges.discovery-kubeconfig=…`. */
export function argumentProblem(argument: string): string | undefined {
  const [key = ""] = argument.split("=", 1);
  const name = key.slice(key.lastIndexOf(".") + 1).replace(/^-+/, "");
  const refusal = refusalOf(name);
  return refusal && `${key}: ${refusal}`;
}
