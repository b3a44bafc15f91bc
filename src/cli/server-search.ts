/** The Server that is called by any of its names. */
import { MetalMachine } from "#kinds/infrastructure/v1alpha3/metal-machine.ts";
import { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import type { Client } from "#kube/client.ts";
import { isNotFound } from "#kube/status.ts";
import { formatMac, parseMac } from "#std/address.ts";
import { Fault } from "#std/fault.ts";

const PAGE = 500;
/** Servers that are named when a name fits several. */
const NAMED = 10;

/**
 * `name` is the Server's name or its beginning, a host name, a MAC or an IP address, or `NAMESPACE/NAME` of the MetalMachine that holds it. Rejects
 * with Fault `cli.not-found` when nothing fits, and `cli.usage` when several do, naming them.
 */
export async function findServer(client: Client, name: string): Promise<Server> {
  if (name.includes("/")) return await serverOf(client, name);
  const lower = name.toLowerCase();
  const exact = await client
    .for(Server)
    .get(lower)
    .catch((error: unknown) => (isNotFound(error) ? undefined : Promise.reject(error)));
  if (exact !== undefined) return exact;
  const { items } = await client.for(Server).listAll({ limit: PAGE });
  const found = items.filter((server) => isCalled(server, lower));
  const [server, ...others] = found;
  if (server === undefined) {
    throw fault("cli.not-found", `no Server is called ${name} (kubectl get servers shows those there are)`, "later");
  }
  if (others.length === 0) return server;
  const some = found.slice(0, NAMED).map(({ metadata }) => metadata.name);
  throw fault(
    "cli.usage",
    `${name} fits ${found.length} Servers: ${some.join(", ")}${found.length > NAMED ? ", …" : ""}`,
    "never",
  );
}

function isCalled({ metadata, spec, status }: Server, name: string): boolean {
  const mac = parseMac(name);
  const macs = spec?.hardware?.network?.interfaces?.map((each) => each.mac?.toLowerCase()) ?? [];
  if (mac !== undefined) return macs.includes(formatMac(mac));
  return (
    metadata.name?.startsWith(name) === true ||
    spec?.hostname?.toLowerCase() === name ||
    status?.addresses?.some(({ address }) => address === name) === true
  );
}

async function serverOf(client: Client, machine: string): Promise<Server> {
  const [namespace = "", name = ""] = machine.split("/");
  const metalMachine = await client.for(MetalMachine).in(namespace).get(name);
  const uid = metalMachine.metadata.uid;
  const { items } = await client.for(ServerBinding).listAll({ limit: PAGE });
  const binding = items.find(({ spec }) => {
    const { metalMachineRef: ref } = spec ?? {};
    return ref?.uid === uid || (ref?.uid === undefined && ref?.namespace === namespace && ref?.name === name);
  });
  const server = metalMachine.spec?.serverRef?.name ?? binding?.metadata.name;
  if (server === undefined) throw fault("cli.not-found", `MetalMachine ${machine} holds no Server yet`, "later");
  return await client.for(Server).get(server);
}

function fault(code: string, message: string, retry: "later" | "never"): Fault {
  return new Fault(code, message, { fault: "caller", retry });
}
