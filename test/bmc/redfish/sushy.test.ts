/** Our client to sushy-tools' emulator, a Redfish service that is not ours, with its driver of pretended machines. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { after, before, test } from "node:test";
import { createRedfishBmc, type RedfishBmc } from "#bmc/redfish/client.ts";
import { silent } from "#io/log.ts";
import { systemClock } from "#io/node/clock.ts";
import { openHttp } from "#io/node/http-client.ts";
import { Fault } from "#std/fault.ts";
import { locateSushy, withoutPeer } from "../../peers/locate.ts";
import { type Child, start, waitFor } from "../../peers/process.ts";

const skip = withoutPeer("sushy");
const never = new AbortController().signal;
const ONE = "27946b59-9e44-4fa7-8e91-f3527a1ef094";
const TWO = "27946b59-9e44-4fa7-8e91-f3527a1ef095";
const USER = "admin";
const PASSWORD = "password";

let emulator: Child;
let server = "";
const directory = mkdtempSync(`${tmpdir()}/sidero-sushy-`);
/** What the emulator downloads when media is inserted. */
const images = createServer((_request, response) => response.end("no real image"));

function connect(system: string | undefined, password = PASSWORD): RedfishBmc {
  const credentials = { user: USER, password };
  return createRedfishBmc({ server, system, credentials, open: openHttp, clock: systemClock, log: silent });
}

function freePort(): Promise<number> {
  const probe = createServer();
  return new Promise((resolve) => {
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

before(
  async () => {
    if (skip !== false) return;
    const programs = locateSushy();
    const port = await freePort();
    server = `http://127.0.0.1:${port}`;
    const machine = (uuid: string, name: string, mac: string): object => ({
      uuid,
      name,
      power_state: "Off",
      nics: [{ mac, ip: "192.0.2.7" }],
    });
    const hash = "import bcrypt, sys; print(bcrypt.hashpw(sys.argv[1].encode(), bcrypt.gensalt(4)).decode())";
    const hashed = execFileSync(`${programs}/python`, ["-c", hash, PASSWORD], { encoding: "utf8" });
    writeFileSync(`${directory}/users`, `${USER}:${hashed}`);
    const settings = {
      SUSHY_EMULATOR_FAKE_DRIVER: true,
      SUSHY_EMULATOR_LISTEN_IP: "127.0.0.1",
      SUSHY_EMULATOR_LISTEN_PORT: port,
      SUSHY_EMULATOR_AUTH_FILE: `${directory}/users`,
      SUSHY_EMULATOR_STATE_DIR: directory,
      SUSHY_EMULATOR_FAKE_SYSTEMS: [machine(ONE, "one", "00:5c:52:31:3a:9c"), machine(TWO, "two", "00:5c:52:31:3a:9d")],
    };
    const python = Object.entries(settings).map(([key, value]) => `${key} = ${JSON.stringify(value).replaceAll("true", "True")}`);
    writeFileSync(`${directory}/emulator.conf`, `${python.join("\n")}\n`);
    emulator = start(`${programs}/sushy-emulator`, ["--config", `${directory}/emulator.conf`]);
    await waitFor(
      emulator,
      "sushy-emulator",
      30_000,
      async () => (await fetch(`${server}/redfish/v1/`).catch(() => undefined)) && true,
    );
    await new Promise<void>((resolve) => images.listen(0, "127.0.0.1", resolve));
  },
  { timeout: 180_000 },
);

after(async () => {
  await emulator?.stop();
  images.close();
  rmSync(directory, { recursive: true, force: true });
});

test("discovery: several systems are named, one that is named is found", { skip }, async () => {
  const any = connect(undefined);
  await assert.rejects(any.power(never), { code: "bmc.refused", message: new RegExp(`several systems.*${ONE}.*${TWO}`) });
  await any.close();
  const stranger = connect(undefined, "wrong");
  await assert.rejects(stranger.power(never), (error) => Fault.is(error, "bmc.denied") && !error.message.includes("wrong"));
  await stranger.close();
  const bmc = connect(`/redfish/v1/Systems/${ONE}`);
  const inventory = await bmc.inventory(never);
  assert.deepEqual([inventory.uuid, inventory.manufacturer, inventory.macs], [ONE, "Sushy Emulator", ["00:5c:52:31:3a:9c"]]);
  const { actions, bootDevices, virtualMedia, secureBoot } = await bmc.capabilities(never);
  assert.deepEqual(actions, ["on", "off", "soft-off", "cycle", "reset"]);
  assert.deepEqual([bootDevices, virtualMedia, secureBoot], [["pxe", "http", "disk", "cd"], true, false]);
  assert.equal((await bmc.health(never)).overall, "ok");
  await bmc.close();
});

test("power: on, soft off, off, reset and, in two steps, cycle", { skip, timeout: 300_000 }, async () => {
  const bmc = connect(`/redfish/v1/Systems/${ONE}`);
  /** Its machines take up to eleven seconds. */
  const until = async (state: "on" | "off"): Promise<void> => {
    await waitFor(emulator, `power ${state}`, 20_000, async () => (await bmc.power(never)) === state || undefined);
  };
  assert.equal(await bmc.power(never), "off");
  for (const [action, state] of [
    ["on", "on"],
    ["soft-off", "off"],
    ["on", "on"],
    ["reset", "on"],
    ["off", "off"],
    ["on", "on"],
    ["cycle", "on"],
  ] as const) {
    await bmc.command(action, never);
    await until(state);
  }
  await bmc.close();
});

test(
  "boot override: from the network, from disk, and in BIOS mode, each read back; and what is not done is noticed",
  { skip },
  async () => {
    const bmc = connect(`/redfish/v1/Systems/${TWO}`);
    const shown = async (): Promise<Record<string, unknown>> => {
      const headers = { authorization: `Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString("base64")}` };
      const answer = await fetch(`${server}/redfish/v1/Systems/${TWO}`, { headers });
      return ((await answer.json()) as { Boot: Record<string, unknown> }).Boot;
    };
    await bmc.bootOnce({ device: "pxe", firmware: "uefi" }, never);
    assert.deepEqual([(await shown())["BootSourceOverrideTarget"], (await shown())["BootSourceOverrideMode"]], ["Pxe", "UEFI"]);
    await bmc.bootOnce({ device: "disk", firmware: "bios" }, never);
    assert.deepEqual([(await shown())["BootSourceOverrideTarget"], (await shown())["BootSourceOverrideMode"]], ["Hdd", "Legacy"]);
    await assert.rejects(
      bmc.bootOnce({ device: "http", firmware: "uefi" }, never),
      { code: "bmc.unsupported" },
      "not in BIOS mode",
    );
    await bmc.bootOnce({ device: "pxe", firmware: "uefi" }, never);
    // The emulator answers 204 and starts from the network instead: what was taken is not what is.
    await assert.rejects(bmc.bootOnce({ device: "http", firmware: "uefi" }, never), {
      code: "bmc.not-verified",
      message: "the BMC took UefiHttp/Once/UEFI, and shows Pxe/Continuous/UEFI",
    });
    await bmc.close();
  },
);

test("virtual media goes in and out, and a start from it is set", { skip }, async () => {
  const bmc = connect(`/redfish/v1/Systems/${TWO}`);
  const url = `http://127.0.0.1:${(images.address() as AddressInfo).port}/talos.iso`;
  const slot = async (): Promise<{ Image: string; Inserted: boolean }> => {
    const headers = { authorization: `Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString("base64")}` };
    return (await (await fetch(`${server}/redfish/v1/Systems/${TWO}/VirtualMedia/Cd`, { headers })).json()) as {
      Image: string;
      Inserted: boolean;
    };
  };
  await bmc.bootOnce({ device: "cd", firmware: "uefi", url }, never);
  assert.deepEqual([(await slot()).Image, (await slot()).Inserted], [url, true]);
  await bmc.ejectMedia(never);
  assert.equal((await slot()).Inserted, false);
  await bmc.setSecureBoot(true, never);
  assert.equal((await bmc.secureBoot(never)).isEnabled, true);
  await bmc.identify(true, never);
  await bmc.identify(false, never);
  await bmc.close();
});
