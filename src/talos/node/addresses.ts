/** Addresses that a configuration gives to the machine itself: where it can be asked whether it is installed. Those that machines share are none of them. */
import { isObject, own } from "#std/json.ts";
import type { Json, JsonObject } from "#std/json.ts";
import type { MachineConfig } from "../document/document.ts";
import { at, v1alpha1Of } from "../document/document.ts";

/** Documents of one link each, whose `addresses` are `[{address: <CIDR>}]`. */
const LINKS: ReadonlySet<string> = new Set(["LinkConfig", "BondConfig", "BridgeConfig", "VLANConfig"]);
const MOST = 32;

/** Without prefix lengths, each once. */
export function addressesIn(config: MachineConfig): string[] {
  const interfaces = listOf(at(v1alpha1Of(config)?.value ?? {}, "machine", "network", "interfaces"));
  const legacy = interfaces
    .flatMap((each) => [each, ...listOf(own(each, "vlans"))])
    .flatMap((link) => textsOf(own(link, "addresses"), own(link, "cidr")));
  const links = config.documents.filter(({ identity }) => LINKS.has(identity.kind));
  const own14 = links.flatMap(({ value }) => listOf(own(value, "addresses"))).flatMap((entry) => textsOf(own(entry, "address")));
  return [...new Set([...legacy, ...own14].map((text) => text.replace(/\/.*$/s, "")))]
    .filter((text) => /^[0-9a-fA-F.:]{3,45}$/.test(text))
    .slice(0, MOST);
}

function listOf(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function textsOf(...values: readonly (Json | undefined)[]): string[] {
  return values.flat().filter((value) => typeof value === "string");
}
