/**
 * `make demo`: Sidero comes up in a scratch directory, a small rack and some classes are applied with kubectl, class membership
 * follows, and what is shown is what kubectl reads back. ONCE=1 ends it there (exit 0, or 1 when something is not as it should be);
 * otherwise it stays up for you to play with until Ctrl-C.
 */
import type { ChildProcess } from "node:child_process";
import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { styleText, promisify } from "node:util";

const run = promisify(execFile);
const kubectlPath = process.env["KUBECTL"] ?? "kubectl";
const here = import.meta.dirname;
const started = performance.now();

function step(text: string): void {
  const seconds = ((performance.now() - started) / 1000).toFixed(1).padStart(5);
  console.log(`${styleText("dim", `${seconds}s`)} ${styleText("green", "✔")} ${text}`);
}

const data = await mkdtemp(join(tmpdir(), "sidero-demo-"));
const kubeconfig = join(data, "kubeconfig");

async function kubectl(...args: string[]): Promise<string> {
  const { stdout } = await run(kubectlPath, args, { env: { ...process.env, KUBECONFIG: kubeconfig } });
  return stdout.trimEnd();
}

/** What Sidero logs; shown when something goes wrong. */
let log = "";

/** Starts the launcher as a user would and resolves on the line `ready`. */
async function up(): Promise<ChildProcess> {
  const args = [
    "up",
    "--data",
    data,
    "--api-address",
    "127.0.0.1:0",
    "--network-boot=false",
    "--health-addr",
    "off",
    "--diagnostics-address",
    "off",
  ];
  const child = spawn(join(here, "../../bin/sidero"), args, { stdio: ["ignore", "pipe", "pipe"] });
  child.stderr.setEncoding("utf8").on("data", (text: string) => (log += text));
  for await (const line of createInterface({ input: child.stdout })) if (line === "ready") return child;
  throw new Error("sidero ended before it was ready");
}

async function available(name: string): Promise<string[]> {
  const list = await kubectl("get", "serverclass", name, "-o", "jsonpath={.status.serversAvailable[*]}");
  return list === "" ? [] : list.split(" ");
}

/** Waits until a class lists that many servers; the controller reacts to events, so this is a matter of milliseconds. */
async function expectMembers(name: string, count: number): Promise<void> {
  const deadline = performance.now() + 15_000;
  for (;;) {
    const members = await available(name).catch(() => []);
    if (members.length === count) return step(`class ${styleText("bold", name)} has ${count} server${count === 1 ? "" : "s"}`);
    if (performance.now() > deadline) throw new Error(`class ${name} has ${members.length} servers, expected ${count}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

interface Read {
  items: { metadata: { name: string }; spec: { hostname?: string }; status?: { serversAvailable?: string[] } }[];
}

/** The classes as kubectl reads them back, with host names in the place of UUIDs. */
async function classes(): Promise<string> {
  const read = async (plural: string): Promise<Read["items"]> =>
    (JSON.parse(await kubectl("get", plural, "-o", "json")) as Read).items;
  const hostnames = new Map((await read("servers")).map(({ metadata, spec }) => [metadata.name, spec.hostname ?? metadata.name]));
  const lines = (await read("serverclasses")).map(({ metadata, status }) => {
    const members = status?.serversAvailable ?? [];
    return `${metadata.name.padEnd(14)} ${String(members.length).padStart(2)}  ${members.map((name) => hostnames.get(name)).join(", ")}`;
  });
  return ["CLASS           N  AVAILABLE", ...lines].join("\n");
}

function show(title: string, text: string): void {
  console.log(`\n${styleText("bold", title)}\n${text}`);
}

async function main(): Promise<void> {
  const sidero = await up();
  const ended = new Promise<number>((resolve) => sidero.once("exit", (code) => resolve(code ?? 1)));
  try {
    step(`Sidero is ready (data and kubeconfig in ${data})`);
    await kubectl("apply", "-f", join(here, "servers.yaml"));
    step("6 servers and the Secret with their BMC credentials applied");
    await kubectl("apply", "-f", join(here, "classes.yaml"));
    step("4 classes applied");
    await expectMembers("any", 4);
    await expectMembers("compute", 2);
    await expectMembers("epyc", 2);
    await expectMembers("east", 2);
    await expectMembers("east-storage", 1);
    await kubectl("patch", "server", "4c4c4544-0039-3010-8044-b4c04f4d3103", "--type=merge", "-p", '{"spec":{"accepted":true}}');
    step("compute-3 accepted");
    await expectMembers("compute", 3);
    await kubectl("label", "server", "00000000-0000-1000-8000-ac1f6b000001", "zone=west", "--overwrite");
    step("storage-1 moved to zone west");
    await expectMembers("east-storage", 0);
    await kubectl("patch", "server", "31d4a9b0-7c52-11ee-b962-0242ac120002", "--type=merge", "-p", '{"spec":{"cordoned":false}}');
    step("edge-1 uncordoned");
    await expectMembers("any", 6);

    show("kubectl get servers --label-columns zone", await kubectl("get", "servers", "--label-columns", "zone"));
    show("kubectl get serverclasses, with the members' host names", await classes());
    show(
      "Summary",
      `6 servers, 5 classes, membership followed every change; ${((performance.now() - started) / 1000).toFixed(1)} s in all.`,
    );
    if (process.env["ONCE"] === "1") return;

    console.log(
      `\nIt stays up. In another terminal:\n  export KUBECONFIG=${kubeconfig}\n  kubectl get servers,serverclasses\nCtrl-C ends it.`,
    );
    process.on("SIGINT", () => sidero.kill("SIGTERM"));
    await ended;
  } finally {
    if (sidero.exitCode === null) sidero.kill("SIGTERM");
    await ended;
    await rm(data, { recursive: true, force: true });
  }
}

try {
  await main();
} catch (error) {
  const { stderr, message } = error as Error & { stderr?: string };
  console.error(`${styleText("red", "✘")} ${stderr || message}\nSidero's log:\n${log}`);
  process.exitCode = 1;
}
