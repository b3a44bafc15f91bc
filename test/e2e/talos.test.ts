/** What stands in for Talos, by itself: machines that dnsmasq boots, a web server with their configurations, and nothing of Sidero but its client of Talos' API. */
import assert from "node:assert/strict";
import { mkdir, open, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, test } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { inside, output } from "../../lab/command.ts";
import { describe } from "../../lab/description.ts";
import { QUICK_IPXE, startDnsmasq } from "../../lab/dnsmasq.ts";
import { serveFiles } from "../../lab/files.ts";
import type { Machine } from "../../lab/machine.ts";
import { bring, bringStandIn } from "../../lab/peers.ts";
import { createRack } from "../../lab/rack.ts";
import type { Rack } from "../../lab/rack.ts";
import { systemPki } from "#io/node/pki.ts";
import { parseSecrets } from "#talos/secrets-text.ts";
import { issueTalosClient, parseTalosconfig, printTalosconfig } from "#talos/talosconfig.ts";
import { SIDERO } from "../peers/locate.ts";
import { skip, written } from "./fixture.ts";

const ASK = fileURLToPath(new URL("../../lab/talos/ask.ts", import.meta.url));
const LOGS = fileURLToPath(new URL("../../test-results/e2e/talos", import.meta.url));
const SHARED = "10.77.0.50";
/** iPXE itself, so that dnsmasq's script is all there is between the power button and the kernel. */
const UEFI_NIC = { model: "virtio-net-pci", rom: "/usr/lib/ipxe/qemu/efi-virtio.rom", cabled: true } as const;

/** Seconds at leisure: from the power button to being installed, and from a disk to its API. */
const INSTALL = 25;
const BOOT = 20;

before(() => {
  if (skip === false) bringStandIn();
});

interface Stage {
  readonly rack: Rack;
  /** Folder of the web server. */
  readonly www: string;
  /** What sidero gen config has written. */
  readonly made: string;
  /** What the web server has been asked for. */
  asked(): string;
  /** Writes the script that machines boot. */
  script(argument: string): Promise<void>;
  /** The answer of a machine's API; rejects with the code of the fault. */
  ask(talosconfig: string, address: string, call: string, argument?: unknown): Promise<unknown>;
}

async function stageFor(context: TestContext): Promise<Stage> {
  await rm(LOGS, { recursive: true, force: true });
  await mkdir(LOGS, { recursive: true });
  const disk = (model: "virtio-blk-pci" | "nvme", serial: string) => [{ model, gibibytes: 1, serial }];
  const rack = await createRack(
    [
      describe(1, { first: "disk", mebibytes: 768, disks: disk("virtio-blk-pci", "TALOS1") }),
      describe(2, {
        first: "disk",
        firmware: "uefi",
        mebibytes: 768,
        disks: disk("nvme", "TALOS2"),
        nics: [{ ...UEFI_NIC, mac: "52:54:00:00:01:02" }],
      }),
    ],
    LOGS,
  );
  const www = join(rack.network.directory, "www");
  const made = join(rack.network.directory, "made");
  await mkdir(join(www, "configdata"), { recursive: true });
  for (const file of ["vmlinuz-amd64", "initramfs-amd64.xz"]) await symlink(join(bringStandIn(), file), join(www, file));
  const files = await serveFiles(rack.network, 3, www);
  const dnsmasq = await startDnsmasq(rack.network, {
    namespace: await rack.network.annex(2),
    interface: "eth0",
    range: ["10.77.0.60", "10.77.0.99"],
    lines: [`dhcp-boot=${files.url}/boot.ipxe`, ...QUICK_IPXE],
  });
  context.after(async () => {
    if (!context.passed) for (const { serial } of rack.machines) console.error(`${serial.path}\n${serial.tail()}`);
    await dnsmasq.stop();
    await files.stop();
    await rack.close();
  });
  const there = (command: string, ...args: string[]): Promise<string> => output(...inside(rack.network.namespace, command, args));
  return {
    rack,
    www,
    made,
    asked: files.log,
    script: (argument) =>
      writeFile(
        join(www, "boot.ipxe"),
        `#!ipxe
kernel ${files.url}/vmlinuz-amd64 initrd=initramfs-amd64.xz console=ttyS0 no_timer_check quiet talos.platform=metal slab_nomerge pti=on ${argument}
initrd ${files.url}/initramfs-amd64.xz
boot
`,
      ),
    ask: async (talosconfig, address, call, argument) => {
      const json = argument === undefined ? [] : [JSON.stringify(argument)];
      return JSON.parse(await there(process.execPath, ASK, talosconfig, address, call, ...json)) as unknown;
    },
  };
}

async function addressOf(machine: Machine): Promise<string> {
  const { text } = await written(machine, /network: \w+ [\d.]+/, BOOT);
  return /network: \w+ ([\d.]+)/.exec(text)![1]!;
}

/** From the network to the disk, and from the disk with its cable pulled: it comes as far as waiting for a network. */
async function installs(machine: Machine): Promise<void> {
  await machine.bootNext("network");
  await machine.on();
  await written(machine, /install successful/, INSTALL);
  await machine.cable(0, false);
  await written(machine, /is installed on \/dev\//, BOOT);
  await written(machine, /waiting for an address on \w+: there is no link/, BOOT);
  await machine.cable(0, true);
}

test(
  "installed by BIOS and by UEFI, started without a network, bootstrapped to a cluster, and reset",
  { skip },
  async (context) => {
    const stage = await stageFor(context);
    const { rack, www, made, ask } = stage;
    const [first, second] = rack.machines as [Machine, Machine];
    const secrets = join(rack.network.directory, "secrets.yaml");
    const patch = `machine: {network: {interfaces: [{interface: eth0, dhcp: true, vip: {ip: ${SHARED}}}]}, kubelet: {extraArgs: {provider-id: "sidero://one"}}}`;
    await output(SIDERO, ["gen", "secrets", "--output-file", secrets]);
    const common = ["gen", "config", "lab", `https://${SHARED}:6443`, "--with-secrets", secrets, "--output", made];
    const version = ["--talos-version", "v1.13.2", "--install-image", "ghcr.io/siderolabs/installer:v1.13.2"];
    await output(SIDERO, [...common, ...version, "--install-disk", "/dev/vda", "--config-patch-control-plane", patch]);
    const config = async (name: string, disk: string): Promise<string> =>
      (await readFile(join(made, `${name}.yaml`), "utf8")).replace("/dev/vda", disk);
    const talosconfig = join(made, "talosconfig");
    const place = ({ description }: Machine): string => join(www, "configdata", description.uuid!);

    await stage.script("talos.config=http://10.77.0.3/configdata?uuid=");
    await writeFile(place(first), await config("controlplane", "/dev/vda"));
    // What is wrong with a configuration is said, and it is asked for again.
    await writeFile(place(second), (await config("worker", "/dev/nvme0n1")).replace("type: worker", "type: tractor"));
    const mended = written(second, /the configuration is not valid: machine.type/, INSTALL).then(async () =>
      writeFile(place(second), await config("worker", "/dev/nvme0n1")),
    );
    await Promise.all([installs(first), installs(second), mended]);
    assert.match(stage.asked(), new RegExp(`GET|200 /configdata\\?uuid=${first.description.uuid!}`));

    await written(first, /apid is running/, BOOT);
    const address = await addressOf(first);
    assert.deepEqual(await ask(talosconfig, address, "version"), { tag: "v1.13.2", arch: "amd64", platform: "metal" });
    const services = (await ask(talosconfig, address, "services")) as { id: string; state: string }[];
    assert.deepEqual(
      services.filter(({ state }) => state !== "Running").map(({ id, state }) => `${id} ${state}`),
      ["etcd Preparing", "kubelet Waiting"],
    );
    await assert.rejects(ask(talosconfig, address, "etcdMembers"), /talos\.not-ready/);

    // Roles are what the client certificate says.
    const { ca } = parseTalosconfig(await readFile(talosconfig, "utf8"));
    const { certs } = parseSecrets(await readFile(secrets, "utf8"));
    const client = await issueTalosClient(certs.os, { pki: systemPki, now: Date.now() }, ["os:reader"]);
    const reader = join(rack.network.directory, "reader");
    await writeFile(reader, printTalosconfig({ name: "reader", endpoints: [address], ca, client }));
    await ask(reader, address, "version");
    await assert.rejects(ask(reader, address, "bootstrap"), /talos\.denied/);
    await assert.rejects(ask("-", address, "version"), /talos\./, "nobody without a certificate");

    assert.equal(await ask(talosconfig, address, "bootstrap"), "started");
    assert.equal(await ask(talosconfig, address, "bootstrap"), "already");
    const kubeconfig = join(rack.network.directory, "cluster");
    await written(first, /kubelet: the node is registered/, BOOT);
    await written(second, /kubelet: the node is registered/, BOOT);
    await writeFile(kubeconfig, (await ask(talosconfig, address, "kubeconfig")) as string);
    const kubectl = (...args: string[]): Promise<string> =>
      output(...inside(rack.network.namespace, bring().kubectl, ["--kubeconfig", kubeconfig, ...args]));
    const columns =
      "custom-columns=STATUS:.status.conditions[0].status,ROLE:.metadata.labels.node-role\\.kubernetes\\.io/control-plane,ID:.spec.providerID";
    const nodes = async (): Promise<string[]> =>
      (await kubectl("get", "nodes", "--no-headers", "-o", columns))
        .trim()
        .split("\n")
        .map((line) => line.replaceAll(/\s+/g, " "))
        .toSorted();
    assert.deepEqual(await nodes(), ["True <none> <none>", "True sidero://one"].toSorted());
    assert.match(await kubectl("get", "nodes"), /Ready\s+control-plane/);
    const members = (await ask(talosconfig, address, "etcdMembers")) as { hostname: string }[];
    assert.equal(members.length, 1);

    // The certificate of a worker's API is one that trustd has signed.
    const worker = await addressOf(second);
    const authority = join(rack.network.directory, "os.crt");
    await writeFile(authority, ca);
    const verified = await output(
      ...inside(rack.network.namespace, "sh", [
        "-c",
        `openssl s_client -connect ${worker}:50000 -CAfile ${authority} -verify_ip ${worker} -verify_return_error </dev/null 2>&1 || true`,
      ]),
    );
    assert.match(verified, /Verification: OK|Verify return code: 0/);
    await assert.rejects(ask(talosconfig, worker, "bootstrap"), /talos\.refused/);

    // What etcd holds outlives a reboot.
    await ask(talosconfig, address, "reboot");
    await written(first, /is installed on \/dev\//, BOOT);
    await written(first, /kubelet: the node is registered/, BOOT);
    assert.equal((await nodes()).length, 2);

    await ask(talosconfig, worker, "reset", { graceful: false, reboot: false });
    while (second.isOn) await setTimeout(100);
    assert.equal(
      await find(second, ["EFI PART", "machine:", certs.os.certificate.slice(30, 90)]),
      undefined,
      "nothing is left on its disk",
    );
    assert.notEqual(await find(first, ["EFI PART"]), undefined, "which it would have been");

    // Maintenance: whoever reaches it makes it what it is.
    await stage.script("talos.config=none");
    await second.on();
    await written(second, /maintenance mode/, INSTALL);
    const waiting = await addressOf(second);
    await ask("-", waiting, "version");
    await assert.rejects(ask("-", waiting, "bootstrap"), /talos\.refused/);
    await assert.rejects(
      ask("-", waiting, "applyConfiguration", { config: "version: v1alpha1\nmachine: {type: worker}\n" }),
      /talos\.refused/,
    );
    await ask("-", waiting, "applyConfiguration", { config: await config("worker", "/dev/nvme0n1") });
    await written(second, /install successful/, INSTALL);
    await written(second, /kubelet: the node is registered/, BOOT);
    assert.equal((await nodes()).length, 2, "it is the same node as before");
  },
);

/** Where one of the texts stands on a machine's first disk, seen from outside; undefined when none does. */
async function find(machine: Machine, texts: readonly string[]): Promise<number | undefined> {
  const { path, bytes } = machine.disks[0]!;
  const handle = await open(path, "r");
  try {
    const block = Buffer.alloc(1024 * 1024 + 128);
    for (let at = 0; at < bytes; at += 1024 * 1024) {
      const { bytesRead } = await handle.read(block, 0, block.length, at);
      if (texts.some((text) => block.subarray(0, bytesRead).includes(text))) return at;
    }
    return undefined;
  } finally {
    await handle.close();
  }
}
