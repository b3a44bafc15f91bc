/** From a machine that is held to the Secret with its bootstrap data, by upstream's chain and with upstream's codes (sidero.md §6). */
import type { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import { noConfig } from "./fault.ts";
import type { MetadataPort, Secret } from "./port.ts";

export interface BootstrapData {
  readonly uid: string;
  readonly resourceVersion: string;
  /** As the Secret has it: base 64. */
  readonly value: string;
}

const CLUSTER_API = /^cluster\.x-k8s\.io\/(v[a-z0-9]+)$/;

/** Rejects with Fault `boot.config`, and with those of the API. */
export async function bootstrapDataOf({ spec }: ServerBinding, port: MetadataPort): Promise<BootstrapData> {
  const { namespace = "", name = "" } = spec?.metalMachineRef ?? {};
  const where = `MetalMachine ${namespace}/${name}`;
  const metalMachine = name === "" || namespace === "" ? undefined : await port.metalMachine(namespace, name);
  if (metalMachine === undefined) throw noConfig(500, "missing", `there is no ${where}`);
  const owner = metalMachine.metadata.ownerReferences?.find(
    ({ kind, apiVersion }) => kind === "Machine" && CLUSTER_API.test(apiVersion),
  );
  if (owner === undefined) throw noConfig(500, "missing", `${where} has no Machine for an owner`);
  const machine = await port.machine(CLUSTER_API.exec(owner.apiVersion)![1]!, namespace, owner.name);
  if (machine === undefined) throw noConfig(500, "missing", `there is no Machine ${namespace}/${owner.name}`);
  const secretName = machine.spec?.bootstrap?.dataSecretName;
  if (!secretName) throw noConfig(404, "missing", `Machine ${namespace}/${owner.name} has no bootstrap data yet`);
  const secret = await port.secret(namespace, secretName);
  const value = secret === undefined ? undefined : valueOf(secret);
  if (secret === undefined || value === undefined)
    throw noConfig(404, "missing", `the bootstrap data of Machine ${namespace}/${owner.name} is not there`);
  const { uid = "", resourceVersion = "" } = secret.metadata;
  return { uid, resourceVersion, value };
}

function valueOf({ data }: Secret): string | undefined {
  return data !== undefined && Object.hasOwn(data, "value") ? data["value"] : undefined;
}
