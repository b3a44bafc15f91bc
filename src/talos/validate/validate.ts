/** What Talos would refuse of a configuration, as far as it can be told without the machine: `talosctl validate` (facts §5.8). */
import { labelKey, labelValue } from "#schema/names.ts";
import { isObject } from "#std/json.ts";
import type { Json } from "#std/json.ts";
import { at, v1alpha1Of } from "../document/document.ts";
import type { MachineConfig } from "../document/document.ts";
import { clusterProblems } from "./cluster.ts";
import { conflicts } from "./conflicts.ts";
import { installProblems } from "./install.ts";
import { interfaceProblems } from "./network.ts";
import type { Subject, ValidateOptions } from "./subject.ts";
import { isEmpty } from "./subject.ts";

/** Sentences that name places, never values. */
export interface Verdict {
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
}

const TYPES = new Set(["init", "controlplane", "worker", "join", ""]);

export function validateConfig(config: MachineConfig, options: ValidateOptions): Verdict {
  const legacy = v1alpha1Of(config)?.value;
  if (legacy === undefined || !isObject(legacy["machine"])) return { errors: ["machine: it is missing"], warnings: [] };
  const type = at(legacy, "machine", "type") ?? "";
  if (typeof type !== "string" || !TYPES.has(type))
    return { errors: ["machine.type: it is none of init, controlplane, worker"], warnings: [] };
  const isControlPlane = type === "init" || type === "controlplane";
  const subject = { config, legacy, isControlPlane, options };
  const warnings = type === "init" ? ["machine.type: init is deprecated, use controlplane and bootstrap the cluster"] : [];
  const errors = [
    ...machineProblems(subject),
    ...installProblems(subject),
    ...interfaceProblems(subject),
    ...clusterProblems(subject),
    ...conflicts(config, legacy),
  ];
  return options.strict === true ? { errors: [...errors, ...warnings], warnings: [] } : { errors, warnings };
}

function machineProblems({ config, legacy, isControlPlane }: Subject): string[] {
  const [crt, key] = [at(legacy, "machine", "ca", "crt"), at(legacy, "machine", "ca", "key")];
  const documents = config.documents.map(({ value }) => value);
  const resolver = documents.find((value) => value["kind"] === "ResolverConfig");
  return [
    ...(isControlPlane && isEmpty(key) ? ["machine.ca.key: a control plane machine needs it"] : []),
    ...(!isControlPlane && !isEmpty(key) ? ["machine.ca.key: a worker must not have it"] : []),
    ...(isEmpty(crt) && isEmpty(at(legacy, "machine", "acceptedCAs"))
      ? ["machine.ca.crt: it is missing, and there are no acceptedCAs"]
      : []),
    ...labelProblems("machine.nodeLabels", at(legacy, "machine", "nodeLabels")),
    ...documents
      .filter((value) => value["kind"] === "KubeNodeConfig")
      .flatMap((value) => labelProblems("KubeNodeConfig: labels", value["labels"])),
    ...hostDnsProblems("machine.features.hostDNS", at(legacy, "machine", "features", "hostDNS")),
    ...hostDnsProblems("ResolverConfig: hostDNS", resolver?.["hostDNS"]),
  ];
}

/** Kubernetes' own rules: with a label that it does not take the node never registers. */
function labelProblems(place: string, labels: Json | undefined): string[] {
  if (!isObject(labels)) return [];
  return Object.entries(labels).flatMap(([key, value]) => {
    const isWrong = labelKey(key).length > 0 || (typeof value === "string" && labelValue(value).length > 0);
    return isWrong ? [`${place}: ${JSON.stringify(key)} is no label of Kubernetes, or its value is none`] : [];
  });
}

function hostDnsProblems(place: string, hostDns: Json | undefined): string[] {
  if (!isObject(hostDns) || hostDns["forwardKubeDNSToHost"] !== true || hostDns["enabled"] === true) return [];
  return [`${place}.forwardKubeDNSToHost: it needs enabled to be true`];
}
