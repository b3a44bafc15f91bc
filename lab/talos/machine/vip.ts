/** Addresses that control plane machines share: the one with etcd takes them (facts §5.4 `vip`, `Layer2VIPConfig`). */
import { isGlobal } from "#agent/steps/network/up.ts";
import type { Host } from "./host.ts";
import type { SharedAddress } from "../../../sim/talos/facts.ts";

export async function takeShared(host: Host, shared: readonly SharedAddress[]): Promise<void> {
  const { machine, say, taken } = host;
  for (const { ip, interface: wanted } of shared) {
    const own = machine.addresses().filter(isGlobal);
    const device = own.find((each) => each.interface === wanted)?.interface ?? own[0]?.interface;
    if (device === undefined || taken.has(ip)) continue;
    taken.add(ip);
    await machine.run("ip", ["addr", "add", `${ip}/${ip.includes(":") ? 128 : 32}`, "dev", device]);
    // Neighbours that knew another owner.
    if (!ip.includes(":")) await machine.run("/run/busybox", ["arping", "-U", "-c", "2", "-w", "1", "-I", device, ip]);
    say(`assigned shared IP ${ip} on ${device}`);
  }
}
