/**
 * What peers may reach. Not one another, nor what is behind this host, whatever it forwards otherwise: a rule of the routing table, which needs nothing but
 * `ip`, holds what comes out of the tunnel. Where there is nftables, nobody else's packets go into it either, and of this host only the ports that are for
 * peers can be reached.
 */
import { Fault } from "#std/fault.ts";
import type { TunnelOptions } from "../../tunnel.ts";
import { run } from "./run.ts";

export interface Guard {
  /** What could not be had. */
  readonly lacks?: string;
  /** Never rejects. */
  remove(): Promise<void>;
}

/** After the rule for what is for this host itself (0), before everything that anyone else adds. */
const PREFERENCE = "1";

/** Rejects with Fault `io.no-tunnel` when peers could not be kept apart. */
export async function addGuard(options: Pick<TunnelOptions, "name" | "open">): Promise<Guard> {
  const { name } = options;
  await removeRules(name);
  await run("ip", ["-6", "rule", "add", "pref", PREFERENCE, "iif", name, "prohibit"]);
  const refused = await run("nft", ["-f", "/dev/stdin"], tableText(options)).then(
    () => undefined,
    (error: unknown) => Fault.from(error).message,
  );
  return {
    ...(refused === undefined ? {} : { lacks: `peers can reach every port of this host: ${refused}` }),
    remove: async () => {
      await removeRules(name);
      await run("nft", ["delete", "table", "inet", tableOf(name)]).catch(() => {});
    },
  };
}

/** Those of earlier processes as well: as many as there are, until there is none. */
async function removeRules(name: string): Promise<void> {
  const one = ["-6", "rule", "delete", "pref", PREFERENCE, "iif", name, "prohibit"];
  while (
    await run("ip", one).then(
      () => true,
      () => false,
    )
  );
}

function tableOf(name: string): string {
  return `sidero-${name}`;
}

/** In one transaction: the table as it is to be, instead of one that may be there. */
function tableText({ name, open }: Pick<TunnelOptions, "name" | "open">): string {
  const table = `inet ${tableOf(name)}`;
  const ports = (protocol: string, list: readonly number[]): string =>
    list.length === 0 ? "" : `    iifname "${name}" ${protocol} dport { ${list.join(", ")} } accept\n`;
  const input =
    open === undefined
      ? ""
      : `  chain input {
    type filter hook input priority filter - 5; policy accept;
    iifname != "${name}" accept
    ct state established,related accept
    meta l4proto ipv6-icmp accept
${ports("tcp", open.tcp)}${ports("udp", open.udp)}    drop
  }
`;
  return `table ${table} {}
delete table ${table}
table ${table} {
  chain forward {
    type filter hook forward priority filter - 5; policy accept;
    iifname "${name}" drop
    oifname "${name}" drop
  }
${input}}
`;
}
