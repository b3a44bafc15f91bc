/** `sidero timeline` word for word, on records of an API server in this process. */
import assert from "node:assert/strict";
import { before, test, after } from "node:test";
import { parse } from "yaml";
import { timeline, type TimelineOptions } from "#cli/timeline.ts";
import { Logbook } from "#decide/flight/logbook.ts";
import type { What, Whom } from "#decide/sighting.ts";
import { BootRecord } from "#kinds/metal/v1alpha2/boot-record.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import { Fault } from "#std/fault.ts";
import { startWorld, type World } from "../kube/world.ts";

const START = Date.UTC(2030, 0, 1, 3, 10);
const UUID = "4c4c4544-0042-4810-8056-b4c04f395931";
const MAC = "52:54:00:00:00:01";
const ADDRESS = "10.77.0.11";
const me = { mac: MAC, uuid: UUID, address: ADDRESS };
const other = { mac: "52:54:00:00:00:02", address: "10.77.0.12" };

let world: World;
const servers = new Map<string, Server>();
const book = new Logbook({ known: { isComplete: true, server: (name) => servers.get(name), serversByMac: () => [] } });

function see(seconds: number, what: What, of: Whom, text: string, rest: object = {}): void {
  book.note({ of, at: START + Math.round(seconds * 1000), what, text, ...rest });
}

/** What the recorder would have written by now. */
async function record(...names: string[]): Promise<void> {
  const records = world.client.for(BootRecord);
  for (const name of names) {
    const { status, ...wanted } = book.wanted(name)!;
    const made = await records.get(name).catch(() => records.create(wanted));
    await records.update({ ...made, status: status! }, { subresource: "status" });
  }
}

const FIRST = `${UUID}.20300101-031000`;
const SECOND = `${UUID}.20300101-041000`;
const STRANGER = "mac-525400000002.20300101-051000";

before(async () => {
  world = await startWorld();
  servers.set(
    UUID,
    await world.client.for(Server).create({ metadata: { name: UUID }, spec: { accepted: true, hostname: "rack1-07" } }),
  );
  see(0, "dhcp.discover", { mac: MAC, uuid: UUID }, "BIOS asks for an address", { begins: true });
  see(0.002, "dhcp.offer", me, `offered ${ADDRESS}`);
  see(4, "dhcp.discover", { mac: MAC, uuid: UUID }, "BIOS asks for an address", { begins: true });
  see(4.002, "dhcp.offer", me, `offered ${ADDRESS}`);
  see(4.01, "dhcp.other-server", { mac: MAC }, "10.77.0.2 offers 10.77.0.99 too");
  see(4.1, "dhcp.ack", me, `has ${ADDRESS}`);
  see(4.3, "tftp.sent", { address: ADDRESS }, "sent undionly.kpxe", { bytes: 70_100, took: 120 });
  see(16.3, "script.served", me, "boots the agent: the machine is not registered");
  see(52, "agent.hello", me, "the agent calls");
  see(52.4, "agent.registered", me, "registered");
  see(3600, "dhcp.discover", { mac: MAC, uuid: UUID }, "UEFI asks for an address", { begins: true });
  see(3601, "script.served", me, "waits: Environment default is not ready", { waitingFor: "Environment default to be ready" });
  see(7200, "dhcp.discover", other, "BIOS asks for an address", { begins: true });
  await record(FIRST, SECOND, STRANGER);
});
after(() => world.stop());

async function lines(machine: string, options: TimelineOptions = {}, seconds = 3613.5): Promise<string[]> {
  const printed: string[] = [];
  const style = (how: string, text: string): string => (how === "bold" || how === "dim" ? text : `<${how}>${text}</>`);
  await timeline(machine, options, {
    client: world.client,
    print: (line) => printed.push(line),
    style,
    now: () => START + seconds * 1000,
  });
  return printed;
}

async function refusal(machine: string, options: TimelineOptions = {}): Promise<string> {
  const error: unknown = await lines(machine, options).then(
    () => assert.fail("was not refused"),
    (caught: unknown) => caught,
  );
  assert.ok(Fault.is(error));
  return `${error.code}: ${error.message}`;
}

test("the newest boot, and what the machine waits for", async () => {
  assert.deepEqual(await lines(UUID), [
    UUID,
    `  MAC ${MAC}; address ${ADDRESS}`,
    "",
    "Newest of 2 boots, 2030-01-01 04:10:00.000 UTC: reached script in 1s",
    "  TIME           OFFSET      GAP      TOOK  WHAT",
    "  04:10:00.000    +0 ms                     dhcp.discover     UEFI asks for an address",
    "  04:10:01.000   +1.0 s    1.0 s            script.served     waits: Environment default is not ready",
    "<yellow>  waiting for Environment default to be ready, since 04:10:01.000 (13 s)</>",
  ]);
});

test("an older boot, with repetitions, silences and a second DHCP server", async () => {
  assert.deepEqual((await lines(UUID, { boot: 2 })).slice(3), [
    "Boot 2 of 2, newest first, 2030-01-01 03:10:00.000 UTC: reached registered in 52.4s",
    "  TIME           OFFSET      GAP      TOOK  WHAT",
    "  03:10:00.000    +0 ms                     dhcp.discover     BIOS asks for an address ×2 until 03:10:04.000",
    "  03:10:00.002    +2 ms                     dhcp.offer        offered 10.77.0.11 ×2 until 03:10:04.002",
    "<yellow>  03:10:04.010   +4.0 s     8 ms            dhcp.other-server 10.77.0.2 offers 10.77.0.99 too</>",
    "  03:10:04.100   +4.1 s    90 ms            dhcp.ack          has 10.77.0.11",
    "  03:10:04.300   +4.3 s   200 ms    120 ms  tftp.sent         sent undionly.kpxe",
    "<yellow>  03:10:16.300    +16 s     12 s !          script.served     boots the agent: the machine is not registered</>",
    "<red>  03:10:52.000    +52 s     36 s !          agent.hello       the agent calls</>",
    "<green>  03:10:52.400    +52 s   400 ms            agent.registered  registered</>",
    "  over at 04:10:00.000",
  ]);
});

test("all boots, oldest first", async () => {
  const heads = (await lines(UUID, { all: true })).filter((line) => /boot/i.test(line) && line.includes("reached"));
  assert.deepEqual(
    heads.map((line) => line.slice(0, 20)),
    ["Boot 2 of 2, newest ", "Newest of 2 boots, 2"],
  );
});

test("a machine is found by every name it has", async () => {
  const expected = await lines(UUID);
  for (const name of [UUID.toUpperCase(), "4c4c45", "rack1-07", MAC, "52-54-00-00-00-01", ADDRESS]) {
    assert.deepEqual(await lines(name), expected, name);
  }
  assert.equal((await lines("mac-5254"))[0], "mac-525400000002");
  assert.deepEqual(
    (await lines(other.mac, {}, 7300)).at(-1),
    "<red>  next: the machine fetches a boot program or a script (nothing seen for 1m40s)</>",
  );
});

test("what does not fit is said", async () => {
  assert.match(await refusal("10.77.0.200"), /^cli.not-found: no boot of 10.77.0.200 is on record/);
  assert.match(await refusal("nonsense"), /^cli.not-found: /);
  assert.equal(await refusal(UUID, { boot: 3 }), `cli.usage: --boot 3: 2 boots of ${UUID} are on record`);
  const twin = UUID.replace(/1$/, "2");
  await world.client.for(Server).create({ metadata: { name: twin }, spec: { accepted: false } });
  assert.equal(await refusal("4c4c"), `cli.usage: 4c4c fits 2 machines: ${UUID}, ${twin}`);
  await world.client.for(Server).delete(twin);
});

test("for programs: the records themselves", async () => {
  const json = JSON.parse((await lines(UUID, { output: "json", all: true })).join("\n")) as { kind: string; items: BootRecord[] };
  assert.equal(json.kind, "BootRecordList");
  assert.deepEqual(
    json.items.map(({ metadata }) => metadata.name),
    [FIRST, SECOND],
  );
  assert.deepEqual(parse((await lines(UUID, { output: "yaml", all: true })).join("\n")), json);
});

test("following, each sighting is printed once, and so is a wait", async () => {
  const printed: string[] = [];
  const stop = new AbortController();
  const now = (): number => START + 3620_000;
  const ports = {
    client: world.client,
    print: (line: string) => printed.push(line),
    style: (_: string, text: string) => text,
    now,
  };
  const following = timeline(UUID, { follow: true }, { ...ports, signal: stop.signal });
  await world.pass(50);
  const shown = printed.length;
  see(3605, "script.served", me, "waits: Environment default is not ready", { waitingFor: "Environment default to be ready" });
  await record(SECOND);
  await world.pass(50);
  assert.equal(printed.length, shown, "nothing but a repetition");
  see(3610, "script.served", me, "boots Environment default");
  await record(SECOND);
  await world.pass(50);
  see(3611, "http.sent", { address: ADDRESS }, "sent vmlinuz", { took: 400 });
  await record(SECOND);
  await world.pass(50);
  stop.abort();
  await Promise.all([following, world.pass(10)]);
  assert.deepEqual(printed.slice(shown), [
    "  04:10:10.000    +10 s    5.0 s !          script.served     boots Environment default",
    "  next: the machine fetches kernel and initial RAM disk (nothing seen for 10 s)",
    "  04:10:11.000    +11 s    1.0 s    400 ms  http.sent         sent vmlinuz",
    "  next: the booted system calls (nothing seen for 9.0 s)",
  ]);
});
