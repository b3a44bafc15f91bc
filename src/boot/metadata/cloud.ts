/**
 * `/cloud/<token>/…`: the same facts for systems other than Talos, as cloud-init and Ignition read them. `nocloud/` is NoCloud's seed, `openstack/` OpenStack's metadata
 * tree, `user-data` the bootstrap data alone, as it is: patches of Servers and classes are of Talos' configuration. The token is part of the path, because such
 * programs put what they ask for behind the URL that they were given.
 */
import { CLUSTER_LABEL } from "#decide/lifecycle/server.ts";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import { parseUuid } from "#std/uuid.ts";
import { bootstrapDataOf } from "./chain.ts";
import type { Admitted, Gate, GateOptions } from "./gate.ts";
import { type Answer, STARTING } from "./route.ts";

/** Versions of OpenStack's tree that cloud-init looks for; all have the same here. */
const VERSIONS = ["2018-08-27", "2016-10-06", "2015-10-15", "latest"];
const TEXT = "text/plain; charset=utf-8";
const JSON_TYPE = "application/json";

interface Leaf {
  readonly type: string;
  /** `data`: the bootstrap data, asked for by those alone that need it. */
  read(admitted: Admitted, data: () => Promise<Buffer>): Buffer | Promise<Buffer>;
}

const json = (facts: (admitted: Admitted) => unknown): Leaf => ({
  type: JSON_TYPE,
  read: (admitted) => Buffer.from(`${JSON.stringify(facts(admitted), undefined, 1)}\n`),
});
const text = (make: (admitted: Admitted) => string): Leaf => ({ type: TEXT, read: (admitted) => Buffer.from(make(admitted)) });
const userData: Leaf = { type: "application/octet-stream", read: (_, data) => data() };

const OPENSTACK: ReadonlyMap<string, Leaf> = new Map([
  ["meta_data.json", json(metaData)],
  ["user_data", userData],
  ["vendor_data.json", json(() => ({}))],
  ["network_data.json", json(networkData)],
]);
const LEAVES: ReadonlyMap<string, Leaf> = new Map([
  ["user-data", userData],
  ["nocloud/user-data", userData],
  ["nocloud/vendor-data", text(() => "")],
  ["nocloud/meta-data", text(seedMetaData)],
  ["openstack", text(() => VERSIONS.map((version) => `${version}\n`).join(""))],
  ...VERSIONS.flatMap((version) => [...OPENSTACK].map(([file, leaf]) => [`openstack/${version}/${file}`, leaf] as const)),
]);

/** `path`: what stands behind `/cloud/`, decoded. Rejects with the Faults of the API only. */
export function createCloudRoute(
  { metadata, inventory, clock, witness }: GateOptions,
  gate: Gate,
): (path: readonly string[], address: string) => Promise<Answer> {
  return async ([shown = "", ...path], address) => {
    const leaf = LEAVES.get(path.filter((segment) => segment !== "").join("/"));
    if (leaf === undefined) return { is: "unheard", status: 404, because: "not found" };
    if (!inventory.isComplete) return STARTING;
    // Where the door is open a UUID is enough.
    const isUuid = metadata.isOpen && parseUuid(shown) !== undefined;
    const question = isUuid ? { address, uuid: shown.toLowerCase() } : { address, token: shown };
    return gate.pass(question, async (admitted) => {
      const { binding, of } = admitted;
      const data = async (): Promise<Buffer> => {
        const bytes = Buffer.from((await bootstrapDataOf(binding, metadata.port)).value, "base64");
        await gate.record(admitted, []);
        witness({
          of,
          at: clock.now(),
          what: "config.served",
          text: `got its user data, ${bytes.length} bytes`,
          bytes: bytes.length,
        });
        return bytes;
      };
      return { is: "served", text: await leaf.read(admitted, data), type: leaf.type };
    });
  };
}

/** Another allocation is another instance: cloud-init does everything anew. */
function instanceOf({ binding }: Admitted): string {
  return binding.metadata.uid ?? "";
}

function nameOf({ binding, server }: Admitted): string {
  return binding.spec?.metalMachineRef.name ?? server.metadata.name ?? "";
}

/** JSON is YAML: nothing in it needs quoting that JSON does not quote. */
function seedMetaData(admitted: Admitted): string {
  return `${JSON.stringify({ "instance-id": instanceOf(admitted), "local-hostname": nameOf(admitted), ...factsOf(admitted) }, undefined, 1)}\n`;
}

function metaData(admitted: Admitted): unknown {
  const name = nameOf(admitted);
  return { uuid: instanceOf(admitted), name, hostname: name, meta: factsOf(admitted), public_keys: {} };
}

function factsOf({ server, binding }: Admitted): Readonly<Record<string, string>> {
  const cluster = binding.metadata.labels?.[CLUSTER_LABEL];
  const uuid = server.metadata.name ?? "";
  return { "server-uuid": uuid, "provider-id": `sidero://${uuid}`, ...(cluster && { "cluster-name": cluster }) };
}

/** Every interface asks by DHCP, as it did to get here. */
function networkData({ server }: Admitted): unknown {
  const links = linksOf(server);
  const networks = links.map(({ id }) => ({ id: `dhcp-${id}`, type: "ipv4_dhcp", link: id }));
  return { links, networks, services: [] };
}

function linksOf({ spec }: Server): { id: string; type: "phy"; ethernet_mac_address: string }[] {
  const interfaces = spec?.hardware?.network?.interfaces ?? [];
  const macs = [...new Set(interfaces.flatMap(({ mac }) => (mac ? [mac.toLowerCase()] : [])))];
  return macs.map((mac, i) => ({ id: `link${i}`, type: "phy", ethernet_mac_address: mac }));
}
