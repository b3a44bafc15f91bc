/** Our client against OpenIPMI's simulator, which knows cipher suites up to 3 and IPMI 1.5. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { Server, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import type { IpmiOptions } from "#bmc/ipmi/ipmi.ts";
import { Fault } from "#std/fault.ts";
import { getChannelInfo } from "#wire/ipmi/app/channel.ts";
import { getUserAccess, getUserName, setUserAccess, setUserName, setUserPassword } from "#wire/ipmi/app/user.ts";
import { call } from "#wire/ipmi/command.ts";
import { MEDIUM, PRIVILEGE } from "#wire/ipmi/constants.ts";
import { readSel } from "#wire/ipmi/storage/sel.ts";
import { bringBmcPeers, withoutPeer } from "../peers/locate.ts";
import { start, waitFor } from "../peers/process.ts";
import type { Child } from "../peers/process.ts";
import { NEVER, UUID } from "./ipmi-fixture.ts";
import { client } from "./ipmi-real.ts";

const skip = withoutPeer("bmc-peers");
const CREDENTIALS = { user: "admin", password: "admin1234" } as const;

/** A free port, as far as one can know. */
async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

/** What switches the machine: its state is in files. */
const HOOK = `#!/bin/bash
cd "$(dirname "$0")"
op=$1; shift
case $op in
get) for name; do echo "$name:$(cat "$name")"; done ;;
set) while [ $# -gt 0 ]; do echo "$2" > "$1"; echo "$1 $2" >> log; shift 2; done ;;
esac
`;

suite("ipmi_sim", { skip, timeout: 120_000 }, () => {
  let folder: string;
  let simulator: Child;
  let port: number;
  let serial: Server;
  let line: Socket | undefined;
  let typed = "";

  before(async () => {
    bringBmcPeers();
    folder = mkdtempSync(join(tmpdir(), "ipmi-sim-"));
    for (const [name, text] of [
      ["power", "0"],
      ["boot", "default"],
      ["log", ""],
      ["chassis.sh", HOOK],
    ] as const) {
      writeFileSync(join(folder, name), text);
    }
    chmodSync(join(folder, "chassis.sh"), 0o755);
    mkdirSync(join(folder, "state"));
    const [lanPort, systemPort] = [await freePort(), await freePort()];
    port = lanPort;
    serial = createServer((socket) => {
      line = socket;
      socket.on("error", () => {});
      // What it says of the terminal (telnet, RFC 854) is nothing to the machine.
      socket.on("data", (bytes) => (typed += bytes.toString("latin1").replaceAll(/\xff../g, "")));
    });
    serial.listen(0, "127.0.0.1");
    await once(serial, "listening");
    writeFileSync(
      join(folder, "lan.conf"),
      [
        'name "machine"',
        "set_working_mc 0x20",
        "startlan 1",
        `  addr 127.0.0.1 ${port}`,
        "  priv_limit admin",
        ...["user", "operator", "admin"].map((level) => `  allowed_auths_${level} none md5 straight`),
        `  guid ${UUID.replaceAll("-", "")}`,
        "endlan",
        `chassis_control "${folder}/chassis.sh"`,
        `serial 15 127.0.0.1 ${systemPort} codec VM`,
        `sol "telnet:127.0.0.1:${(serial.address() as { port: number }).port}" 115200`,
        `user 2 true "${CREDENTIALS.user}" "${CREDENTIALS.password}" admin 10 none md5 straight`,
        "",
      ].join("\n"),
    );
    const mc = "0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr";
    const sdrs = "sensor_add 0x20 0 1 1 1\nsensor_set_value 0x20 0 1 0x37 0\n";
    writeFileSync(join(folder, "bmc.emu"), `mc_setbmc 0x20\nmc_add ${mc}\n${sdrs}sel_enable 0x20 1000 0x0a\nmc_enable 0x20\n`);
    simulator = start("ipmi_sim", [
      "-n",
      "-c",
      join(folder, "lan.conf"),
      "-f",
      join(folder, "bmc.emu"),
      "-s",
      join(folder, "state"),
    ]);
    const probe = client(port, { credentials: CREDENTIALS });
    await waitFor(simulator, "ipmi_sim", 20_000, () => probe.power(AbortSignal.timeout(1000)).catch(() => undefined));
    await probe.close();
  });

  after(async () => {
    await simulator.stop();
    line?.destroy();
    serial.close();
    rmSync(folder, { recursive: true });
  });

  const bmcOf = (options: Partial<IpmiOptions> = {}) => client(port, { credentials: CREDENTIALS, ...options });
  const state = (name: string): string => readFileSync(join(folder, name), "utf8").trim();

  const ways: readonly { readonly name: string; readonly options: Partial<IpmiOptions> }[] = [
    { name: "the suite it chooses", options: {} },
    { name: "suite 3", options: { cipherSuite: 3 } },
    { name: "suite 0", options: { cipherSuite: 0 } },
    { name: "IPMI 1.5", options: { interface: "lan" } },
  ];
  for (const { name, options } of ways) {
    test(`power and boot device: ${name}`, async () => {
      const quirks: string[] = [];
      const bmc = bmcOf({ ...options, onQuirk: (text) => quirks.push(text) });
      await bmc.command("on", NEVER);
      assert.deepEqual([await bmc.power(NEVER), state("power")], ["on", "1"]);
      // The simulator keeps the device and never says that its flags are valid.
      await bmc.bootOnce({ device: "pxe", firmware: "uefi" }, NEVER);
      assert.equal(state("boot"), "pxe");
      await bmc.bootOnce({ device: "cd", firmware: "bios" }, NEVER);
      assert.equal(state("boot"), "cdrom");
      assert.equal(quirks.length, 1, "told once");
      assert.match(quirks[0]!, /not valid/);
      await bmc.command("off", NEVER);
      assert.deepEqual([await bmc.power(NEVER), state("power")], ["off", "0"]);
      await bmc.close();
    });
  }

  test("what it is, and the machine's UUID", async () => {
    const bmc = bmcOf({ machine: UUID });
    const { console: hasConsole, sensors } = await bmc.capabilities(NEVER);
    assert.deepEqual([hasConsole, sensors], [true, true]);
    const { uuid, firmwareVersion } = await bmc.inventory(NEVER);
    assert.deepEqual([uuid, firmwareVersion], [UUID, "9.08"]);
    assert.equal((await bmc.health(NEVER)).overall, "ok");
    assert.deepEqual(await readSel(bmc.channel, 10), []);
    assert.equal((await call(bmc.channel, getChannelInfo, 1)).medium, MEDIUM.lan);
    await bmc.close();
  });

  test("a user is made, and logs in", async () => {
    const admin = bmcOf();
    const { channel } = admin;
    await call(channel, setUserName, { user: 4, name: "agent" });
    await call(channel, setUserPassword, { user: 4, operation: "set", password: "another secret" });
    const access = { channel: 1, user: 4, onlyCallback: false, linkAuthentication: true, messaging: true };
    await call(channel, setUserAccess, { ...access, privilege: PRIVILEGE.administrator });
    await call(channel, setUserPassword, { user: 4, operation: "enable" });
    assert.equal(await call(channel, getUserName, 4), "agent");
    const found = await call(channel, getUserAccess, { channel: 1, user: 4 });
    assert.deepEqual([found.messaging, found.privilege], [true, PRIVILEGE.administrator]);
    const agent = bmcOf({ credentials: { user: "agent", password: "another secret" } });
    assert.equal(await agent.power(NEVER), "off");
    await agent.close();
    await admin.close();
  });

  test("who is not let in is told why", async () => {
    const code = (options: Partial<IpmiOptions>): Promise<unknown> =>
      bmcOf(options)
        .power(NEVER)
        .catch((error: unknown) => (Fault.is(error) ? error.code : error));
    assert.equal(await code({ credentials: { ...CREDENTIALS, password: "wrong" } }), "bmc.denied");
    assert.equal(await code({ credentials: { ...CREDENTIALS, user: "nobody" } }), "bmc.denied");
    assert.equal(await code({ cipherSuite: 17 }), "bmc.unsupported", "its library knows no SHA-256");
  });

  test("the serial console", async () => {
    const bmc = bmcOf();
    const console = await bmc.console(NEVER);
    let seen = "";
    const reading = (async () => {
      for await (const bytes of console.output) seen += Buffer.from(bytes).toString("latin1");
    })();
    const until = async (what: string, isSo: () => boolean): Promise<void> => {
      for (let i = 0; i < 500 && !isSo(); i++) await new Promise((resolve) => setTimeout(resolve, 20));
      assert.ok(isSo(), `${what}; seen ${JSON.stringify(seen)}, typed ${JSON.stringify(typed)}`);
    };
    await until("it calls the machine", () => line !== undefined);
    line!.write("login: ");
    await until("what it prints is seen", () => seen.includes("login: "));
    await console.write(new TextEncoder().encode("root\n"));
    await until("what is typed comes to it", () => typed.includes("root\n"));
    await console.close();
    await reading;
    await bmc.close();
  });
});
