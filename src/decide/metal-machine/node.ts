/**
 * The machine's Node in the workload cluster: Cluster API finds it by spec.providerID alone. Talos' kubelet is told its own; where it was not
 * (an older configuration), the Node that carries the Server's name as a label is given it, as upstream does.
 */
import type { KubeObject } from "#schema/meta.ts";
import { providerIdOf, serverOf } from "./binding.ts";
import type { MetalMachineEffect } from "./effect.ts";
import type { ObservedMetalMachine } from "./observed.ts";
import { type Conditions, PROVIDER_SET } from "./status.ts";

/** Label of Nodes: name of the Server. */
export const UUID_LABEL = "metal.sidero.dev/uuid";

/** Of a Node, the Server's name: by the label that Sidero has Talos put there, or by what the kubelet was told. */
export function serverOfNode({
  metadata,
  spec,
}: KubeObject & { readonly spec?: { readonly providerID?: string } }): string | undefined {
  return metadata.labels?.[UUID_LABEL] ?? serverOf(spec?.providerID);
}

export function nodeOf(
  { machine, cluster, nodes: seen }: ObservedMetalMachine,
  server: string,
  conditions: Conditions,
): MetalMachineEffect | undefined {
  if (seen === undefined || cluster === undefined) return undefined;
  const { nodes, problem } = seen;
  const providerID = providerIdOf(server);
  const say = (message: string) =>
    conditions.say({ type: PROVIDER_SET, status: "False", reason: "ProviderUpdateFailed", message, severity: "Warning" });
  // What was seen once stays true while nobody can look, and when the Node goes: that is Cluster API's to judge.
  const isSet = conditions.find(PROVIDER_SET)?.status === "True";
  if (nodes === undefined || problem !== undefined) {
    if (!isSet) say(`cluster ${cluster.name} cannot be reached${problem === undefined ? " yet" : `: ${problem}`}`);
    return undefined;
  }
  if (nodes.length === 0 && isSet) return undefined;
  if (nodes.length === 0) return void say(`no Node has the providerID ${providerID} or the label ${UUID_LABEL}=${server}`);
  const [node] = nodes;
  if (node === undefined || nodes.length > 1) {
    const names = nodes.map(({ name }) => name).toSorted();
    return void say(`several Nodes are of Server ${server}: ${names.join(", ")}`);
  }
  if (node.providerID !== undefined && node.providerID !== "" && node.providerID !== providerID)
    return void say(`Node ${node.name} has the providerID ${node.providerID} instead of ${providerID}`);
  conditions.say({ type: PROVIDER_SET, status: "True", reason: "ProviderSet" });
  if (node.providerID === providerID) return undefined;
  const { namespace = "" } = machine.metadata;
  return { do: "set-provider", cluster: { namespace, name: cluster.name }, node: node.name, providerID };
}
