/**
 * How parts of documents merge, where it is not the ordinary way (facts §5.7). A place is the keys to it from the top of its document;
 * items of a list count as `*`. Documents that are not here merge in the ordinary way, whatever fields they have.
 */
import { equal, isObject, own } from "#std/json.ts";
import type { Json, JsonObject } from "#std/json.ts";
import type { Identity } from "../document/document.ts";

export type Rule =
  /** Ordinary: scalars are taken over, mappings merge key by key, lists grow. */
  | { readonly kind: "ordinary" }
  /** The patch's value takes the place of what was there. */
  | { readonly kind: "replace" }
  /** Items of the list that are the same thing merge; others are appended. */
  | { readonly kind: "keyed"; readonly isSame: (a: JsonObject, b: JsonObject) => boolean }
  /** Arguments: each key of the patch takes the place of that key. */
  | { readonly kind: "arguments" }
  /** Free form: as ordinary, but a value keeps its type. */
  | { readonly kind: "free" };

const ORDINARY: Rule = { kind: "ordinary" };
const REPLACE: Rule = { kind: "replace" };
const ARGUMENTS: Rule = { kind: "arguments" };
const FREE: Rule = { kind: "free" };

function by(...keys: readonly string[]): Rule {
  return {
    kind: "keyed",
    isSame: (a, b) =>
      keys.some((key) => {
        const ours = own(a, key);
        return !isAbsent(ours) && equal(ours, own(b, key));
      }),
  };
}

function isAbsent(value: Json | undefined): boolean {
  return value === undefined || value === null || value === "";
}

const V1ALPHA1: Readonly<Record<string, Rule>> = {
  "cluster.network.podSubnets": REPLACE,
  "cluster.network.serviceSubnets": REPLACE,
  "cluster.apiServer.auditPolicy": REPLACE,
  "cluster.apiServer.admissionControl": by("name"),
  "cluster.apiServer.admissionControl.*.configuration": FREE,
  "cluster.scheduler.config": FREE,
  "machine.kubelet.extraConfig": FREE,
  "machine.network.interfaces": by("interface", "deviceSelector"),
  "machine.network.interfaces.*.vlans": by("vlanId"),
};

const RULE_CONFIG = { ingress: REPLACE, "portSelector.ports": REPLACE };

const KINDS: Readonly<Record<string, Readonly<Record<string, Rule>>>> = {
  KubeNetworkConfig: { podSubnets: REPLACE, serviceSubnets: REPLACE },
  KubeAuditPolicyConfig: { configuration: REPLACE },
  KubeAuthenticationConfig: { configuration: REPLACE },
  KubeCredentialProviderConfig: { configuration: REPLACE },
  KubeAdmissionControlConfig: { configuration: FREE },
  KubeStaticPodConfig: { pod: REPLACE },
  KubeletConfig: { config: FREE },
  KubeSchedulerConfig: { config: FREE },
  KubeProxyConfig: { config: FREE },
  CRIBaseRuntimeSpecConfig: { overrides: REPLACE },
  NetworkRuleConfig: RULE_CONFIG,
  RuleConfig: RULE_CONFIG,
  BGPInstanceConfig: { advertise: REPLACE, importRoutes: REPLACE, neighbors: REPLACE },
  ExtensionServiceConfig: { configFiles: by("mountPath") },
  ImageVerificationConfig: { rules: by("image") },
};

const NONE: Readonly<Record<string, Rule>> = {};

/** The rule of a place in a document; below a free-form value everything is free. */
export function ruleOf(identity: Identity, place: readonly string[], above: Rule): Rule {
  if (above.kind === "free") return above;
  if (place.at(-1) === "extraArgs") return ARGUMENTS;
  const rules = identity.kind === "" ? V1ALPHA1 : Object.hasOwn(KINDS, identity.kind) ? KINDS[identity.kind]! : NONE;
  const key = place.join(".");
  return Object.hasOwn(rules, key) ? rules[key]! : ORDINARY;
}

export { ORDINARY };

/** The item of `list` that `item` is about; -1 when there is none. */
export function findSame(rule: Rule, list: readonly Json[], item: Json): number {
  if (rule.kind !== "keyed" || !isObject(item)) return -1;
  return list.findIndex((candidate) => isObject(candidate) && rule.isSame(item, candidate));
}
