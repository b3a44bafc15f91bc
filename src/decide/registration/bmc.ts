/** Whose a Server's BMC configuration is: an agent makes an account only where nobody else has configured one. */
import type { Server } from "#kinds/metal/v1alpha2/server.ts";

type Bmc = NonNullable<NonNullable<Server["spec"]>["bmc"]>;

/** Name of the Secret with the account that a machine's agent has made. */
export function bmcSecretName({ metadata }: Server): string {
  return `${metadata.name!}-bmc`;
}

/** Whether the machine's agent is to set its BMC up: there is no way to it yet, or half of one, as upstream leaves it (Q27). */
export function lacksBmc(server: Server): boolean {
  const { bmc } = server.spec ?? {};
  return (
    unwantedBecause(server) === undefined && (bmc?.userFrom === undefined || bmc.passFrom === undefined || bmc.endpoint === "")
  );
}

/** Why nobody wants an agent to set it up; undefined when it may. */
export function unwantedBecause(server: Server): string | undefined {
  const { accepted, bmc, managementApi } = server.spec ?? {};
  if (accepted !== true) return "the Server is not accepted";
  if (bmc !== undefined && !isAgents(bmc, server)) return "the Server has a BMC that the agent did not set up";
  return bmc === undefined && managementApi !== undefined ? "the Server has a power API (spec.managementApi)" : undefined;
}

/** Whether what is on record is an agent's doing, of which the other half may be still to come. */
function isAgents({ user = "", pass = "", userFrom, passFrom }: Bmc, server: Server): boolean {
  const refersElsewhere = [userFrom, passFrom].some(
    (source) => source?.secretKeyRef !== undefined && source.secretKeyRef.name !== bmcSecretName(server),
  );
  return user === "" && pass === "" && !refersElsewhere;
}
