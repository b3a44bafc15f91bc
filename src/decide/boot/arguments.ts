/** The kernel arguments that a machine boots with: the agent's, and those that every Environment gets beside its own. */
import type { Environment } from "#kinds/metal/v1alpha2/environment.ts";
import { type Argument, defaultArguments, overrideArguments, parseArguments } from "#wire/ipxe/argument.ts";
import { kernelArgs } from "../environment/asset.ts";
import type { BootArchitecture } from "./asker.ts";

/** What the initial RAM disk is called in memory; under UEFI the kernel looks for it by this name. */
export const INITRD = "initramfs.xz";

const CONFIG = "talos.config";

export interface AgentCommandLine {
  readonly architecture: BootArchitecture;
  /** The NIC the machine booted from; the agent tries them all where it is unknown. */
  readonly mac?: string | undefined;
  /** `host:port` where it calls. */
  readonly endpoint: string;
  readonly token: string;
  /** Take the place of built-in ones with the same key. */
  readonly extra: readonly Argument[];
}

export function agentArguments({ architecture, mac, endpoint, token, extra }: AgentCommandLine): Argument[] {
  const serial = architecture === "arm64" ? "ttyAMA0" : "ttyS0,115200";
  const own = [
    ...parseArguments(`console=tty0 console=${serial} consoleblank=0 printk.devkmsg=on nvme_core.io_timeout=4294967295`),
    ...parseArguments(`initrd=${INITRD} panic=30`),
    ...(mac === undefined ? [] : [{ key: "sidero.mac", value: mac }]),
    { key: "sidero.endpoint", value: endpoint },
    { key: "sidero.token", value: token },
  ];
  return overrideArguments(own, extra);
}

export interface SideroLinkEnd {
  /** Of Sidero in the WireGuard network, with brackets if it is of IPv6. */
  readonly host: string;
  /** What `siderolink.api` says (`linkUrl` of decide/link); the endpoint alone, without a join token, when it is left out. */
  readonly api?: string;
  /** WireGuard by the same connection as the call (`linkUrl`). */
  readonly overGrpc?: boolean;
}

/**
 * Where a machine asks for its configuration: `/configdata` of whatever host. One that an Environment names by another name is ours all the same; a stranger
 * could do nothing with a token that counts only from the machine's own address.
 */
const CONFIG_URL = /^(https?:\/\/[^/?#\s]+\/configdata)(?:\?([^#]*))?(#.*)?$/;

/**
 * The Environment's own arguments, and after them those it does not have itself. `endpoint` is `host:port`; without `sideroLink` the machine is
 * not told of SideroLink at all: Talos would wait for it.
 */
export function environmentArguments(
  environment: Environment,
  architecture: BootArchitecture,
  endpoint: string,
  sideroLink: SideroLinkEnd | undefined,
): Argument[] {
  // Upstream writes them one after the other: one entry may hold several.
  const own = parseArguments(kernelArgs(environment, architecture).join(" "));
  const link =
    sideroLink === undefined
      ? []
      : [
          { key: "siderolink.api", value: sideroLink.api ?? endpoint },
          { key: "talos.logging.kernel", value: `tcp://${sideroLink.host}:4001` },
          { key: "talos.events.sink", value: `${sideroLink.host}:4002` },
        ];
  return defaultArguments(own, [
    { key: "initrd", value: INITRD },
    // Talos fills in the UUID itself.
    { key: CONFIG, value: `http://${endpoint}/configdata?uuid=` },
    ...link,
  ]);
}

/** Where other systems ask, in whatever argument that is: `ds=nocloud;s=http://host/cloud/nocloud/`. */
const CLOUD_URL = /(https?:\/\/[^/?#\s;,'"]+\/cloud)(?=$|[/\s;,'"\]}])/g;

/** Whether the machine will ask us for its configuration. */
export function asksForConfig(all: readonly Argument[]): boolean {
  return all.some(
    ({ key, value }) => value !== undefined && ((key === CONFIG && CONFIG_URL.test(value)) || value.search(CLOUD_URL) >= 0),
  );
}

/** The arguments with the boot's token wherever they say where the configuration is; the rest of the URL stays as it was written. */
export function withToken(all: readonly Argument[], token: string): Argument[] {
  return all.map((argument) => {
    const { key, value } = argument;
    if (value === undefined) return argument;
    const [, place, query = "", rest = ""] = (key === CONFIG && CONFIG_URL.exec(value)) || [];
    if (place === undefined) return { key, value: value.replaceAll(CLOUD_URL, `$1/${token}`) };
    const kept = query.split("&").filter((part) => part !== "" && !/^token(=|$)/.test(part));
    return { key, value: `${place}?${[...kept, `token=${token}`].join("&")}${rest}` };
  });
}
