/** TFTP clients that we did not write fetch files from our sender over loopback. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createSocket } from "node:dgram";
import type { RemoteInfo, Socket } from "node:dgram";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { decode } from "#wire/tftp/decode.ts";
import { encode } from "#wire/tftp/encode.ts";
import type { State, Turn } from "#wire/tftp/machine.ts";
import type { Packet } from "#wire/tftp/packet.ts";
import { Sender, refusalOf } from "#wire/tftp/sender.ts";
import type { Progress } from "#wire/tftp/sender.ts";
import { bringTftpClients, withoutPeer } from "../peers/locate.ts";

/** One UDP port for all transfers, which it tells apart by the client's address; drops what it is told to. */
class Harness {
  readonly files: Map<string, Uint8Array> = new Map<string, Uint8Array>();
  /** How the transfers ended, in order. */
  readonly ended: { state: State; progress: Progress }[] = [];
  /** Packets to lose in both directions: every n-th; 0 loses none. */
  loseEvery = 0;
  lost = 0;
  readonly #socket: Socket = createSocket("udp4");
  readonly #transfers = new Map<string, { sender: Sender; timer: NodeJS.Timeout | undefined }>();
  #packets = 0;

  async open(): Promise<number> {
    this.#socket.on("message", (bytes, remote) => this.#onMessage(bytes, remote));
    await new Promise<void>((resolve) => void this.#socket.bind(0, "127.0.0.1", resolve));
    return this.#socket.address().port;
  }

  close(): void {
    for (const { timer } of this.#transfers.values()) clearTimeout(timer);
    this.#socket.close();
  }

  #isLost(): boolean {
    this.#packets++;
    const isLost = this.loseEvery > 0 && this.#packets % this.loseEvery === 0;
    if (isLost) this.lost++;
    return isLost;
  }

  #onMessage(bytes: Uint8Array, remote: RemoteInfo): void {
    if (this.#isLost()) return;
    const packet = decode(bytes);
    const key = `${remote.address} ${remote.port}`;
    const running = this.#transfers.get(key);
    if (running !== undefined) this.#follow(key, remote, running.sender.onPacket(packet, performance.now()));
    else if (packet.kind === "read-request" || packet.kind === "write-request") this.#onRequest(packet, key, remote);
  }

  #onRequest(request: Packet & { kind: "read-request" | "write-request" }, key: string, remote: RemoteInfo): void {
    const file = this.files.get(request.file);
    const refusal =
      refusalOf(request) ?? (file === undefined ? { kind: "error" as const, code: 1, message: "File not found" } : undefined);
    if (refusal !== undefined) return this.#socket.send(encode(refusal), remote.port, remote.address);
    const read = (offset: number, length: number): Uint8Array => file!.subarray(offset, offset + length);
    const sender = new Sender(request, { size: file!.length, read });
    this.#transfers.set(key, { sender, timer: undefined });
    this.#follow(key, remote, sender.start(performance.now()));
  }

  #follow(key: string, remote: RemoteInfo, turn: Turn): void {
    const transfer = this.#transfers.get(key)!;
    for (const bytes of turn.send) if (!this.#isLost()) this.#socket.send(bytes, remote.port, remote.address);
    clearTimeout(transfer.timer);
    if (turn.state.kind !== "running") {
      this.#transfers.delete(key);
      this.ended.push({ state: turn.state, progress: transfer.sender.progress });
    } else if (turn.wakeAt !== undefined) {
      // Timers fire up to a millisecond early.
      const delay = turn.wakeAt - performance.now() + 1;
      transfer.timer = setTimeout(() => this.#follow(key, remote, transfer.sender.onTime(performance.now())), delay);
    }
  }
}

const skip = withoutPeer("tftp-clients");
const harness = new Harness();
const folder = mkdtempSync(join(tmpdir(), "sidero-tftp-"));
let port: number;
const run = promisify(execFile);

before(async () => {
  if (skip === false) bringTftpClients();
  port = await harness.open();
  const noise = Uint8Array.from({ length: 1_234_567 }, (_, i) => (i * 2_654_435_761) >>> 24);
  harness.files.set("noise.bin", noise);
  harness.files.set("whole.bin", noise.subarray(0, 1024 * 64));
  harness.files.set("empty.bin", new Uint8Array());
});

after(() => {
  harness.close();
  rmSync(folder, { recursive: true });
});

interface Fetched {
  readonly progress: Progress;
  readonly state: State;
}

/** Runs a client that writes `name` to the path it is given; compares the bytes. */
async function fetches(name: string, client: (target: string) => readonly string[]): Promise<Fetched> {
  harness.ended.length = 0;
  const target = join(folder, `${name}.${port}`);
  const [command, ...args] = client(target);
  await run(command!, args, { timeout: 20_000 });
  assert.deepEqual(new Uint8Array(readFileSync(target)), harness.files.get(name));
  rmSync(target);
  // The last acknowledgement may still be under way when the client ends.
  for (let i = 0; i < 100 && harness.ended.length === 0; i++) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(harness.ended.length, 1);
  assert.equal(harness.ended[0]!.state.kind, "done");
  return harness.ended[0]!;
}

function atftp(name: string, ...options: string[]): (target: string) => string[] {
  const settings = options.flatMap((option) => ["--option", option]);
  return (target) => ["atftp", ...settings, "--get", "-r", name, "-l", target, "127.0.0.1", String(port)];
}

function tftpHpa(name: string, ...flags: string[]): (target: string) => string[] {
  return (target) => ["tftp", "-4", ...flags, "127.0.0.1", String(port), "-c", "get", name, target];
}

function curl(name: string, ...flags: string[]): (target: string) => string[] {
  return (target) => ["curl", "-sS", ...flags, "-o", target, `tftp://127.0.0.1:${port}/${name}`];
}

test("atftp fetches with every option", { skip }, async () => {
  for (const name of harness.files.keys()) {
    const { progress } = await fetches(name, atftp(name));
    assert.equal(progress.bytes, harness.files.get(name)!.length);
  }
  const large = await fetches("noise.bin", atftp("noise.bin", "blksize 1432", "tsize", "timeout 2"));
  assert.equal(large.progress.blockSize, 1432);
  const windows = await fetches("noise.bin", atftp("noise.bin", "blksize 1432", "windowsize 16"));
  assert.deepEqual([windows.progress.windowSize, windows.progress.repetitions], [16, 0]);
  const jumbo = await fetches("noise.bin", atftp("noise.bin", "blksize 65464", "windowsize 8"));
  assert.deepEqual([jumbo.progress.blockSize, jumbo.progress.windowSize], [65_464, 1], "no more than 64 KiB on their way");
});

test("atftp fetches 70,000 blocks, past the rollover", { skip }, async () => {
  harness.files.set("rollover.bin", harness.files.get("noise.bin")!.subarray(0, 70_000 * 8 + 3));
  const { progress } = await fetches("rollover.bin", atftp("rollover.bin", "blksize 8", "windowsize 64"));
  assert.equal(progress.blockSize, 8);
});

test("tftp-hpa fetches octets, and is told why it gets no netascii", { skip }, async () => {
  for (const name of ["noise.bin", "whole.bin", "empty.bin"]) await fetches(name, tftpHpa(name, "-m", "binary"));
  const refused = await run("tftp", ["-4", "127.0.0.1", String(port), "-c", "get", "noise.bin", join(folder, "x")]).catch(
    (error: { stdout: string }) => error,
  );
  assert.match(refused.stdout, /Error code 0: mode "netascii" is not served, ask for octet \(binary\)/);
  const missing = await run("tftp", [
    "-4",
    "-m",
    "binary",
    "127.0.0.1",
    String(port),
    "-c",
    "get",
    "no",
    join(folder, "x"),
  ]).catch((error: { stdout: string }) => error);
  assert.match(missing.stdout, /Error code 1: File not found/);
});

test("tftp-hpa may not write", { skip }, async () => {
  const args = ["-4", "-m", "binary", "127.0.0.1", String(port), "-c", "put", "/etc/hostname", "hostname"];
  const { stdout } = await run("tftp", args).catch((error: { stdout: string }) => error);
  assert.match(stdout, /Error code 2: files are only read here/);
});

test("curl fetches with its block sizes", { skip }, async () => {
  // Of an empty file curl 7.88 says that its socket is not connected.
  for (const name of ["noise.bin", "whole.bin"]) await fetches(name, curl(name));
  await fetches("noise.bin", curl("noise.bin", "--tftp-no-options"));
  const { progress } = await fetches("noise.bin", curl("noise.bin", "--tftp-blksize", "1468"));
  assert.equal(progress.blockSize, 1468);
});

test("files arrive though every 40th packet is lost", { skip }, async () => {
  harness.loseEvery = 40;
  try {
    const { progress } = await fetches("whole.bin", atftp("whole.bin", "blksize 1024", "windowsize 8", "timeout 1"));
    assert.equal(progress.bytes, 65_536);
    assert.ok(harness.lost > 0);
  } finally {
    harness.loseEvery = 0;
  }
});
