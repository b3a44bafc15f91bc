/** The lab by itself, with nothing of Sidero in it: firmware, iPXE and dnsmasq come up, and nothing is left over. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { output } from "../../lab/command.ts";
import { describe, macOf } from "../../lab/description.ts";
import { QUICK_IPXE, startDnsmasq } from "../../lab/dnsmasq.ts";
import { createNetwork } from "../../lab/network.ts";
import { createRack } from "../../lab/rack.ts";
import { bringLab, withoutPeer } from "../peers/locate.ts";

const skip = withoutPeer("lab");
before(() => void (skip || bringLab()));

const SCRIPT = "#!ipxe\necho HELLO ${netX/mac} ${platform} ${uuid} ${serial} END\nsleep 100\n";

test("a machine boots from the network, again and again", { skip }, async (context) => {
  const rack = await createRack([describe(1)]);
  context.after(() => rack.close());
  const directory = join(rack.network.directory, "tftp");
  await mkdir(directory);
  await writeFile(join(directory, "hello.ipxe"), SCRIPT);
  const dnsmasq = await startDnsmasq(rack.network, {
    namespace: await rack.network.annex(2),
    interface: "eth0",
    range: ["10.77.0.50", "10.77.0.99"],
    lines: ["enable-tftp", `tftp-root=${directory}`, "dhcp-boot=hello.ipxe", ...QUICK_IPXE],
  });
  context.after(() => dnsmasq.stop());

  const machine = rack.machines[0]!;
  await machine.on();
  const hello = await machine.serial.until(/HELLO .* END/, 60);
  assert.ok(hello.text.includes(`${macOf(1)} pcbios ${machine.description.uuid} LAB0001`), hello.text);
  await machine.reset();
  await machine.serial.until(/HELLO/, 60);
  await machine.off();
  assert.equal(machine.isOn, false);
});

test("a killed lab leaves nothing running, and the next one clears away after it", { skip, timeout: 30_000 }, async (context) => {
  const rack = new URL("../../lab/rack.ts", import.meta.url).href;
  const description = new URL("../../lab/description.ts", import.meta.url).href;
  const program = `
    const { createRack } = await import(${JSON.stringify(rack)});
    const { describe } = await import(${JSON.stringify(description)});
    const { network, machines } = await createRack([describe(1)]);
    await machines[0].on();
    console.log(network.namespace);`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const namespace = line.toString().trim();
  assert.notEqual(await output("ip", ["netns", "pids", namespace]), "", "the machine runs");
  child.kill("SIGKILL");
  await once(child, "close");
  while ((await output("ip", ["netns", "pids", namespace])) !== "") await setTimeout(20);

  const network = await createNetwork();
  context.after(() => network.close());
  const names = await readdir("/run/netns");
  assert.ok(names.includes(network.namespace) && !names.includes(namespace));
});
