/** `bin/sidero sim` for `bin/sidero up`: simulated machines on real sockets, as people use them to try a configuration. */
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { systemClock as clock } from "#io/node/clock.ts";
import { systemEntropy as entropy } from "#io/node/entropy.ts";
import { createHttpClient } from "#io/node/http-client.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import { createClient } from "#kube/client.ts";
import { access, run, temporary, up } from "../main/sidero.ts";
import { SIDERO } from "../peers/locate.ts";
import { start } from "../peers/process.ts";

const PATIENCE = 180_000;

test("machines of every model register, are wiped when they are accepted, and their BMCs switch them off", async (context) => {
  const directory = await temporary(context);
  const image = join(directory, "image");
  await mkdir(image);
  for (const file of ["vmlinuz-amd64", "initramfs-amd64"]) await writeFile(join(image, file), file);
  const sidero = await up(context, join(directory, "data"), {
    "network-boot": "true",
    "api-endpoint": "127.0.0.1",
    "api-port": "28081",
    "http-port": "28081",
    dhcp: "off",
    "tftp-address": "off",
    "agent-image": image,
    "insecure-wipe": "true",
  });
  const transport = createHttpClient(await access(sidero));
  context.after(() => transport.close());
  const servers = createClient({ transport, clock, entropy }).for(Server);
  const options = { machines: "5", seed: "20", speed: "200", endpoint: "127.0.0.1:28081", kubeconfig: sidero.kubeconfig };
  const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  const machines = start(SIDERO, ["sim", ...args]);
  context.after(() => machines.stop("SIGTERM"));

  async function until(what: string, check: (all: readonly Server[]) => boolean): Promise<void> {
    const limit = clock.monotonic() + PATIENCE;
    for (;;) {
      const { items } = await servers.listAll();
      if (items.length === 5 && check(items)) return;
      const shown = JSON.stringify(items.map(({ metadata, status }) => [metadata.name, status]));
      assert.ok(clock.monotonic() < limit, `${what}: ${shown}\n${machines.log()}\n${sidero.child.log()}`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  await until("registered and introduced", (all) => {
    return all.filter(({ spec }) => spec?.bmc !== undefined || spec?.managementApi !== undefined).length === 4;
  });
  for (const { metadata } of (await servers.listAll()).items) await servers.patch(metadata.name!, { spec: { accepted: true } });
  await until("clean and off", (all) => {
    const off = all.filter(({ status }) => status?.power === "off").length;
    return off === 4 && all.every(({ status }) => status?.phase === "Available" && status.isClean === true);
  });
  assert.deepEqual((await servers.listAll()).items.map(({ status }) => status?.bmc?.protocol ?? "none").toSorted(), [
    "http",
    "ipmi",
    "ipmi",
    "none",
    "redfish",
  ]);
});

test("wrong calls say what is wrong", async () => {
  for (const [flag, problem] of [
    ["--machines=0", /--machines: "0" is not a number from 1 to 10000/],
    ["--endpoint=nowhere", /--endpoint: "nowhere" is not HOST:PORT/],
    ["--speed=fast", /--speed: "fast" is not a number/],
  ] as const) {
    const { code, stderr } = await run(["sim", flag]);
    assert.equal(code, 2);
    assert.match(stderr, problem);
  }
});
