/** What iproute2 (busybox's) is told to carry out a plan on one interface. */
import type { NetworkPlan, StaticAddress } from "./plan.ts";

/** The interface that carries addresses: the one that was booted from, or its VLAN. */
export function carrierOf(plan: NetworkPlan, device: string): string {
  return plan.vlan === undefined ? device : `${device}.${plan.vlan}`;
}

/** Programs with their arguments, in order. The first is always safe to repeat; failures are for the log. */
export function linkCommands(plan: NetworkPlan, device: string): string[][] {
  const carrier = carrierOf(plan, device);
  const commands = [["ip", "link", "set", device, "up"]];
  if (plan.mtu !== undefined) commands.push(["ip", "link", "set", device, "mtu", String(plan.mtu)]);
  if (plan.vlan !== undefined) {
    commands.push(["modprobe", "8021q"]);
    commands.push(["ip", "link", "add", "link", device, "name", carrier, "type", "vlan", "id", String(plan.vlan)]);
    commands.push(["ip", "link", "set", carrier, "up"]);
  }
  if (plan.ipv4.how === "static") commands.push(...staticCommands("-4", plan.ipv4, carrier));
  if (plan.ipv6.how === "static") commands.push(...staticCommands("-6", plan.ipv6, carrier));
  if (plan.ipv4.how === "dhcp") commands.push(dhcpCommand(carrier));
  for (const { to, via } of plan.routes) {
    commands.push(["ip", via.includes(":") ? "-6" : "-4", "route", "replace", to, "via", via, "dev", carrier]);
  }
  if (plan.hostname !== undefined) commands.push(["hostname", plan.hostname]);
  if (plan.nameservers.length > 0) {
    const lines = plan.nameservers.map((address) => `nameserver ${address}`);
    commands.push(["sh", "-c", 'printf "%s\\n" "$@" >/run/resolv.conf', "sh", ...lines]);
  }
  return commands;
}

function staticCommands(family: "-4" | "-6", { cidr, gateway }: StaticAddress, carrier: string): string[][] {
  const address = ["ip", family, "addr", "add", cidr, "dev", carrier];
  const route = (via: string): string[] => ["ip", family, "route", "replace", "default", "via", via, "dev", carrier];
  return gateway === undefined ? [address] : [address, route(gateway)];
}

/**
 * Asks every second at first, every five later, for ever, and renews. It runs on beside us, so it must not hold our pipes. Options 121, 26,
 * 119 and 12 are asked for by their names.
 */
function dhcpCommand(carrier: string): string[] {
  const wanted = ["staticroutes", "mtu", "search", "hostname"].flatMap((option) => ["-O", option]);
  const udhcpc = ["-i", carrier, "-f", "-t", "5", "-T", "1", "-A", "5", "-V", "sidero-agent", ...wanted];
  return ["sh", "-c", 'udhcpc "$@" </dev/null >/dev/null 2>&1 &', "udhcpc", ...udhcpc];
}
