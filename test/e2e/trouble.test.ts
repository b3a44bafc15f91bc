/** What goes wrong is seen: in the BootRecord, on the machine's own console, and in `sidero timeline`. When it is mended, the machine goes on. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { describe } from "../../lab/description.ts";
import { startDnsmasq } from "../../lab/dnsmasq.ts";
import { IMAGE } from "../../lab/peers.ts";
import { recorded, siteFor, skip, timeline, written } from "./fixture.ts";

/** Seconds to the first script, and from one script to the next, at leisure. */
const SCRIPT = 6;

/** A machine that is accepted and allocated, and so is to boot an Environment; its interface is on record, as if it had been in the agent. */
function allocated(uuid: string, mac: string, environment: string): string {
  return `
apiVersion: metal.sidero.dev/v1alpha2
kind: Server
metadata: { name: ${uuid} }
spec: { accepted: true, environmentRef: { name: ${environment} }, hardware: { network: { interfaces: [{ mac: "${mac}" }] } } }
---
apiVersion: infrastructure.cluster.x-k8s.io/v1alpha3
kind: ServerBinding
metadata: { name: ${uuid} }
spec: { metalMachineRef: { apiVersion: infrastructure.cluster.x-k8s.io/v1alpha3, kind: MetalMachine, namespace: default, name: m } }
`;
}

/** Its files are those of the agent, which Sidero itself serves. */
function environment(name: string, kernelDigest: string): string {
  return `
apiVersion: metal.sidero.dev/v1alpha2
kind: Environment
metadata: { name: ${name} }
spec:
  kernel:
    url: http://10.77.0.1:8081/env/agent-amd64/vmlinuz
    sha512: "${kernelDigest}"
    args: [console=ttyS0, no_timer_check, initrd=initramfs.xz]
  initrd: { url: "http://10.77.0.1:8081/env/agent-amd64/initramfs.xz" }
`;
}

test("a missing Environment, Sidero gone and back, a wrong checksum, and all well in the end", { skip }, async (context) => {
  const site = await siteFor(context, "trouble", { machines: [describe(1)], dhcp: "server" });
  const machine = site.machines[0]!;
  const uuid = machine.description.uuid!;
  const waitsFor = (what: RegExp, seconds: number): Promise<unknown> =>
    recorded(site, machine, String(what), seconds, ({ status }) => what.test(status?.waitingFor?.what ?? ""));

  await site.sidero.apply(allocated(uuid, machine.description.nics[0]!.mac, "metal"));
  await machine.on();
  await waitsFor(/there is no Environment "metal"/, SCRIPT);
  await written(machine, /there is no Environment "metal"/, SCRIPT);

  await site.sidero.stop("SIGKILL");
  await written(machine, /\/ipxe\.\.\. Connection/, SCRIPT);
  await site.restart();
  await site.sidero.apply(environment("metal", "0".repeat(128)));
  await waitsFor(/vmlinuz: the SHA-512 is .*, not 000/, 2 * SCRIPT);

  const digest = createHash("sha512")
    .update(await readFile(join(IMAGE, "vmlinuz-amd64")))
    .digest("hex");
  await site.sidero.apply(environment("metal", digest));
  await written(machine, /Command line: .* talos\.config=http:\/\/10\.77\.0\.1:8081\/configdata\?uuid=/, 3 * SCRIPT);

  const text = await timeline(site, machine);
  assert.match(text, /there is no Environment/);
  assert.match(text, /not listening/, "the gap is explained");
  assert.match(text, /vmlinuz/);
});

test("a second DHCP server is named", { skip }, async (context) => {
  const site = await siteFor(context, "rival", { machines: [describe(1)], dhcp: "server" });
  const machine = site.machines[0]!;
  const rival = await startDnsmasq(site.network, {
    namespace: await site.network.annex(3),
    interface: "eth0",
    range: ["10.77.0.200", "10.77.0.220"],
    lines: ["dhcp-boot=rival.ipxe,,10.77.0.3"],
  });
  context.after(() => rival.stop());

  await machine.on();
  const { status } = await recorded(site, machine, "another DHCP server", SCRIPT, (record) =>
    record.status!.sightings!.some(({ what }) => what === "dhcp.other-server"),
  );
  const seen = status!.sightings!.find(({ what }) => what === "dhcp.other-server");
  assert.match(seen!.text, /10\.77\.0\.3\b/);
  assert.match(await timeline(site, machine), /10\.77\.0\.3\b/);
});
