/**
 * SideroLink as `sidero up` has it, on this host's WireGuard, with an API in memory: `serve.ts NUMBER…` holds machines of these numbers, and prints a line of JSON with
 * the token of each. On SIGUSR2 it deletes the first one's ServerBinding, on SIGHUP it prints what `sidero logs` says of every machine. What is put on record of the others is printed as it comes.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createStore } from "#apiserver/store/mvcc.ts";
import { logs as printLogs } from "#cli/logs.ts";
import { readSettings } from "#cli/settings/read.ts";
import { encodeToken } from "#decide/identity/token.ts";
import { silent } from "#io/log.ts";
import { MemoryJournal } from "#io/memory/journal.ts";
import { createMemorySeal } from "#io/memory/seal.ts";
import { createMemoryTransport } from "#io/memory/transport.ts";
import { systemClock as clock } from "#io/node/clock.ts";
import { digest } from "#io/node/digest.ts";
import { systemEntropy as entropy } from "#io/node/entropy.ts";
import { createHttpClient } from "#io/node/http-client.ts";
import { systemPki } from "#io/node/pki.ts";
import { listen } from "#io/node/serve.ts";
import { connectTcp, listenTcp } from "#io/node/tcp.ts";
import { openTunnel } from "#io/node/tunnel.ts";
import { openUdp } from "#io/node/udp.ts";
import { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import { silentMetrics } from "#kube/metrics.ts";
import { createInventory } from "#main/inventory.ts";
import { openLink } from "#main/link.ts";
import { openMachineLogs } from "#main/link-logs.ts";
import { createLogRoute } from "#main/log-route.ts";
import { createPlane } from "#main/plane.ts";
import { dialTalos } from "#main/talos/client.ts";
import { held, numbered } from "../metadata/held.ts";

const LIMITS = { headers: 5_000, idle: 60_000, buffered: 1024 * 1024, stalled: 10_000 };
const LIFETIME = 3_600_000;
const numbers = process.argv.slice(2).map(Number);

const settings = readSettings("up", { env: {}, flags: { data: "/nowhere", siderolink: "true" } });
const directory = mkdtempSync(join(tmpdir(), "sidero-link-"));
process.on("exit", () => rmSync(directory, { recursive: true }));
const logs = await openMachineLogs(directory, settings, clock, silent);
const store = await createStore({ journal: new MemoryJournal(), clock });
const plane = createPlane({
  store,
  clock,
  entropy,
  digest,
  log: silent,
  metrics: silentMetrics,
  identity: "test",
  leaderElection: false,
  logs: createLogRoute(logs),
  clusters: { providers: new Set(settings.providers), dial: dialTalos, pki: systemPki, open: createHttpClient },
});
const stop = new AbortController();
await plane.start(stop.signal);
const { client, events } = plane;
const { inventory, run } = createInventory({ client, clock, entropy, log: silent });
void run(stop.signal);
const seal = createMemorySeal(1);
const link = await openLink({
  settings,
  openTunnel,
  openUdp,
  tcp: { listenTcp, connectTcp },
  logs,
  listen,
  limits: LIMITS,
  client,
  events,
  inventory,
  seal,
  digest,
  clock,
  entropy,
  log: {
    ...silent,
    warn: (message, facts) => console.error(message, facts),
    error: (message, facts) => console.error(message, facts),
  },
  witness: ({ what, text }) => console.log(JSON.stringify({ what, text })),
  tokenLifetime: LIFETIME,
});
if (link === undefined) throw new Error("there is no tunnel");
await listen({ host: "0.0.0.0", port: 8081, limits: LIMITS }, (incoming) => link.provision(incoming));
const machines = numbers.map(numbered);
for (const machine of machines) await held(client, clock, machine);
const token = ({ uuid, mac, address }: (typeof machines)[number]): string =>
  encodeToken({ purpose: "link", boot: entropy.uuid(), uuid, mac, address, expires: clock.now() + LIFETIME }, seal);
console.log(JSON.stringify({ ready: machines.map((machine) => ({ uuid: machine.uuid, token: token(machine) })) }));

const seen = setInterval(async () => {
  const { items } = await client.for(ServerBinding).listAll();
  const on = items.map(({ metadata, status }) => [
    metadata.name,
    status?.conditions?.find(({ type }) => type === "TalosInstalled")?.status,
  ]);
  console.log(JSON.stringify({ installed: Object.fromEntries(on) as unknown }));
}, 300);
process.on("SIGUSR2", () => void client.for(ServerBinding).delete(machines[0]!.uuid));
const transport = createMemoryTransport(plane.handler, { principal: { name: "test", groups: ["system:masters"] } });
process.on("SIGHUP", async () => {
  const print = (line: string): void => console.log(JSON.stringify({ log: line }));
  const terminal = { client, print, style: (_: string, text: string) => text, now: () => clock.now() };
  for (const { uuid } of machines) {
    print(`of ${uuid}`);
    await printLogs(uuid, { follow: false, json: false }, terminal, async function* (target) {
      yield* (await transport.request({ method: "GET", target })).body;
    }).catch(({ message }: Error) => print(message));
  }
});
process.on("SIGTERM", () => {
  clearInterval(seen);
  void link.close().then(() => process.exit(0));
});
