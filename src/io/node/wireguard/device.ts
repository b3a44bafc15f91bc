/** A WireGuard interface: the kernel's, or where it has none, one of the program `wireguard-go`, which is the interface for as long as it runs. */
import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as wait } from "node:timers/promises";
import { Fault } from "#std/fault.ts";
import { noTunnel } from "../../tunnel.ts";
import { PATIENCE, run } from "./run.ts";

export interface Device {
  readonly by: "kernel" | "wireguard-go";
  /** Resolves when wireguard-go has ended by itself. */
  readonly lost?: Promise<Fault>;
  /** Never rejects. */
  remove(): Promise<void>;
}

const STEP = 20;
const LONGEST_REASON = 300;

/** One that an earlier process left behind is replaced: it has other peers, and perhaps another key. */
export async function addDevice(name: string): Promise<Device> {
  await removeOld(name);
  try {
    await run("ip", ["link", "add", name, "type", "wireguard"]);
    return { by: "kernel", remove: () => removeOld(name) };
  } catch (error) {
    return await startProgram(name, Fault.from(error).message);
  }
}

async function removeOld(name: string): Promise<void> {
  const isThere = (): Promise<boolean> => succeeds("ip", "link", "show", name);
  if (!(await isThere())) return;
  await run("ip", ["link", "delete", name]).catch(() => {});
  // A wireguard-go of an earlier process sees it, and ends.
  for (let waited = 0; waited < PATIENCE && (await isThere()); waited += STEP) await wait(STEP);
}

/** `why`: what the kernel said. */
async function startProgram(name: string, why: string): Promise<Device> {
  const child = spawn("wireguard-go", ["-f", name], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, WG_PROCESS_FOREGROUND: "1", LOG_LEVEL: "error" },
  });
  let said = "";
  for (const output of [child.stdout, child.stderr])
    output.on("data", (bytes: Buffer) => (said = (said + bytes.toString()).slice(-LONGEST_REASON)));
  const ended = new Promise<string>((resolve) => {
    child.once("error", (error) =>
      resolve((error as NodeJS.ErrnoException).code === "ENOENT" ? "there is no such program" : error.message),
    );
    child.once("close", (code, signal) => resolve(`it ended with ${code ?? signal}${said === "" ? "" : `: ${said.trim()}`}`));
  });
  // It must not outlive a process that ends without closing its doors.
  const kill = (): void => void child.kill("SIGKILL");
  process.once("exit", kill);
  let isWanted = true;
  const remove = async (): Promise<void> => {
    isWanted = false;
    await stop(child, ended);
    process.removeListener("exit", kill);
  };
  for (let waited = 0; ; waited += STEP) {
    const problem = await Promise.race([ended, wait(STEP)]);
    // Both: the socket that wg asks is also that of an interface of this name in another network namespace.
    const isReady = problem === undefined && (await succeeds("ip", "link", "show", name)) && (await succeeds("wg", "show", name));
    if (isReady) break;
    if (problem === undefined && waited < PATIENCE) continue;
    await remove();
    throw noTunnel(`no WireGuard in the kernel (${why}) and none in wireguard-go (${problem ?? "it does not answer"})`);
  }
  const lost = new Promise<Fault>((resolve) => {
    void ended.then((problem) => isWanted && resolve(noTunnel(`wireguard-go: ${problem}`)));
  });
  return { by: "wireguard-go", lost, remove };
}

function succeeds(program: string, ...args: string[]): Promise<boolean> {
  return run(program, args).then(
    () => true,
    () => false,
  );
}

async function stop(child: ChildProcess, ended: Promise<string>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  child.kill("SIGTERM");
  const insist = setTimeout(() => child.kill("SIGKILL"), PATIENCE);
  await ended;
  clearTimeout(insist);
}
