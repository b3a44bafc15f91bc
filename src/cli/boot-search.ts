/** The boots of a machine that is called by any of its names. */
import { addressLabel, BootRecord, MACHINE_LABEL, macLabel } from "#kinds/metal/v1alpha2/boot-record.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import type { Client } from "#kube/client.ts";
import { labelValue } from "#schema/names.ts";
import { formatIpv4, formatIpv6, formatMac, parseIpv4, parseIpv6, parseMac } from "#std/address.ts";
import { Fault } from "#std/fault.ts";

/** Records of one page: a large site has hundreds of megabytes of them. */
const PAGE = 200;
/** Machines that are named when a name fits several. */
const NAMED = 10;

/**
 * The machine's records, oldest first; `name` is the Server's name, a UUID or its beginning, a host name, a MAC or an IP address. Rejects
 * with Fault `cli.not-found` when nothing fits, and `cli.usage` when several machines do, naming them.
 */
export async function findBoots(client: Client, name: string): Promise<BootRecord[]> {
  const label = labelOf(name);
  const exact = label === undefined ? [] : await select(client, label);
  if (exact.length > 0) return await boots(client, newest(exact));
  const lower = name.toLowerCase();
  const { items: servers } = await client.for(Server).listAll({ limit: PAGE });
  const fitting = servers.filter((server) => server.metadata.name?.startsWith(lower) || server.spec?.hostname === name);
  const machines = new Set(fitting.map(({ metadata }) => metadata.name!));
  if (machines.size === 0) for (const machine of await unregistered(client, lower)) machines.add(machine);
  const [machine, ...others] = machines;
  if (machine === undefined) throw notFound(`no boot of ${name} is on record (kubectl get bootrecords shows what is)`);
  if (others.length > 0) {
    const some = [...machines].slice(0, NAMED).join(", ");
    throw usage(`${name} fits ${machines.size} machines: ${some}${machines.size > NAMED ? ", …" : ""}`);
  }
  const found = await select(client, `${MACHINE_LABEL}=${machine}`);
  if (found.length === 0) throw notFound(`no boot of ${machine} is on record`);
  return inOrder(found);
}

/** The label selector that a name is found by; undefined: by none. */
function labelOf(name: string): string | undefined {
  const mac = parseMac(name);
  if (mac !== undefined) return macLabel(formatMac(mac));
  const ipv4 = parseIpv4(name);
  if (ipv4 !== undefined) return addressLabel(formatIpv4(ipv4));
  const ipv6 = parseIpv6(name);
  if (ipv6 !== undefined) return addressLabel(formatIpv6(ipv6));
  const lower = name.toLowerCase();
  return lower !== "" && labelValue(lower).length === 0 ? `${MACHINE_LABEL}=${lower}` : undefined;
}

async function select(client: Client, labelSelector: string): Promise<BootRecord[]> {
  return (await client.for(BootRecord).listAll({ labelSelector })).items;
}

/** All boots of the machine of a record: an address, say, is known of some of them only. */
async function boots(client: Client, { spec, ...record }: BootRecord): Promise<BootRecord[]> {
  const found = await select(client, `${MACHINE_LABEL}=${spec.machine}`).catch(() => []);
  return found.length === 0 ? [{ spec, ...record }] : inOrder(found);
}

/** Names of machines without Server whose name or UUID begins so. */
async function unregistered(client: Client, beginning: string): Promise<Set<string>> {
  const machines = new Set<string>();
  for (let next: string | undefined; next !== "";) {
    const page = await client.for(BootRecord).list({ limit: PAGE, ...(next === undefined ? {} : { continue: next }) });
    for (const { spec } of page.items) {
      if (spec.machine.startsWith(beginning) || spec.uuid?.startsWith(beginning)) machines.add(spec.machine);
    }
    next = page.metadata.continue ?? "";
  }
  return machines;
}

function inOrder(records: readonly BootRecord[]): BootRecord[] {
  return records.toSorted((a, b) => Date.parse(startOf(a)) - Date.parse(startOf(b)));
}

function newest(records: readonly BootRecord[]): BootRecord {
  return records.toSorted((a, b) => Date.parse(lastOf(a)) - Date.parse(lastOf(b))).at(-1)!;
}

function startOf({ status, metadata }: BootRecord): string {
  return status?.startedAt ?? metadata.creationTimestamp ?? "";
}

function lastOf(record: BootRecord): string {
  return record.status?.lastSeenAt ?? startOf(record);
}

function notFound(message: string): Fault {
  return new Fault("cli.not-found", message, { fault: "caller", retry: "later" });
}

function usage(message: string): Fault {
  return new Fault("cli.usage", message, { fault: "caller", retry: "never" });
}
