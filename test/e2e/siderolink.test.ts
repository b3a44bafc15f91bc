/**
 * A machine tells by SideroLink how it installs itself, on a network that lets none of WireGuard's packets through: they go by gRPC. In the machine it is the kernel's own
 * WireGuard, here wireguard-go or the kernel's, and its events become conditions. (By UDP: the three machines of `cluster.test.ts`.)
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import type { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import { createCluster, isReady, offerTalos } from "../../lab/cluster.ts";
import { inside, output } from "../../lab/command.ts";
import { accept, configureBmc } from "../../lab/demo/clean-up.ts";
import type { Network } from "../../lab/network.ts";
import { bmcOf, describe } from "../../lab/description.ts";
import { bring, bringStandIn } from "../../lab/peers.ts";
import { patience, recorded, served, siteFor, skip, written } from "./fixture.ts";

/** Seconds at leisure. */
const REGISTER = 20;
const WIPE = 40;
const INSTALL = 60;
const CLUSTER = 120;

const MACHINE = describe(1, {
  bmc: bmcOf(1),
  first: "disk",
  disks: [{ model: "virtio-blk-pci", gibibytes: 1, serial: "DISK1" }],
});

/** Lets no packet for WireGuard through; resolves to how many of them there have been. */
async function blockWireguard({ namespace }: Network): Promise<() => Promise<number>> {
  const rules = [
    "add table inet wall",
    "add chain inet wall first { type filter hook prerouting priority -300; }",
    "add rule inet wall first iifname rack udp dport 51821 counter drop",
  ];
  await output(...inside(namespace, "nft", [rules.join("; ")]));
  return async () =>
    Number(/packets (\d+)/.exec(await output(...inside(namespace, "nft", ["list", "table", "inet", "wall"])))![1]);
}

test(
  "with UDP blocked: a tunnel by gRPC from the boot script's arguments, and events from install to running",
  { skip },
  async (context) => {
    bringStandIn();
    const flags = { "auto-bmc-setup": "false", siderolink: "true", "wireguard-over-grpc": "true" };
    const site = await siteFor(context, "siderolink", { machines: [MACHINE], dhcp: "server", flags });
    const { sidero, network } = site;
    const blocked = await blockWireguard(network);
    const neighbour = await network.annex(9);
    await output(...inside(neighbour, "bash", ["-c", "echo hello > /dev/udp/10.77.0.1/51821"]));
    const control = await blocked();
    assert.ok(control > 0, "the wall holds");
    const [machine] = site.machines;
    const uuid = MACHINE.uuid!;
    await machine!.bootNext("network");
    await machine!.on();
    await recorded(site, machine!, "its registration", REGISTER, ({ status }) => status?.phase === "registered");
    await configureBmc(sidero, machine!, site.bmcs.get(machine!)!);
    await accept(sidero, machine!);
    await served(site, machine!, "wipe", WIPE, ({ status }) => status?.phase === "Available" && status.power === "off");

    const files = await offerTalos(site, bringStandIn());
    context.after(() => files.stop());
    const cluster = await createCluster(site, bring().kubectl, {
      name: "lab",
      workers: 0,
      talosVersion: "v1.13.2",
      disk: "/dev/vda",
    });
    const binding = async (): Promise<ServerBinding> =>
      JSON.parse(await sidero.kubectl("get", "serverbinding", uuid, "-o", "json")) as ServerBinding;
    const until = async (what: string, seconds: number, look: () => Promise<boolean>): Promise<void> => {
      for (const deadline = performance.now() + patience(seconds); ; await setTimeout(500)) {
        if (await look().catch(() => false)) return;
        assert.ok(performance.now() < deadline, `${what} does not come: ${JSON.stringify(await binding(), undefined, 1)}`);
      }
    };

    // From the arguments of the boot script, before there is any system on its disk.
    await written(machine!, /siderolink: fd[\da-f:]+\/64 by gRPC/, INSTALL);
    const { siderolink } = (await binding()).spec!;
    const address = siderolink!.address.split("/")[0]!;
    assert.match(address, /^fd/);
    await until("that it has installed itself", INSTALL, async () =>
      ((await binding()).status?.conditions ?? []).some(({ type, status }) => type === "TalosInstalled" && status === "True"),
    );
    assert.match((await binding()).spec?.addresses?.join() ?? "", /10\.77\.0\.1\d\d/);

    await until("a ready Node", CLUSTER, async () => (await cluster.nodes()).some(isReady));
    // The first two are said by the boot from disk.
    const { status } = await binding();
    for (const type of ["TalosConfigLoaded", "TalosConfigValidated", "TalosInstalled"])
      assert.equal(status?.conditions?.find((each) => each.type === type)?.status, "True", type);
    // Started from its disk it has another key, and the same address.
    const again = (await binding()).spec!.siderolink!;
    assert.equal(again.address, siderolink!.address);
    await output(...inside(network.namespace, "ping", ["-c", "1", "-W", "10", address]));
    const reasons = await sidero.kubectl("get", "events", "-A", "-o", "jsonpath={.items[*].reason}");
    for (const reason of ["TalosInstalling", "TalosInstalled", "TalosBooting"])
      assert.match(reasons, new RegExp(`\\b${reason}\\b`));
    // Of both boots, from the kernel's first word on.
    const log = await sidero.run("logs", uuid, "--lines", "all", "--kubeconfig", sidero.kubeconfig);
    assert.equal(log.match(/Linux version 6\./g)?.length, 2, log.slice(0, 4000));
    const peers = async (): Promise<string> => output(...inside(network.namespace, "wg", ["show", "siderolink", "peers"]));
    assert.equal((await peers()).trim(), again.publicKey);
    const endpoints = await output(...inside(network.namespace, "wg", ["show", "siderolink", "endpoints"]));
    assert.match(endpoints, /\t127\.0\.0\.1:\d+/);
    assert.equal(await blocked(), control, "the machine has not tried by UDP");

    await cluster.run("delete", "--yes", "--no-wait");
    await until("the end of its peer", INSTALL, async () => (await peers()).trim() === "");
  },
);
