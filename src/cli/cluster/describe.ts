/** `sidero cluster describe`: a cluster as a tree, with what each part waits for and what can be done about it. */
import type { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import type { Condition } from "#kinds/condition.ts";
import { CONTROL_PLANE, DEPLOYMENT_NAME } from "#kinds/cluster/keys.ts";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import { findCondition } from "#schema/condition.ts";
import type { KubeObject } from "#schema/meta.ts";
import { spanText } from "../boot-text.ts";
import type { Terminal } from "../terminal.ts";
import type { MachineDeployment } from "#kinds/cluster/v1beta2/machine-deployment.ts";
import { membersOf } from "./members.ts";
import type { ClusterName, Members } from "./members.ts";
import { treeLines } from "./tree.ts";
import type { Branch } from "./tree.ts";

/** Rejects as `findCluster`. `all`: machines that are as they should be are listed one by one. */
export async function describe(name: ClusterName, all: boolean, { client, print, style, now }: Terminal): Promise<void> {
  const members = await membersOf(client, name);
  for (const line of treeLines(clusterBranch(members, { all, now: now() }), style)) print(line);
}

interface View {
  readonly all: boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** The whole cluster. */
export function clusterBranch(members: Members, view: View): Branch {
  const { cluster, metalCluster, controlPlane, deployments, machines } = members;
  const { host, port } = cluster.spec?.controlPlaneEndpoint ?? {};
  const where = host === undefined ? "no endpoint yet" : `https://${host.includes(":") ? `[${host}]` : host}:${port}`;
  const isDeleting = cluster.metadata.deletionTimestamp !== undefined;
  const shown = new Set([
    ...(controlPlane === undefined ? [] : controlPlaneMachines(members)),
    ...deployments.flatMap((deployment) => machinesOf(deployment, members)),
  ]);
  const rest = machines.filter((machine) => !shown.has(machine));
  return {
    title: `Cluster ${cluster.metadata.namespace}/${cluster.metadata.name}`,
    ...judged(cluster, "Available", view, [
      cluster.status?.phase ?? "Pending",
      where,
      cluster.spec?.paused === true ? "paused" : "",
    ]),
    ...(isDeleting ? { state: "waiting" as const } : {}),
    children: [
      ...(metalCluster === undefined
        ? []
        : [plainBranch("MetalCluster", metalCluster, metalCluster.status?.ready === true, view)]),
      ...(controlPlane === undefined ? [] : [controlPlaneBranch(members, view)]),
      ...deployments.map((deployment) => deploymentBranch(deployment, members, view)),
      ...machineBranches(rest, members, view),
    ],
  };
}

function controlPlaneMachines({ machines }: Members): Machine[] {
  return machines.filter(({ metadata }) => metadata.labels !== undefined && Object.hasOwn(metadata.labels, CONTROL_PLANE));
}

function machinesOf(deployment: MachineDeployment, { machines }: Members): Machine[] {
  return machines.filter(({ metadata }) => metadata.labels?.[DEPLOYMENT_NAME] === deployment.metadata.name);
}

function plainBranch(kind: string, object: KubeObject, isReady: boolean, view: View): Branch {
  if (isReady) return { title: `${kind} ${object.metadata.name}`, state: "good", text: "ready" };
  return { title: `${kind} ${object.metadata.name}`, ...judged(object, "Ready", view, ["not ready"]) };
}

function controlPlaneBranch(members: Members, view: View): Branch {
  const controlPlane = members.controlPlane!;
  const { replicas = 1 } = controlPlane.spec ?? {};
  const { readyReplicas = 0, waiting, version } = controlPlane.status ?? {};
  const machines = controlPlaneMachines(members);
  const waits =
    waiting === undefined
      ? []
      : [
          `waits for ${waiting.waitingFor}, ${span(waiting.since, view.now)} already (${waiting.reason})`,
          ...(waiting.next === undefined ? [] : [`then: ${waiting.next}`]),
          ...(waiting.remedy === undefined ? [] : [`you can ${waiting.remedy}`]),
        ];
  const isGood = readyReplicas >= replicas && waiting === undefined;
  return {
    title: `TalosControlPlane ${controlPlane.metadata.name}`,
    state: isGood ? "good" : "waiting",
    text: `${readyReplicas} of ${replicas} ready${versions(version, controlPlane.spec?.version)}`,
    notes: isGood ? [] : [...waits, ...(waits.length > 0 ? [] : failing(controlPlane, view))],
    children: machineBranches(machines, members, view),
  };
}

function deploymentBranch(deployment: MachineDeployment, members: Members, view: View): Branch {
  const { name = "" } = deployment.metadata;
  const { replicas = 1, template } = deployment.spec ?? {};
  const { readyReplicas = 0, upToDateReplicas = 0 } = deployment.status ?? {};
  const machines = machinesOf(deployment, members);
  const isGood = readyReplicas >= replicas && upToDateReplicas >= replicas && machines.length === replicas;
  const outdated = upToDateReplicas < replicas ? `, ${upToDateReplicas} up to date` : "";
  return {
    title: `MachineDeployment ${name}`,
    state: isGood ? "good" : "waiting",
    text: `${readyReplicas} of ${replicas} ready${outdated}${versions(template?.spec?.version, undefined)}`,
    notes: isGood ? [] : failing(deployment, view),
    children: machineBranches(machines, members, view),
  };
}

function versions(now: string | undefined, wanted: string | undefined): string {
  const shown = now ?? wanted;
  if (shown === undefined || shown === "") return "";
  return `, Kubernetes ${shown}${wanted === undefined || now === undefined || now === wanted ? "" : ` on the way to ${wanted}`}`;
}

/** Those that are as they should be stand together, unless all are asked for. */
function machineBranches(machines: readonly Machine[], members: Members, view: View): Branch[] {
  const branches = machines.map((machine) => machineBranch(machine, members, view));
  const good = branches.filter(({ state }) => state === "good");
  if (view.all || good.length < 2) return branches;
  const names = good.map(({ title }) => title.replace("Machine ", ""));
  const shown = names.length > 6 ? [...names.slice(0, 5), `${names.length - 5} more`] : names;
  return [
    ...branches.filter(({ state }) => state !== "good"),
    { title: `${good.length} Machines`, state: "good", text: `ready: ${shown.join(", ")}` },
  ];
}

function machineBranch(machine: Machine, members: Members, view: View): Branch {
  const { name = "", deletionTimestamp } = machine.metadata;
  const { phase = "Pending", nodeRef, addresses = [] } = machine.status ?? {};
  const metal = members.metalMachines.get(machine.spec?.infrastructureRef.name ?? "");
  const config = members.configs.get(machine.spec?.bootstrap.configRef?.name ?? "");
  const server = members.servers.get(metal?.spec?.serverRef?.name ?? "");
  const address = addresses.find(({ type }) => type === "InternalIP" || type === "ExternalIP")?.address;
  const facts = [phase, nodeRef === undefined ? "" : `node ${nodeRef.name}`, address ?? "", server?.metadata.name ?? ""];
  const own = judged(machine, "Ready", view, facts);
  const state = deletionTimestamp === undefined ? own.state : "waiting";
  if (state === "good") return { title: `Machine ${name}`, state, text: own.text };
  const children = [
    ...(config?.status?.initialization?.dataSecretCreated === true || config === undefined
      ? []
      : [plainBranch("TalosConfig", config, false, view)]),
    ...(metal === undefined ? [] : [plainBranch("MetalMachine", metal, metal.status?.ready === true, view)]),
    ...(server === undefined ? [] : [serverBranch(server, view)]),
  ];
  // What a child says in full need not be said twice.
  const isTold = children.some((child) => child.state !== "good");
  return { title: `Machine ${name}`, state, text: own.text, notes: isTold ? [] : own.notes, children };
}

function serverBranch({ metadata, status }: Server, { now }: View): Branch {
  const { phase = "unknown", power = "unknown", waiting } = status ?? {};
  const notes =
    waiting === undefined
      ? []
      : [
          `waits for ${waiting.waitingFor}, ${span(waiting.since, now)} already${until(waiting.deadline, now)}`,
          ...(waiting.next === undefined ? [] : [`then: ${waiting.next}`]),
          ...(waiting.remedy === undefined ? [] : [`you can ${waiting.remedy}`]),
        ];
  const isLate = waiting?.deadline !== undefined && Date.parse(waiting.deadline) < now;
  const state = phase === "Failed" || isLate ? "bad" : waiting === undefined ? "good" : "waiting";
  return { title: `Server ${metadata.name}`, state, text: `${phase}, power ${power}`, notes };
}

/** By a condition that sums the object up. */
function judged(
  object: KubeObject,
  type: "Ready" | "Available",
  view: View,
  facts: readonly string[],
): Pick<Branch, "state" | "text"> & { readonly notes: readonly string[] } {
  const conditions = conditionsOf(object);
  const summary = findCondition(conditions, type);
  const text = facts.filter((fact) => fact !== "").join(", ");
  if (summary?.status === "True") return { state: "good", text, notes: [] };
  const isBad = conditions.some(({ status, severity }) => status === "False" && severity === "Error");
  return { state: isBad ? "bad" : "waiting", text, notes: failing(object, view) };
}

/** Conditions in which False, or Unknown, is nothing to wait for. */
const QUIET: ReadonlySet<string> = new Set(["Paused", "Deleting", "RollingOut", "ScalingUp", "ScalingDown", "Remediating"]);
const MOST_NOTES = 6;

/** What is not so, and why; the summaries only when nothing else says it. */
function failing(object: KubeObject, { now }: View): string[] {
  const open = conditionsOf(object).filter(({ type, status }) => status !== "True" && !QUIET.has(type));
  const parts = open.filter(({ type }) => type !== "Ready" && type !== "Available");
  const told = (parts.length > 0 ? parts : open).map(({ type, reason, message, lastTransitionTime }) => {
    const why = [reason, firstLines(message)].filter((text) => text !== undefined && text !== "").join(": ");
    return `${type}${why === "" ? "" : `: ${why}`} (${span(lastTransitionTime, now)} ago)`;
  });
  const more = told.length > MOST_NOTES ? [`and ${told.length - MOST_NOTES} more`] : [];
  return [...told.slice(0, MOST_NOTES), ...more];
}

/** Summaries list what they sum up, one a line. */
function firstLines(message = ""): string {
  const lines = message.split("\n").map((line) => line.replace(/^\s*\*\s*/, "").trim());
  return lines
    .filter((line) => line !== "")
    .slice(0, 3)
    .join("; ")
    .replaceAll(":; ", ": ");
}

function conditionsOf(object: KubeObject): readonly Condition[] {
  const status = object["status"] as { readonly conditions?: readonly Condition[] } | undefined;
  return status?.conditions ?? [];
}

function span(since: string, now: number): string {
  return spanText(Math.max(0, now - Date.parse(since)));
}

function until(deadline: string | undefined, now: number): string {
  if (deadline === undefined) return "";
  const left = Date.parse(deadline) - now;
  return left < 0 ? `, which should have been over ${spanText(-left)} ago` : `, ${spanText(left)} more at most`;
}
