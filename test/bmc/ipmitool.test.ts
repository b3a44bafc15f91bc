/** ipmitool against our simulated BMC: what it shows, and what it changes. */
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import { bringBmcPeers, withoutPeer } from "../peers/locate.ts";
import { USER, UUID } from "./ipmi-fixture.ts";
import { serve } from "./ipmi-real.ts";
import type { Served } from "./ipmi-real.ts";

const skip = withoutPeer("bmc-peers");
if (skip === false) bringBmcPeers();

const LIMIT = 20_000;
const WAYS = { "suite 17": ["lanplus", "-C", "17"], "suite 3": ["lanplus", "-C", "3"], "IPMI 1.5": ["lan"] } as const;

function session(
  { port }: Served,
  way: readonly string[],
  { user, password }: Readonly<Record<"user" | "password", string>> = USER,
): string[] {
  return ["-I", ...way, "-H", "127.0.0.1", "-p", String(port), "-U", user, "-P", password, "-N", "2"];
}

/** Standard output and error, without what is there to align columns. */
async function ipmitool(args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)("ipmitool", [...args], { timeout: LIMIT });
  return (stdout + stderr).replaceAll(/ +/g, " ");
}

for (const [name, way] of Object.entries(WAYS)) {
  test(`power, boot device, sensors, inventory: ${name}`, { skip, timeout: 60_000 }, async () => {
    const served = await serve();
    const { chassis, bmc } = served;
    try {
      const run = (command: string): Promise<string> => ipmitool([...session(served, way), ...command.split(" ")]);
      assert.match(await run("chassis power status"), /is off/);
      await run("chassis power on");
      assert.match(await run("chassis power status"), /is on/);
      for (const action of ["cycle", "reset", "soft"]) await run(`chassis power ${action}`);
      assert.deepEqual(chassis.done, ["on", "cycle", "reset", "soft-off"]);

      await run("chassis bootdev pxe options=efiboot");
      const boot = await run("chassis bootparam get 5");
      for (const line of ["Boot Flag Valid", "only next boot", "EFI boot", "Force PXE"]) assert.match(boot, new RegExp(line));
      assert.deepEqual(bmc.takeBoot(), { isValid: true, persistent: false, efi: true, device: 1 });
      assert.match(await run("chassis bootparam get 5"), /Boot Flag Invalid/);
      await run("chassis identify force");
      assert.equal(bmc.light, 2);

      const id = await run("mc info");
      assert.match(id, /Firmware Revision : 2\.61\nIPMI Version : 2\.0\nManufacturer ID : 343\n/);
      assert.match((await run("mc guid")).toLowerCase(), new RegExp(UUID.replaceAll("-", "-?").slice(0, -20)));
      const fru = await run("fru print 0");
      for (const line of [
        "Product Manufacturer : Maker",
        "Product Name : Server 9",
        "Product Serial : SN-9",
        "Board Serial : B-SN-9",
      ]) {
        assert.ok(fru.includes(line), `${line} in\n${fru}`);
      }
      const lan = await run("lan print 1");
      for (const line of [
        "IP Address : 127.0.0.1",
        "MAC Address : 52:54:00:00:00:01",
        "RMCP+ Cipher Suites : 3,17",
        "VLAN ID : Disabled",
      ]) {
        assert.ok(lan.includes(line), `${line} in\n${lan}`);
      }
      chassis.readings.set(1, 96);
      const sensors = await run("sensor list");
      assert.match(sensors, /CPU1 Temp \| 96\.000 \| degrees C \| cr \| na \| 2\.000 \| na \| 85\.000 \| 95\.000 \| na/);
      assert.match(sensors, /12V \| 12\.028 \| Volts \| ok/);
      assert.match(await run("sdr type fan"), /FAN1 \| 03h \| ok \| 29\.1 \| 6000 RPM/);
      bmc.log(0x08, 0x05, 0x6f, [0x01, 0xff, 0xff]);
      assert.match(await run("sel list"), /Power Supply (PSU1 Status|#0x05) \| Failure detected \| Asserted/);
      await run("sel clear");
      assert.match(await run("sel info"), /Entries : 0\n/);
    } finally {
      await served.close();
    }
  });
}

test("users: made, changed, tried, locked out", { skip, timeout: 60_000 }, async () => {
  const served = await serve();
  try {
    const run = (...command: string[]): Promise<string> => ipmitool([...session(served, WAYS["suite 17"]), ...command]);
    await run("user", "set", "name", "4", "agent");
    await run("user", "set", "password", "4", "s3cretPw16", "16");
    await run("channel", "setaccess", "1", "4", "callin=on", "ipmi=on", "link=on", "privilege=4");
    await run("user", "enable", "4");
    assert.match(await run("user", "list", "1"), /4 agent true true true ADMINISTRATOR/);
    assert.match(await run("user", "test", "4", "16", "s3cretPw16"), /Success/);
    await assert.rejects(run("user", "test", "4", "16", "another"), (error: { stdout: string }) =>
      /incorrect/.test(error.stdout),
    );
    const as = (password: string): string[] => [
      ...session(served, WAYS["suite 3"], { user: "agent", password }),
      "chassis",
      "power",
      "status",
    ];
    assert.match(await ipmitool(as("s3cretPw16")), /is off/);
    await assert.rejects(ipmitool(as("wrong")), /Unable to establish/);
    await run("user", "disable", "4");
    await assert.rejects(ipmitool(as("s3cretPw16")), /Unable to establish/);
  } finally {
    await served.close();
  }
});

test("without being told the suite it asks for them, and does not wait for that", { skip, timeout: 60_000 }, async () => {
  const served = await serve();
  try {
    const begun = performance.now();
    assert.match(await ipmitool([...session(served, ["lanplus"]), "chassis", "power", "status"]), /is off/);
    assert.ok(performance.now() - begun < 5000);
    const suites = await ipmitool([...session(served, ["lanplus"]), "channel", "getciphers", "ipmi", "1"]);
    assert.match(suites, /3 N\/A hmac_sha1 hmac_sha1_96 aes_cbc_128\s+17 N\/A hmac_sha256 sha256_128 aes_cbc_128/);
    assert.equal(served.bmc.sessions.open.size, 0, "ipmitool leaves none behind");
  } finally {
    await served.close();
  }
});

test("IPMI 1.5 in each of its ways", { skip, timeout: 60_000 }, async () => {
  const served = await serve({ suites: [0, 3, 17] });
  try {
    for (const type of ["MD5", "PASSWORD", "NONE"]) {
      assert.match(await ipmitool([...session(served, ["lan", "-A", type]), "chassis", "power", "status"]), /is off/, type);
    }
  } finally {
    await served.close();
  }
});

test("suite 0 only where it is there", { skip, timeout: 60_000 }, async () => {
  const strict = await serve();
  const loose = await serve({ suites: [0, 3, 17] });
  try {
    const ask = (served: Served): Promise<string> =>
      ipmitool([...session(served, ["lanplus", "-C", "0"], { user: USER.user, password: "" }), "chassis", "power", "status"]);
    assert.match(await ask(loose), /is off/);
    await assert.rejects(ask(strict), /Unable to establish/);
  } finally {
    await strict.close();
    await loose.close();
  }
});

for (const name of ["suite 17", "suite 3"] as const) {
  test(`the serial console in a terminal: ${name}`, { skip, timeout: 60_000 }, async () => {
    const served = await serve();
    const { chassis, bmc } = served;
    const line = ["ipmitool", ...session(served, WAYS[name]), "sol", "activate"].map((word) => `'${word}'`).join(" ");
    const child = spawn("script", ["-qfec", line, "/dev/null"], { stdio: ["pipe", "pipe", "inherit"] });
    let seen = "";
    child.stdout.on("data", (bytes: Buffer) => (seen += bytes.toString("latin1")));
    const until = async (what: string, isSo: () => boolean): Promise<void> => {
      const deadline = performance.now() + LIMIT;
      while (!isSo()) {
        assert.ok(performance.now() < deadline, `${what}; seen: ${JSON.stringify(seen)}, typed: ${JSON.stringify(chassis.text)}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    try {
      await until("the console opens", () => seen.includes("SOL Session operational"));
      const printed = Array.from({ length: 100 }, (_, i) => `[${i}.000000] a line of the kernel's\r\n`).join("");
      chassis.print(printed);
      await until("what the machine prints is seen", () => seen.includes(printed));
      child.stdin.write("root\r");
      await until("what is typed comes to the machine", () => chassis.text === "root\r");
      child.stdin.write("~B");
      await until("a break comes to the machine", () => chassis.breaks === 1);
      child.stdin.write("\r~.");
      await until("the console closes", () => bmc.sessions.open.size === 0);
    } finally {
      child.stdin.end();
      child.kill("SIGKILL");
      await served.close();
    }
  });
}
