/** Interfaces of the v1alpha1 document (facts §5.8). */
import { isObject } from "#std/json.ts";
import type { Json, JsonObject } from "#std/json.ts";
import { at } from "../document/document.ts";
import type { Subject } from "./subject.ts";
import { isEmpty } from "./subject.ts";

export function interfaceProblems({ legacy, isControlPlane, options: { mode } }: Subject): string[] {
  const list = at(legacy, "machine", "network", "interfaces");
  if (!Array.isArray(list)) return [];
  if (mode === "container" && list.length > 0) return ["machine.network.interfaces: a container has those of its host"];
  return list.flatMap((entry: Json, i) => (isObject(entry) ? problemsOf(entry, i, isControlPlane) : []));
}

function problemsOf(entry: JsonObject, i: number, isControlPlane: boolean): string[] {
  const place = `machine.network.interfaces[${i}]`;
  const has = (name: string): boolean => !isEmpty(entry[name]);
  const vlans = Array.isArray(entry["vlans"]) ? entry["vlans"] : [];
  const hasVip = has("vip") || vlans.some((vlan) => isObject(vlan) && !isEmpty(vlan["vip"]));
  const members = (kind: string, ...names: string[]): boolean => names.every((name) => !isEmpty(at(entry, kind, name)));
  return [
    ...(!isControlPlane && hasVip ? [`${place}: a worker must not have a vip`] : []),
    ...(has("interface") === has("deviceSelector") ? [`${place}: it needs either interface or deviceSelector`] : []),
    ...(has("bond") && has("bridge") ? [`${place}: it is either a bond or a bridge`] : []),
    ...(members("bond", "interfaces", "deviceSelectors")
      ? [`${place}.bond: its members are named either by interfaces or by deviceSelectors`]
      : []),
  ];
}
