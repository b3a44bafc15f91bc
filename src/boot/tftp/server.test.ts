/** The server on a network in the process, with simulated firmware as its clients. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Sighting } from "#decide/sighting.ts";
import { silent } from "#io/log.ts";
import { VirtualClock } from "#io/memory/clock.ts";
import { MemoryNetwork } from "#io/memory/network.ts";
import type { MemoryHost } from "#io/memory/network.ts";
import type { UdpEndpoint, UdpSocket } from "#io/udp.ts";
import { decode } from "#wire/tftp/decode.ts";
import { encode } from "#wire/tftp/encode.ts";
import type { State } from "#wire/tftp/machine.ts";
import type { ErrorPacket, Packet } from "#wire/tftp/packet.ts";
import { Receiver } from "#wire/tftp/receiver.ts";
import type { ReceiverTurn, Wishes } from "#wire/tftp/receiver.ts";
import { createTftpFiles } from "./files.ts";
import { createTftp } from "./server.ts";
import type { Tftp, TftpOptions } from "./server.ts";

const SERVER = "10.77.0.1";
const SNP = Uint8Array.from({ length: 100_000 }, (_, i) => (i * 2_654_435_761) >>> 24);

interface World {
  readonly clock: VirtualClock;
  readonly network: MemoryNetwork;
  readonly host: MemoryHost;
  readonly server: Tftp;
  readonly sightings: Sighting[];
  /** Machines by address; each may have several clients. */
  readonly machines: Map<string, MemoryHost>;
}

async function world(options: Partial<TftpOptions> = {}): Promise<World> {
  const [clock, network, sightings] = [new VirtualClock(), new MemoryNetwork(), [] as Sighting[]];
  const host = network.host();
  host.connect("lan", "eth0", [`${SERVER}/16`, "fd77::1/64", "fe80::1/64"]);
  const files = new Map([["snp.efi", SNP]]);
  const server = createTftp({
    openUdp: host.openUdp,
    interfaces: host.interfaces,
    address: { host: "", port: 69 },
    files: (name) => files.get(name),
    clock,
    log: silent,
    witness: (sighting) => sightings.push(sighting),
    ...options,
  });
  await server.start();
  return { clock, network, host, server, sightings, machines: new Map<string, MemoryHost>() };
}

/** Firmware with one address: fetches, or sends what it is told to. */
class Client {
  readonly #world: World;
  readonly #receiver: Receiver | undefined;
  readonly #chunks: Uint8Array[] = [];
  readonly heard: Packet[] = [];
  state: State = { kind: "running" };
  #socket!: UdpSocket;
  #to: UdpEndpoint = { address: SERVER, port: 69 };

  private constructor(world: World, receiver?: Receiver) {
    this.#world = world;
    this.#receiver = receiver;
  }

  static async at(world: World, address: string, receiver?: Receiver, server = SERVER): Promise<Client> {
    const client = new Client(world, receiver);
    let host = world.machines.get(address);
    if (host === undefined) {
      world.machines.set(address, (host = world.network.host()));
      host.connect("lan", "eth0", [address.includes(":") ? `${address}/64` : `${address}/16`]);
    }
    const family = address.includes(":") ? 6 : 4;
    client.#to = { address: server, port: 69 };
    client.#socket = await host.openUdp({ family, host: address, port: 0 }, ({ bytes, from }) => {
      assert.deepEqual(from, { address: server, port: 69 }, "answers come from the address and port that were asked");
      client.#hear(decode(bytes));
    });
    if (receiver !== undefined) client.#follow(receiver.start(world.clock.monotonic()));
    return client;
  }

  say(packet: Packet | Uint8Array): void {
    void this.#socket.send(packet instanceof Uint8Array ? packet : encode(packet), this.#to);
  }

  get bytes(): Uint8Array {
    return Buffer.concat(this.#chunks);
  }

  #hear(packet: Packet): void {
    this.heard.push(packet);
    if (this.#receiver !== undefined && this.state.kind === "running") {
      this.#follow(this.#receiver.onPacket(packet, this.#world.clock.monotonic()));
    }
  }

  #follow({ send, received, state, wakeAt }: ReceiverTurn): void {
    for (const bytes of send) this.say(bytes);
    this.#chunks.push(...received);
    this.state = state;
    const { clock } = this.#world;
    if (wakeAt === undefined || state.kind !== "running") return;
    clock.after(wakeAt - clock.monotonic(), () => {
      if (this.state.kind === "running") this.#follow(this.#receiver!.onTime(clock.monotonic()));
    });
  }
}

function fetch(world: World, address: string, file: string, wishes?: Wishes, server?: string): Promise<Client> {
  return Client.at(world, address, new Receiver(file, wishes), server);
}

/** Until everything that is to happen has happened; a network without delay takes no virtual time, but turns of the loop. */
async function settle({ clock, server }: World, milliseconds = 100): Promise<void> {
  for (let i = 0; i < 2_000; i++) await new Promise((resolve) => setImmediate(resolve));
  await clock.advance(milliseconds);
  assert.ok(server.running >= 0);
}

function errorOf(client: Client): ErrorPacket | undefined {
  return client.heard.find((packet) => packet.kind === "error");
}

const request = (file: string, options: Record<string, string> = {}, mode = "octet"): Packet => ({
  kind: "read-request",
  file,
  mode,
  options: new Map(Object.entries(options)),
});

test("a file arrives over IPv4 and IPv6, and what was sent is told", async () => {
  const w = await world();
  const clients = [
    await fetch(w, "10.77.0.50", "snp.efi", { blockSize: 1432, windowSize: 8, size: true }),
    await fetch(w, "fd77::50", "\\tftpboot\\snp.efi", {}, "fd77::1"),
  ];
  await settle(w);
  for (const client of clients) {
    assert.deepEqual(client.state, { kind: "done" });
    assert.deepEqual(new Uint8Array(client.bytes), SNP);
  }
  assert.deepEqual(
    w.sightings.map(({ of, what, text, bytes, took }) => [of.address, what, text, bytes, took]),
    [
      ["10.77.0.50", "tftp.sent", "sent snp.efi: 100000 bytes in 0 ms (blocks of 1432, windows of 8)", 100_000, 0],
      ["fd77::50", "tftp.sent", "sent \\tftpboot\\snp.efi: 100000 bytes in 0 ms (blocks of 512, windows of 1)", 100_000, 0],
    ],
  );
  assert.equal(w.server.running, 0);
});

test("what is not served is refused with a reason, on the wire and in a sighting", async () => {
  const w = await world({ files: (name) => (name === "grub.efi" ? { refusal: "this machine boots iPXE only" } : undefined) });
  const client = await Client.at(w, "10.77.0.50");
  const table: readonly (readonly [packet: Packet, code: number, message: RegExp])[] = [
    [request("pxelinux.0"), 1, /^there is no file "pxelinux\.0"$/],
    [request("../../etc/passwd"), 1, /there is no file/],
    [request("grub.efi"), 2, /^this machine boots iPXE only$/],
    [{ kind: "write-request", file: "snp.efi", mode: "octet", options: new Map() }, 2, /only read/],
    [request("snp.efi", {}, "netascii"), 0, /netascii/],
    [{ kind: "acknowledgement", block: 7 }, 5, /no such transfer/],
    [{ kind: "data", block: 1, data: new Uint8Array(4) }, 5, /no such transfer/],
  ];
  for (const [packet, code, message] of table) {
    client.heard.length = 0;
    client.say(packet);
    await settle(w);
    assert.equal(errorOf(client)?.code, code);
    assert.match(errorOf(client)!.message, message);
  }
  assert.deepEqual(
    w.sightings.map(({ what, text }) => [what, text.split(":")[0]]),
    [
      ["tftp.refused", "asked for pxelinux.0"],
      ["tftp.refused", "asked for ../../etc/passwd"],
      ["tftp.refused", "asked for grub.efi"],
      ["tftp.refused", "asked to write snp.efi"],
      ["tftp.refused", "asked for snp.efi"],
    ],
  );
});

test("errors and noise are not answered", async () => {
  const w = await world();
  const client = await Client.at(w, "10.77.0.50");
  client.say({ kind: "error", code: 0, message: "gone" });
  for (const bytes of [[], [0], [0, 1], [0, 9, 0, 0], [0, 1, 65, 66, 67], [255, 255, 255, 255]])
    client.say(Uint8Array.from(bytes));
  await settle(w);
  assert.deepEqual(client.heard, []);
  assert.deepEqual(w.sightings, []);
});

test("what comes late for a transfer that ended is no stray, and a new request from the same port is a new transfer", async () => {
  const w = await world({ files: () => SNP.subarray(0, 100) });
  const client = await Client.at(w, "10.77.0.50");
  for (let round = 0; round < 2; round++) {
    client.heard.length = 0;
    client.say(request("snp.efi"));
    await settle(w);
    client.say({ kind: "acknowledgement", block: 1 });
    client.say({ kind: "acknowledgement", block: 1 });
    await settle(w);
    assert.deepEqual(
      client.heard.map(({ kind }) => kind),
      ["data"],
    );
  }
  assert.equal(w.sightings.length, 2);
  await w.clock.advance(5_000);
  client.say({ kind: "acknowledgement", block: 1 });
  await settle(w);
  assert.equal(errorOf(client)?.code, 5, "by now nobody remembers it");
  assert.equal(w.clock.pending, 1, "only the look for new addresses is waited for");
});

test("firmware that asks for the size, ends the transfer and asks again leaves one sighting", async () => {
  const w = await world();
  const client = await Client.at(w, "10.77.0.50");
  client.say(request("snp.efi", { tsize: "0", blksize: "1468" }));
  await settle(w);
  assert.equal(client.heard[0]?.kind, "option-acknowledgement");
  client.say({ kind: "error", code: 8, message: "User aborted the transfer" });
  await settle(w);
  assert.deepEqual(w.sightings, []);
  assert.equal(w.server.running, 0);
});

test("a client that falls silent is given up, and that is told", async () => {
  const w = await world();
  const client = await Client.at(w, "10.77.0.50");
  client.say(request("snp.efi"));
  await settle(w);
  client.say({ kind: "acknowledgement", block: 1 });
  await settle(w);
  assert.equal(w.server.running, 1);
  await w.clock.advance(60_000);
  assert.equal(w.server.running, 0);
  assert.deepEqual(
    w.sightings.map(({ what, text, bytes }) => [what, text, bytes]),
    [["tftp.failed", "could not send snp.efi: the client fell silent after 512 bytes", 512]],
  );
});

test("an address has so many transfers, the server so many, and whoever comes later may ask again", async () => {
  const w = await world({ limits: { transfers: 3, perAddress: 2 } });
  const clients: Client[] = [];
  for (const address of ["10.77.0.50", "10.77.0.50", "10.77.0.50", "10.77.0.51", "10.77.0.52"]) {
    const client = await Client.at(w, address);
    client.say(request("snp.efi", { blksize: "1468" }));
    await settle(w);
    clients.push(client);
  }
  assert.deepEqual(
    clients.map(({ heard }) => heard.length > 0),
    [true, true, false, true, false],
  );
  assert.equal(w.server.running, 3);
  assert.deepEqual(
    w.sightings.map(({ of, what, text, waitingFor }) => [of.address, what, text, waitingFor !== undefined]),
    [
      ["10.77.0.50", "tftp.refused", "asked for snp.efi, not answered: 2 transfers to this address are under way", true],
      ["10.77.0.52", "tftp.refused", "asked for snp.efi, not answered: 3 transfers are under way", true],
    ],
  );
  clients[3]!.say({ kind: "error", code: 0, message: "enough" });
  await settle(w);
  clients[4]!.say(request("snp.efi", { blksize: "1468" }));
  await settle(w);
  assert.equal(clients[4]!.heard.at(-1)?.kind, "option-acknowledgement");
});

test("2,000 transfers at once, over a network that loses, doubles and reorders", { timeout: 60_000 }, async () => {
  const file = SNP.subarray(0, 3_000);
  const w = await world({ files: () => file });
  w.network.faults = { seed: 7, loss: 0.02, duplication: 0.02, delay: { clock: w.clock, milliseconds: 3 } };
  const clients: Client[] = [];
  for (let i = 0; i < 2_000; i++) {
    const address = `10.77.1.${1 + (i % 50)}`;
    clients.push(await fetch(w, address, "snp.efi", { blockSize: 1024, ...(i % 2 === 0 && { windowSize: 4 }) }));
  }
  let most = 0;
  for (let i = 0; i < 100 && clients.some(({ state }) => state.kind === "running"); i++) {
    await w.clock.advance(i === 0 ? 3 : 1_000);
    most = Math.max(most, w.server.running);
  }
  assert.ok(most > 1_500, `${most} at once`);
  for (const client of clients) {
    assert.deepEqual(client.state, { kind: "done" });
    assert.ok(Buffer.compare(client.bytes, file) === 0);
  }
  await w.clock.advance(60_000);
  assert.equal(w.server.running, 0);
  const ends = Map.groupBy(w.sightings, ({ what }) => what);
  // When a client's last acknowledgement is lost, the server cannot know; everything else is known to have arrived.
  assert.ok(ends.get("tftp.sent")!.length > 1_900);
});

test("addresses that come later are served, those that go are given up", async () => {
  const w = await world();
  assert.deepEqual(
    w.server.endpoints.map(({ address }) => address),
    ["127.0.0.1", "::1", SERVER, "fd77::1"],
    "link-local addresses cannot be answered",
  );
  w.host.connect("lan", "eth1", ["10.77.0.2/16"]);
  await w.clock.advance(6_000);
  const client = await fetch(w, "10.77.0.50", "snp.efi", { blockSize: 1432 }, "10.77.0.2");
  await settle(w);
  assert.deepEqual(client.state, { kind: "done" });
  const cut = await Client.at(w, "10.77.0.51", undefined, "10.77.0.2");
  cut.say(request("snp.efi"));
  await settle(w);
  w.host.disconnect("eth1");
  await w.clock.advance(6_000);
  assert.equal(w.server.endpoints.length, 4);
  assert.equal(w.sightings.at(-1)?.what, "tftp.failed");
});

test("a port that another program has is tried again, and one given address is all or nothing", async () => {
  const network = new MemoryNetwork();
  const host = network.host();
  host.connect("lan", "eth0", [`${SERVER}/16`]);
  const rival = await host.openUdp({ family: 4, host: SERVER, port: 69 }, () => {});
  const warnings: string[] = [];
  const [clock, log] = [new VirtualClock(), { ...silent, warn: (line: string) => warnings.push(line) }];
  const options = { openUdp: host.openUdp, interfaces: host.interfaces, files: () => undefined, clock, log, witness: () => {} };
  await assert.rejects(createTftp({ ...options, address: { host: SERVER, port: 69 } }).start(), { code: "io.address-in-use" });
  const server = createTftp({ ...options, address: { host: "", port: 69 } });
  await server.start();
  await clock.advance(20_000);
  assert.equal(warnings.length, 1, "said once");
  assert.match(warnings[0]!, /another program has this port/);
  await rival.close();
  await clock.advance(6_000);
  assert.ok(server.endpoints.some(({ address }) => address === SERVER));
  await server.close();
  assert.equal(clock.pending, 0);
});

test("closing ends what is under way", async () => {
  const w = await world();
  const client = await Client.at(w, "10.77.0.50");
  client.say(request("snp.efi"));
  await settle(w);
  await w.server.close();
  assert.equal(w.server.running, 0);
  assert.equal(w.clock.pending, 0);
  assert.match(w.sightings[0]!.text, /the server stopped/);
});

test("iPXE that asks for iPXE gets the script, firmware the program", async () => {
  const get = (name: string) => (name === "undionly.kpxe" ? { name, bytes: SNP } : undefined);
  const files = createTftpFiles({ programs: { get }, script: (local) => `#!ipxe\nchain http://${local}:8081/boot.ipxe\n` });
  const script = "#!ipxe\nchain http://10.77.0.1:8081/boot.ipxe\n";
  const w = await world({ files });
  const lengths = new Map<string, string | undefined>();
  const ask = async (file: string, options: Record<string, string>): Promise<void> => {
    const client = await Client.at(w, "10.77.0.50");
    client.say(request(file, options));
    await settle(w);
    const [packet] = client.heard;
    lengths.set(
      `${file} ${Object.values(options).join(" ")}`,
      packet?.kind === "option-acknowledgement" ? packet.options.get("tsize") : undefined,
    );
  };
  const ipxe = { blksize: "1432", tsize: "0" };
  await ask("undionly.kpxe", ipxe);
  await ask("undionly.kpxe", { tsize: "0", blksize: "1456" });
  await ask("undionly.kpxe", { blksize: "1024", tsize: "0" });
  await ask("autoexec.ipxe", { tsize: "0" });
  await ask("ipxe-wimboot.kpxe", ipxe);
  assert.deepEqual(
    [...lengths.values()],
    [String(script.length), String(SNP.length), String(SNP.length), String(script.length), undefined],
  );
});
