/** What the settings of network boot change for a machine: `bin/sidero up` in a network namespace, asked from another one. */
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, test } from "node:test";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { fromHex, toHex } from "#std/bytes.ts";
import { decode } from "#wire/dhcp/decode.ts";
import { encode } from "#wire/dhcp/encode.ts";
import type { Packet } from "#wire/dhcp/packet.ts";
import { captured } from "../boot/dhcp-client.ts";
import { Namespace, printed } from "../boot/netns.ts";
import { bringTftpClients, locateKubectl, SIDERO, withoutPeer } from "../peers/locate.ts";
import type { Child } from "../peers/process.ts";
import { temporary } from "./sidero.ts";

const skip = withoutPeer("tftp-clients", "kubectl");
const ASK = fileURLToPath(new URL("../boot/dhcp-ask.ts", import.meta.url));

const UUID = "4c4c4544-0000-4020-8000-525400000001";
const QUERY = `uuid=${UUID}&mac=52-54-00-00-00-01`;
const PREFIX = "SIDERO_CONTROLLER_MANAGER_";

interface Rack {
  readonly sidero: Child;
  /** What curl prints at the machine. */
  curl(...args: string[]): Promise<string>;
  /** Replies to what firmware sends at the machine. */
  firmware(packet: Packet): Promise<Packet[]>;
  kubectl(...args: string[]): Promise<string>;
}

/** Sidero at 10.0.0.1 and fd77::1, with such variables; a machine at 10.0.0.2. What it would boot is there. */
async function rack(context: TestContext, env: Record<string, string> = {}, ...flags: string[]): Promise<Rack> {
  const [server, machine] = [new Namespace(context), new Namespace(context)];
  server.connect("s0", ["10.0.0.1/24", "fd77::1/64"], machine, "m0", ["10.0.0.2/24", "fd77::2/64"]);
  const directory = await temporary(context);
  const [data, image, programs] = ["data", "image", "programs"].map((name) => join(directory, name));
  for (const each of [image!, programs!]) await mkdir(each);
  for (const file of ["vmlinuz-amd64", "initramfs-amd64"]) await writeFile(join(image!, file), file);
  for (const file of ["undionly.kpxe", "snp.efi"]) await writeFile(join(programs!, file), file);
  const sidero = server.start(context, "env", [
    ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
    SIDERO,
    "up",
    `--data=${data}`,
    `--agent-image=${image}`,
    `--boot-programs=${programs}`,
    ...flags,
  ]);
  await printed(sidero, /^ready$/m);
  const kubectl = locateKubectl("1.36");
  return {
    sidero,
    curl: (...args) => machine.run("curl", ["-sg", "--max-time", "10", ...args]),
    firmware: async (packet) => {
      const lines = await machine.run(process.execPath, [ASK, "m0", "255.255.255.255", "67", toHex(encode(packet, 1500))]);
      return lines.split("\n").flatMap((line) => {
        const hex = /^[0-9.]+ ([0-9a-f]+)$/.exec(line)?.[1];
        return hex === undefined ? [] : [decode(fromHex(hex)!)];
      });
    },
    kubectl: (...args) => server.run(kubectl, ["--kubeconfig", join(data!, "kubeconfig"), ...args]),
  };
}

/** Registers the machine as its agent would, with the token of its script. */
async function register({ curl }: Rack, base: string): Promise<string> {
  const token = /sidero\.token=(\S+)/.exec(await curl(`${base}/ipxe?${QUERY}`))![1]!;
  const hardware = JSON.stringify({ hardware: { system: { uuid: UUID, manufacturer: "Acme" } }, hostname: "rack-1" });
  const headers = ["-H", `authorization: Bearer ${token}`, "-H", "content-type: application/json"];
  return curl(...headers, "-d", hardware, `${base}/api.Agent/CreateServer`);
}

before(() => {
  if (skip === false) bringTftpClients();
});

test(
  "without settings: the address that a machine asks at, port 8081, TFTP on 69, proxy DHCP, nothing accepted",
  { skip },
  async (context) => {
    const site = await rack(context);
    const base = "http://10.0.0.1:8081";
    assert.match(await site.curl(`${base}/boot.ipxe`), /chain .* http:\/\/10\.0\.0\.1:8081\/ipxe\?/);
    assert.match(await site.curl("http://[fd77::1]:8081/boot.ipxe"), /chain .* http:\/\/\[fd77::1\]:8081\/ipxe\?/);
    assert.match(await site.curl(`${base}/ipxe?${QUERY}`), / sidero\.endpoint=10\.0\.0\.1:8081 /);
    assert.equal(await site.curl("tftp://10.0.0.1/undionly.kpxe"), "undionly.kpxe");
    assert.match(await site.curl("tftp://10.0.0.1/autoexec.ipxe"), /http:\/\/10\.0\.0\.1:8081\/ipxe\?/);

    const [offer] = await site.firmware(captured("ovmf-pxe-discover"));
    assert.deepEqual([offer?.options.messageType, offer?.yiaddr, offer?.siaddr], ["offer", "0.0.0.0", "10.0.0.1"]);
    assert.match(site.sidero.log(), /DHCP: listening .*interface=s0 mode=proxy/);

    assert.match(await register(site, base), new RegExp(`"server":"${UUID}"`));
    assert.equal(await site.kubectl("get", "server", UUID, "-o", "jsonpath={.spec.accepted} {.spec.hostname}"), "false rack-1");
  },
);

test("API_ENDPOINT, API_PORT, CONTAINER_API_PORT, EXTRA_AGENT_KERNEL_ARGS, AUTO_ACCEPT_SERVERS", { skip }, async (context) => {
  const site = await rack(context, {
    // As upstream's manifest has it where nobody has named an endpoint: the node's address, here one behind a port forwarding.
    [`${PREFIX}API_ENDPOINT`]: "-",
    API_ENDPOINT: "192.0.2.7",
    [`${PREFIX}API_PORT`]: "9090",
    [`${PREFIX}CONTAINER_API_PORT`]: "8089",
    [`${PREFIX}EXTRA_AGENT_KERNEL_ARGS`]: "console=ttyS7 rack.row=3",
    [`${PREFIX}AUTO_ACCEPT_SERVERS`]: "true",
  });
  const base = "http://10.0.0.1:8089";
  assert.match(await site.curl(`${base}/boot.ipxe`), /chain .* http:\/\/192\.0\.2\.7:9090\/ipxe\?/);
  assert.match(await site.curl("-w", "%{errormsg}", "http://10.0.0.1:8081/boot.ipxe"), /connect to 10\.0\.0\.1/);
  const kernel = /^kernel .*$/m.exec(await site.curl(`${base}/ipxe?${QUERY}`))![0];
  assert.match(kernel, / sidero\.endpoint=192\.0\.2\.7:9090 /);
  assert.match(kernel, / rack\.row=3( |$)/);
  assert.deepEqual(kernel.match(/console=\S+/g), ["console=ttyS7"]);
  assert.match(await site.curl("tftp://10.0.0.1/autoexec.ipxe"), /http:\/\/192\.0\.2\.7:9090\/ipxe\?/);

  const [offer] = await site.firmware(captured("ovmf-pxe-discover"));
  assert.deepEqual([offer?.siaddr, offer?.options.tftpServerName], ["192.0.2.7", "192.0.2.7"]);
  const [ipxe] = await site.firmware(captured("undionly-discover"));
  assert.equal(ipxe?.file, "http://192.0.2.7:9090/boot.ipxe");
  assert.match(site.sidero.log(), /the endpoint 192\.0\.2\.7 is no address of this host/);

  await register(site, base);
  assert.equal(await site.kubectl("get", "server", UUID, "-o", "jsonpath={.spec.accepted}"), "true");
});

test("an endpoint of IPv6 is bracketed where it has to be", { skip }, async (context) => {
  const site = await rack(context, { [`${PREFIX}API_ENDPOINT`]: "fd77::1" });
  assert.match(await site.curl("http://10.0.0.1:8081/boot.ipxe"), /chain .* http:\/\/\[fd77::1\]:8081\/ipxe\?/);
  assert.match(await site.curl(`http://10.0.0.1:8081/ipxe?${QUERY}`), / sidero\.endpoint=\[fd77::1\]:8081 /);
});

test("BOOT_FROM_DISK_METHOD, where Server and ServerClass say nothing; DISABLE_DHCP_PROXY", { skip }, async (context) => {
  const settings = { [`${PREFIX}BOOT_FROM_DISK_METHOD`]: "ipxe-sanboot", [`${PREFIX}DISABLE_DHCP_PROXY`]: "true" };
  const site = await rack(context, settings);
  assert.deepEqual(await site.firmware(captured("ovmf-pxe-discover")), []);
  assert.doesNotMatch(site.sidero.log(), /DHCP: listening/);

  const base = "http://10.0.0.1:8081";
  await register(site, base);
  const file = join(await temporary(context), "binding.yaml");
  await writeFile(
    file,
    JSON.stringify({
      apiVersion: "infrastructure.cluster.x-k8s.io/v1alpha3",
      kind: "ServerBinding",
      metadata: { name: UUID },
      spec: { metalMachineRef: { kind: "MetalMachine", namespace: "default", name: "m" } },
    }),
  );
  assert.match(await site.kubectl("apply", "-f", file), /created/);
  const conditions = [{ type: "PXEBooted", status: "True", lastTransitionTime: "2030-01-01T00:00:00Z" }];
  const installed = JSON.stringify({ status: { conditions } });
  assert.match(await site.kubectl("patch", "server", UUID, "--subresource=status", "--type=merge", "-p", installed), /patched/);
  await eventually(async () => assert.match(await site.curl(`${base}/ipxe?${QUERY}`), /^sanboot .*--drive 128 /m));

  const own = JSON.stringify({ spec: { bootFromDiskMethod: "http-404" } });
  assert.match(await site.kubectl("patch", "server", UUID, "--type=merge", "-p", own), /patched/);
  await eventually(async () => assert.equal(await site.curl("-w", "%{http_code}", `${base}/ipxe?${QUERY}`), "404"));
});

/** Scripts follow the API's caches, a moment behind. */
async function eventually(check: () => Promise<void>): Promise<void> {
  for (let left = 20; ; left--) {
    try {
      return await check();
    } catch (error) {
      if (left === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
