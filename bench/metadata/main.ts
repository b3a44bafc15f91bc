/**
 * `node bench/metadata/main.ts`: 1,000 control plane configurations with patches of class and Server, served to 1,000 machines in a second; first each to a boot that
 * has not had it, which is put on record, then once more. The store is on a disk, the machines are another process.
 */
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { systemClock as clock } from "#io/node/clock.ts";
import { digest } from "#io/node/digest.ts";
import { systemEntropy as entropy } from "#io/node/entropy.ts";
import { systemPki } from "#io/node/pki.ts";
import { createBootHandler } from "#boot/http/handler.ts";
import { programsOf } from "#boot/programs.ts";
import { createMemorySeal } from "#io/memory/seal.ts";
import { listen } from "#io/node/serve.ts";
import { ServerClass } from "#kinds/metal/v1alpha2/server-class.ts";
import { createRecorder } from "#kube/events.ts";
import { createInventory } from "#main/inventory.ts";
import { createMetadataPort } from "#main/metadata.ts";
import { parseContract } from "#talos/contract.ts";
import { printConfig } from "#talos/document/document.ts";
import { generateConfig } from "#talos/generate/generate.ts";
import { makeSecrets } from "#talos/secrets.ts";
import { configIn, environmentOf, held, numbered } from "../../test/metadata/held.ts";
import { alone, print } from "../report.ts";
import { openSite } from "../site.ts";

const MACHINES = process.env["SCALE"] === "small" ? 100 : 1000;
const ROUNDS = 3;
const RATE = 1000;
const LIMITS = { headers: 10_000, idle: 60_000, buffered: 1024 * 1024, stalled: 30_000 };
const CLASS = {
  configPatches: [{ op: "add", path: "/machine/sysctls", value: { "net.core.somaxconn": "65535" } }],
  strategicPatches: ["machine:\n  network:\n    nameservers: [10.0.0.53]\n"],
} as const;
const OWN = { configPatches: [{ op: "add", path: "/machine/install", value: { disk: "/dev/nvme0n1" } }] } as const;

const { directory, client, ports, close } = await openSite("metadata");
const { inventory, run } = createInventory({ ...ports, client });
const stop = new AbortController();
const following = run(stop.signal);
const blob = { sha512: "ab".repeat(64), size: 1, read: async function* () {} };
const handler = createBootHandler({
  ...ports,
  inventory,
  assets: { find: async () => blob },
  programs: programsOf(new Map()),
  seal: createMemorySeal(1),
  digest,
  witness: () => {},
  metadata: {
    port: createMetadataPort(client, createRecorder({ ...ports, client, component: "sidero", instance: "bench" })),
    neighbour: async () => undefined,
    identity: "network",
    isOpen: false,
    onServed: () => {},
    onRefused: (reason) => console.error(`refused: ${reason}`),
  },
  settings: { endpoint: "", port: 8081, diskMethod: "ipxe-exit", agentArguments: [], tokenLifetime: 3_600_000 },
});
const listener = await listen({ host: "127.0.0.1", port: 0, limits: LIMITS }, handler);
const origin = `http://127.0.0.1:${listener.port}`;

const contract = parseContract("v1.13");
const secrets = await makeSecrets(contract, { pki: systemPki, entropy, now: Date.now() });
const config = printConfig(
  generateConfig("controlplane", {
    secrets,
    contract,
    clusterName: "bench",
    endpoint: "https://10.0.0.2:6443",
    kubernetesVersion: "1.36.0",
  }),
);
await client.for(ServerClass).create({ metadata: { name: "bench" }, spec: CLASS as never });
await environmentOf(client);

async function load(urls: readonly string[]): Promise<Record<"perSecond" | "p50" | "p99" | "bytes" | "cpu", number>> {
  const file = join(directory, "urls");
  writeFileSync(file, urls.join("\n"));
  const before = process.cpuUsage();
  const { stdout } = await promisify(execFile)(process.execPath, [join(import.meta.dirname, "load.ts"), file, String(RATE)]);
  const { user, system } = process.cpuUsage(before);
  return {
    ...(JSON.parse(stdout) as Record<"perSecond" | "p50" | "p99" | "bytes", number>),
    cpu: (user + system) / 1000 / urls.length,
  };
}

type Figures = Awaited<ReturnType<typeof load>>;
const [first, again]: [Figures[], Figures[]] = [[], []];
// One round before the others does not count: it compiles the code.
for (let round = 0; round <= ROUNDS; round++) {
  const urls: string[] = [];
  for (let i = 0; i < MACHINES; i++) {
    const machine = numbered(round * MACHINES + i + 1);
    await held(client, clock, machine, { config, className: "bench", spec: OWN as never });
    const target = `/ipxe?uuid=${machine.uuid}&mac=${machine.mac.replaceAll(":", "-")}`;
    let url: string | undefined;
    // The caches show it a moment later.
    while (url === undefined) url = configIn(await (await fetch(`${origin}${target}`)).text(), machine.uuid);
    urls.push(`${origin}${url}`);
  }
  const figures = [await load(urls), await load(urls)] as const;
  if (round === 0) continue;
  first.push(figures[0]);
  again.push(figures[1]);
}
for (const [what, all] of [
  ["configurations, first", first],
  ["configurations, once more", again],
] as const) {
  const of = (figure: keyof Figures): number[] => all.map((each) => each[figure]);
  print(alone(what, "configurations/s", of("perSecond")));
  print(alone(`${what}, time at the median`, "ms", of("p50")));
  print(alone(`${what}, time at the 99th percentile`, "ms", of("p99")));
  print(alone(`${what}, CPU of the server`, "ms/configuration", of("cpu")));
}
print(
  alone(
    "configurations, size",
    "bytes",
    first.map(({ bytes }) => bytes / MACHINES),
  ),
);

stop.abort();
await listener.close();
await Promise.allSettled([following]);
await close();
process.exit(0);
