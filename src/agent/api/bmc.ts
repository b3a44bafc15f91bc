/** What the agent has set up on a machine's BMC, as the Server's way to it. */
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import { parseIpv4, parseIpv6 } from "#std/address.ts";
import type { BMCInfo } from "#proto/api_pb.js";
import { refusal } from "./faults.ts";
import type { Registry, ServerSpec } from "./registry.ts";

type Bmc = NonNullable<ServerSpec["bmc"]>;

const IPMI_PORT = 623;
/** As upstream's, so that `clusterctl move` takes the Secret along, and a pivoted Server finds it. */
const NAMESPACE = "default";
const LABELS = { "clusterctl.cluster.x-k8s.io/move": "" };
const LONGEST_NAME = 255;

const secretName = ({ metadata }: Server): string => `${metadata.name!}-bmc`;

/** Whether what is on record is an agent's doing, of which the other half may be still to come. */
function isAgents({ user = "", pass = "", userFrom, passFrom }: Bmc, server: Server): boolean {
  const refersElsewhere = [userFrom, passFrom].some(
    (source) => source?.secretKeyRef !== undefined && source.secretKeyRef.name !== secretName(server),
  );
  return user === "" && pass === "" && !refersElsewhere;
}

/** Faults `agent.malformed` and `agent.not-wanted`, and those of the registry. Resolves to what was set, for people. */
export async function updateBmc(registry: Registry, server: Server, info: BMCInfo): Promise<string> {
  const { ip, port, user, pass } = info;
  check(info);
  refuseUnlessWanted(server);
  const hasCredentials = user !== "" && pass !== "";
  if (ip === "" && !hasCredentials) throw refusal("agent.malformed", "bmc_info: neither ip nor user and pass");
  const name = secretName(server);
  // Before the Server refers to it.
  if (hasCredentials) await registry.putSecret(server, { namespace: NAMESPACE, name, labels: LABELS, data: { user, pass } });
  const from = (key: string): Pick<NonNullable<Bmc["userFrom"]>, "secretKeyRef"> => ({
    secretKeyRef: { namespace: NAMESPACE, name, key },
  });
  const after = await registry.edit(server.metadata.name!, (current) => {
    refuseUnlessWanted(current);
    const bmc: Bmc = {
      ...(current.spec?.bmc ?? { endpoint: "" }),
      ...(ip === "" ? {} : { endpoint: ip, port: port || IPMI_PORT }),
      ...(hasCredentials ? { userFrom: from("user"), passFrom: from("pass") } : {}),
    };
    return { ...current, spec: { accepted: true, ...current.spec, bmc } };
  });
  const said = [ip === "" ? "" : `address ${ip}`, hasCredentials ? "user and password" : ""].filter(Boolean).join(", ");
  if (after !== undefined) registry.event(after, "Normal", "BMC Update", `BMC set up by the agent: ${said}`);
  return said;
}

function refuseUnlessWanted(server: Server): void {
  const { accepted, bmc } = server.spec ?? {};
  if (accepted !== true) throw refusal("agent.not-wanted", "the Server is not accepted");
  if (bmc !== undefined && !isAgents(bmc, server))
    throw refusal("agent.not-wanted", "the Server has a BMC that the agent did not set up");
}

function check({ ip, port, user, pass }: BMCInfo): void {
  const isAddress = parseIpv4(ip) ?? parseIpv6(ip);
  if (ip !== "" && isAddress === undefined) throw refusal("agent.malformed", `bmc_info.ip: "${ip}" is no IP address`);
  if (port > 65_535) throw refusal("agent.malformed", `bmc_info.port: ${port} is more than 65535`);
  for (const [field, value] of Object.entries({ user, pass })) {
    if (value.length > LONGEST_NAME)
      throw refusal("agent.malformed", `bmc_info.${field}: has more than ${LONGEST_NAME} characters`);
  }
}
