/**
 * The script that tools/ipxe-build.sh builds in, in real iPXE on SeaBIOS and OVMF, on a network whose DHCP names nothing but the next server and
 * a file: it comes to `/ipxe` of that server. SIDERO_IPXE_BUILD=FOLDER boots a build of our own; without it, Debian's iPXE gets the
 * script by TFTP.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { inside } from "../../lab/command.ts";
import { describe, macOf } from "../../lab/description.ts";
import { QUICK_IPXE, startDnsmasq } from "../../lab/dnsmasq.ts";
import { createRack } from "../../lab/rack.ts";
import { bringLab, locateIpxe, withoutPeer } from "../peers/locate.ts";
import { type Child, start, waitFor } from "../peers/process.ts";

const skip = withoutPeer("lab", "ipxe");
const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const BUILT = process.env["SIDERO_IPXE_BUILD"];
/** Without the first line, which ipxe-serve.ts writes. A build of ours must not need what it is served. */
const SCRIPT =
  BUILT === undefined
    ? execFileSync(process.execPath, [path("../../tools/ipxe-script.ts")], { encoding: "utf8" }).replace("#!ipxe\n", "")
    : "exit 1";
/** The iPXE of QEMU's NIC loads the one that is meant. */
const LOAD = "chain tftp://10.77.0.1/plain/undionly.kpxe";

/** Resolves to what the machine asked the boot handler, once it has. */
async function reach(context: TestContext, firmware: "bios" | "uefi", scripts: readonly string[]): Promise<string> {
  bringLab();
  const rack = await createRack([describe(1, { firmware })]);
  const [machine] = rack.machines;
  context.after(async () => {
    if (!context.passed) console.error(machine!.serial.tail(80));
    await rack.close();
  });
  const { namespace, address } = rack.network;
  const run = async (ready: string, ...args: string[]): Promise<Child> => {
    const child = start(...inside(namespace, process.execPath, args));
    context.after(() => child.stop());
    await waitFor(child, args[0]!, 20_000, () => (child.log().includes(ready) ? true : undefined));
    return child;
  };
  await run("ready", path("../boot/ipxe-serve.ts"), address, BUILT ?? locateIpxe(), ...scripts);
  const server = await run("serving", path("../boot/http-serve.ts"), address, "8081");
  const dnsmasq = await startDnsmasq(rack.network, {
    namespace,
    interface: "rack",
    range: ["10.77.0.50", "10.77.0.60"],
    lines: [...QUICK_IPXE, `dhcp-boot=${firmware === "bios" ? "undionly.kpxe" : "snp.efi"},,${address}`],
  });
  context.after(() => dnsmasq.stop());
  await machine!.on();
  const line = await waitFor(
    server,
    "a request for a script",
    120_000,
    () => /^\{.*"script\.served".*\}$/m.exec(server.log())?.[0],
  );
  const { of } = JSON.parse(line) as { of: { mac: string; uuid: string } };
  assert.deepEqual([of.mac, of.uuid], [macOf(1), machine!.description.uuid]);
  return dnsmasq.log();
}

test("UEFI: with the address it has", { skip, timeout: 180_000 }, async (context) => {
  await reach(context, "uefi", [SCRIPT]);
});

test("BIOS: with no interface up, by link, DHCP and the next server it names", { skip, timeout: 180_000 }, async (context) => {
  const log = await reach(context, "bios", [LOAD, BUILT === undefined ? `ifclose\n${SCRIPT}` : SCRIPT]);
  if (BUILT === undefined) assert.equal(log.match(/DHCPACK/g)!.length, 3, "by the NIC's iPXE, by ours, by the script");
});
