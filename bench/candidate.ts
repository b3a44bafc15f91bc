/** The two servers that are measured: each can be started, stopped and started again on the same data, and has its load generator. */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { parse } from "yaml";
import { SIDERO, locateRefapi } from "../test/peers/locate.ts";
import { start, waitFor, type Child } from "../test/peers/process.ts";
import { connect } from "./client.ts";
import type { Answer, Figures, Message, Order, Target } from "./order.ts";
import { usageOf, type Usage } from "./usage.ts";

const TOKEN = "bench-token";
const START = 60_000;
/** Milliseconds over which a process must have used less than a tenth of one core to be at rest, and how long that may take. */
const REST = 500;
const REST_LIMIT = 20_000;
const CRD_PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const CRDS = new URL("../deploy/crds/", import.meta.url);

export class Candidate {
  readonly #target: Target;
  readonly #launch: (args: readonly string[]) => Promise<Child[]> | Child[];
  readonly #load: ChildProcess;
  #children: Child[] = [];

  /** `launch` starts the processes; which of them is ready when is found out by asking. */
  constructor(url: string, launch: (args: readonly string[]) => Promise<Child[]> | Child[]) {
    this.#target = { url, token: TOKEN };
    this.#launch = launch;
    this.#load = fork(new URL("./load.ts", import.meta.url), [url, TOKEN]);
    process.once("exit", () => this.#load.kill("SIGKILL"));
  }

  /** Resolves when the processes run, not when they are ready. */
  async start(...args: string[]): Promise<void> {
    this.#children = await this.#launch(args);
  }

  /** Resolves when the API answers. */
  async ready(): Promise<void> {
    await waitFor(this.#children.at(-1)!, "readyz", START, () => this.ask("GET", "/readyz").catch(() => undefined));
  }

  /** One request, as an administrator. */
  async ask(method: string, path: string, body?: string): Promise<Buffer> {
    const client = connect(this.#target, 1);
    try {
      return await client.send(method, path, body);
    } finally {
      await client.close();
    }
  }

  async load(order: Order): Promise<Figures> {
    this.#load.send({ order, pids: this.#pids() } satisfies Message);
    const [answer] = (await once(this.#load, "message")) as [Answer];
    if ("problem" in answer) throw new Error(`${order.do}: ${answer.problem}`);
    return answer.figures;
  }

  usage(): Usage {
    return usageOf(this.#pids());
  }

  /** Resolves when what follows from a load or a start is done: class lists, caches, OpenAPI documents, collections. */
  async rest(): Promise<void> {
    const deadline = performance.now() + REST_LIMIT;
    for (let [before, used] = [this.usage().cpu, REST]; used > REST / 10 && performance.now() < deadline;) {
      await new Promise((resolve) => setTimeout(resolve, REST));
      const { cpu } = this.usage();
      [before, used] = [cpu, cpu - before];
    }
  }

  async stop(): Promise<void> {
    for (const child of this.#children.splice(0).toReversed()) await child.stop();
  }

  async close(): Promise<void> {
    await this.stop();
    this.#load.disconnect();
  }

  #pids(): number[] {
    return this.#children.map((child) => child.process.pid!);
  }
}

/** `sidero up` in `directory`; it knows our kinds by itself. */
export async function sidero(directory: string): Promise<Candidate> {
  const [port, tokens] = [await freePort(), writeTokens(directory)];
  const args = [
    "up",
    "--network-boot=false",
    "--data",
    join(directory, "data"),
    "--api-address",
    `127.0.0.1:${port}`,
    "--token-auth-file",
    tokens,
  ];
  const candidate = new Candidate(`https://127.0.0.1:${port}`, (more) => [
    start(SIDERO, [...args, "--health-addr", "off", "--diagnostics-address", "off", ...more]),
  ]);
  await candidate.start();
  await candidate.ready();
  return candidate;
}

/** The genuine API server with an etcd of its own, as they come: etcd fsyncs before it acknowledges. Our CRDs are applied to it. */
export async function genuine(directory: string): Promise<Candidate> {
  const [port, client, peer] = [await freePort(), await freePort(), await freePort()];
  const [bin, tokens] = [locateRefapi(), writeTokens(directory)];
  const [etcdUrl, peerUrl] = [`http://127.0.0.1:${client}`, `http://127.0.0.1:${peer}`];
  const candidate = new Candidate(`https://127.0.0.1:${port}`, async () => {
    const etcd = start(`${bin}/etcd`, [
      `--data-dir=${join(directory, "etcd")}`,
      "--log-level=error",
      `--listen-client-urls=${etcdUrl}`,
      `--advertise-client-urls=${etcdUrl}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--initial-cluster=default=${peerUrl}`,
    ]);
    await waitFor(etcd, "etcd", START, () =>
      fetch(`${etcdUrl}/health`).then(
        (answer) => (answer.ok ? true : undefined),
        () => undefined,
      ),
    );
    const args = ["--secure-port", String(port), "--etcd-servers", etcdUrl, "--token-auth-file", tokens];
    return [etcd, start(`${bin}/refapi`, [...args, "--data-dir", join(directory, "refapi")])];
  });
  await candidate.start();
  await candidate.ready();
  for (const crd of crds()) await candidate.ask("POST", CRD_PATH, JSON.stringify(crd));
  // A new kind answers 404, then 429 for a moment.
  await candidate.load({ do: "await-list", objects: 0 });
  return candidate;
}

/**
 * Ours, in the version that is stored and no other: for those the genuine server has a cache each, which it fills through a conversion
 * webhook. There is none here, and it would list all objects again and again, at the cost of everything that is measured.
 */
function crds(): object[] {
  return readdirSync(CRDS).map((file) => {
    const crd = parse(readFileSync(new URL(file, CRDS), "utf8")) as { spec: { versions: { storage: boolean }[] } };
    const versions = crd.spec.versions.filter((version) => version.storage);
    return { ...crd, spec: { ...crd.spec, versions, conversion: { strategy: "None" } } };
  });
}

function writeTokens(directory: string): string {
  const path = join(directory, "tokens.csv");
  writeFileSync(path, `${TOKEN},bench,bench,"system:masters"\n`, { mode: 0o600 });
  return path;
}

/** Free a moment ago: restarts need the same one again. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
