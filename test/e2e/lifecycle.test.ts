/** Accepted machines are wiped by order and rest clean and off: really, on real firmware, by BMCs that nobody here made. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import type { Server, WipedDisk } from "#kinds/metal/v1alpha2/server.ts";
import { accept, configureBmc } from "../../lab/demo/clean-up.ts";
import { bmcOf, describe, type Disk } from "../../lab/description.ts";
import { followServers, isServerOf } from "../../lab/life.ts";
import type { Machine } from "../../lab/machine.ts";
import type { Site } from "../../lab/site.ts";
import { historyOf, openConsole, recorded, served, siteFor, skip, timeline, written } from "./fixture.ts";

/** Seconds at leisure: from the power button to a Server, to the agent at work, and what a BMC takes to be switched off by. */
const REGISTER = 20;
const WIPE = 40;

/** Small, so that every block of it can be looked at. */
const disk = (model: Disk["model"], serial: string): Disk => ({ model, serial, gibibytes: 1 });

/** As whoever stands in front of it: F12, network. */
async function register(site: Site, machine: Machine): Promise<void> {
  await machine.bootNext("network");
  await machine.on();
  await recorded(site, machine, "its registration", REGISTER, ({ status }) => status?.phase === "registered");
}

function isClean({ status }: Server): boolean {
  return status?.phase === "Available" && status.isClean === true && status.power === "off" && status.waiting === undefined;
}

/** What its erase record says, and what is on its disks. */
async function assertErased(machine: Machine, { status }: Server, by: string): Promise<void> {
  const { wipe } = status!;
  assert.equal(wipe?.state, "done");
  assert.equal(wipe.by, by);
  for (const [index, { serial }] of machine.description.disks.entries()) {
    const record: WipedDisk | undefined = wipe.disks?.find((each) => each.serial === serial);
    assert.equal(record?.state, "done", `${serial}: ${JSON.stringify(wipe.disks)}`);
    assert.equal(record.verified, true);
    assert.equal(record.bytes, machine.disks[index]!.bytes);
    assert.deepEqual(await machine.disks[index]!.remains(), [], `${serial}, from outside`);
  }
  assert.equal(machine.isOn, false);
}

async function fill(machine: Machine): Promise<void> {
  for (const image of machine.disks) await image.fill();
}

test("a machine with a BMC: accepted, wiped, off; claimed, booted; released, wiped again, off", { skip }, async (context) => {
  const machines = [
    describe(1, { bmc: bmcOf(1), first: "disk", disks: [disk("virtio-blk-pci", "DISK1"), disk("ide-hd", "DISK2")] }),
  ];
  const site = await siteFor(context, "lifecycle", { machines, dhcp: "server", flags: { "auto-bmc-setup": "false" } });
  const machine = site.machines[0]!;
  const bmc = site.bmcs.get(machine)!;
  const uuid = machine.description.uuid!;
  const servers: Server[] = [];
  const watching = followServers(site.sidero, (server) => isServerOf(server, machine) && servers.push(server));
  context.after(() => watching.stop());
  await fill(machine);
  await register(site, machine);
  await machine.off();

  // Nothing has been ordered, and nothing has been touched.
  const before = machine.disks.map((image) => image.remains());
  for (const remains of await Promise.all(before)) assert.equal(remains.length, 544);

  await configureBmc(site.sidero, machine, bmc);
  const console = await openConsole(context, site, machine);
  await accept(site.sidero, machine);
  const clean = await served(site, machine, "wipe by its BMC", REGISTER + WIPE, isClean);
  await assertErased(machine, clean, "acceptance");
  assert.ok(bmc.orders.includes("chassis set boot pxe"), bmc.orders.join("\n"));
  for (const seen of [/SeaBIOS/, /iPXE/, /Linux version/, /\[sidero\]/])
    assert.ok(seen.test(console.text()), `${seen} on the console: ${console.text().slice(-2000)}`);
  console.type("\r~.");
  await console.closed;
  context.diagnostic(historyOf(servers).join("\n"));
  for (const phase of ["Discovered", "Wiping", "Available"])
    assert.ok(
      servers.some(({ status }) => status?.phase === phase),
      `it was ${phase}`,
    );
  for (const { status } of servers.filter(({ status: each }) => each?.phase === "Wiping" && each.wipe?.state === "ordered"))
    assert.ok(status?.waiting !== undefined, "every wait is explained");
  const { status } = clean;
  assert.equal(status?.bmc?.protocol, "ipmi");

  // It verifies the signature, too.
  const certificate = await site.sidero.run("certificate", uuid, "--kubeconfig", site.sidero.kubeconfig);
  for (const part of ["DISK1", "DISK2", status.wipe!.id]) assert.ok(certificate.includes(part), certificate);

  await site.sidero.apply(environment());
  await site.sidero.apply(binding(uuid));
  await written(machine, /Command line: .* talos\.config=/, REGISTER);
  await served(site, machine, "allocation", 5, (server) => server.status?.inUse === true);
  // What it is used for leaves something on its disks.
  await fill(machine);
  const order = status?.wipe?.id;
  await site.sidero.kubectl("delete", "serverbinding", uuid);
  const released = (server: Server): boolean => isClean(server) && server.status?.wipe?.id !== order;
  await assertErased(machine, await served(site, machine, "wipe when released", REGISTER + WIPE, released), "release");
  context.diagnostic(historyOf(servers).join("\n"));
  const text = await timeline(site, machine);
  for (const part of [/wipe/i, /power/i]) assert.match(text, part);
});

test("an adopted machine: its power is Sidero's, its disks are not", { skip }, async (context) => {
  const machines = [describe(1, { bmc: bmcOf(1), first: "disk", disks: [disk("virtio-blk-pci", "DISK1")] })];
  const site = await siteFor(context, "adopted", { machines, dhcp: "server" });
  const machine = site.machines[0]!;
  const uuid = machine.description.uuid!;
  const image = machine.disks[0]!;
  const old = new RegExp(image.greeting);
  await fill(machine);
  await machine.on();
  await written(machine, old, 5);

  // Nobody has booted it into an agent: who has taken it into use writes its Server.
  await site.sidero.apply(
    `{ apiVersion: metal.sidero.dev/v1alpha2, kind: Server, metadata: { name: ${uuid} }, spec: { accepted: false, adopt: true } }`,
  );
  await configureBmc(site.sidero, machine, site.bmcs.get(machine)!);
  await accept(site.sidero, machine);
  const powered = (power: string) => (server: Server) => server.status?.phase === "Adopted" && server.status.power === power;
  await served(site, machine, "adoption", 10, powered("on"));
  const sidero = (...args: string[]): Promise<string> => site.sidero.run(...args, "--kubeconfig", site.sidero.kubeconfig);
  const said = await sidero("bmc", uuid);
  for (const part of [
    /BMC +ipmi:\/\/10\.77\.0\.201/,
    /power +on$/m,
    new RegExp(`UUID +${uuid}`),
    /firmware +9\.08/,
    /serial console/,
  ])
    assert.match(said, part);

  await assert.rejects(sidero("request", uuid, "wipe"), /adopted/);
  const { since } = machine;
  await sidero("request", uuid, "power-cycle");
  while (machine.since === since) await setTimeout(50);
  await written(machine, old, 10);
  await served(site, machine, "power after a cycle", 10, ({ status }) => status?.request?.outcome === "done");
  assert.equal((await image.remains()).length, 544);
  const server = await served(site, machine, "rest", 10, powered("on"));
  assert.equal(server.status?.wipe, undefined);
});

test("machines that are in the agent, with BMCs nobody told of; one BMC hangs half way", { skip }, async (context) => {
  const machines = [
    describe(1, { bmc: bmcOf(1), first: "disk", disks: [disk("virtio-blk-pci", "DISK1")] }),
    describe(2, { bmc: bmcOf(2), first: "disk", firmware: "uefi", disks: [disk("nvme", "NVME2")] }),
  ];
  const site = await siteFor(context, "two", { machines, dhcp: "server" });
  const [one, two] = site.machines as [Machine, Machine];
  const bmc = site.bmcs.get(two)!;
  for (const machine of site.machines) await fill(machine);
  await Promise.all(site.machines.map((machine) => register(site, machine)));

  // They are there already: no power cycle, and the BMC is asked by who it was made known by.
  const since = site.machines.map((machine) => machine.since);
  for (const machine of site.machines) await accept(site.sidero, machine);
  for (const [index, machine] of site.machines.entries()) {
    const server = await served(site, machine, "wipe by its agent", WIPE, isClean);
    await assertErased(machine, server, "acceptance");
    assert.equal(machine.since, since[index], "it was not started again");
    assert.equal(server.spec?.bmc?.endpoint, site.bmcs.get(machine)!.address, "its agent has made an account");
    assert.equal(server.status?.bmc?.protocol, "ipmi");
  }

  for (const machine of site.machines) {
    await fill(machine);
    await site.sidero.run("request", machine.description.uuid!, "wipe", "--kubeconfig", site.sidero.kubeconfig);
  }
  // It has been told from where to start, and is not told to start any more.
  while (!bmc.orders.includes("chassis set boot pxe")) await setTimeout(5);
  bmc.freeze();
  const again = (server: Server): boolean => isClean(server) && server.status?.wipe?.by === "request";
  await assertErased(one, await served(site, one, "wipe by request", REGISTER + WIPE, again), "request");
  const hung = await served(site, two, "open breaker", 90, ({ status }) => status?.bmc?.breaker === "open");
  const waits = hung.status?.waiting;
  assert.match(waits?.waitingFor ?? "", /BMC/);
  const why = await site.sidero.run("why", two.description.uuid!, "--kubeconfig", site.sidero.kubeconfig);
  assert.match(why, /BMC/);
  context.diagnostic(JSON.stringify({ waits, bmc: hung.status?.bmc }));
  bmc.thaw();
  await assertErased(two, await served(site, two, "wipe after its BMC has come back", 90 + WIPE, again), "request");
});

/** Its files are those of the agent, which Sidero itself serves: that a kernel comes up is all that is wanted of it. */
function environment(): string {
  return `
apiVersion: metal.sidero.dev/v1alpha2
kind: Environment
metadata: { name: default }
spec:
  kernel:
    url: http://10.77.0.1:8081/env/agent-amd64/vmlinuz
    args: [console=ttyS0, no_timer_check, initrd=initramfs.xz]
  initrd: { url: "http://10.77.0.1:8081/env/agent-amd64/initramfs.xz" }
`;
}

function binding(uuid: string): string {
  return `
apiVersion: infrastructure.cluster.x-k8s.io/v1alpha3
kind: ServerBinding
metadata: { name: ${uuid} }
spec: { metalMachineRef: { apiVersion: infrastructure.cluster.x-k8s.io/v1alpha3, kind: MetalMachine, namespace: default, name: m } }
`;
}
