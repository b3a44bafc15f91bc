/**
 * `node bench/link/main.ts`: 5,000 machines tell at once, by SideroLink, that they boot from their disks. Each time counts until the call is answered, which is when the conditions
 * of its ServerBinding are on record, in a store on disk. Without the network in between.
 */
import { create, toBinary } from "@bufbuild/protobuf";
import { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import { createRecorder } from "#kube/events.ts";
import { createSink } from "#link/sink.ts";
import { createLinkPort } from "#main/link-port.ts";
import { EventRequestSchema } from "#proto/siderolink/events_pb.js";
import { SequenceEventSchema } from "#proto/siderolink/machine_events_pb.js";
import { alone, print } from "../report.ts";
import { openSite } from "../site.ts";

const MACHINES = process.env["SCALE"] === "small" ? 500 : 5000;
const ROUNDS = 3;

const { client, ports, close } = await openSite("link");
const events = createRecorder({ ...ports, client, component: "sidero", instance: "bench" });
const nameAt = (address: string): string => `m-${address.split("::")[1]}`;
const sink = createSink({
  ...ports,
  port: createLinkPort(client, events, ports.clock),
  inventory: { server: () => undefined },
  peers: { at: (address) => ({ name: nameAt(address), isGuest: false, publicKey: "k" }) },
  negative: [],
  witness: () => {},
});

function framed(id: string): Buffer {
  const value = toBinary(SequenceEventSchema, create(SequenceEventSchema, { sequence: "boot", action: 1 }));
  const data = { typeUrl: "type.googleapis.com/machine.SequenceEvent", value };
  const message = Buffer.from(toBinary(EventRequestSchema, create(EventRequestSchema, { id, data })));
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

async function publish(address: string, body: Buffer): Promise<number> {
  const started = performance.now();
  const answer = await sink({
    method: "POST",
    target: "/events.EventSinkService/Publish",
    headers: { "content-type": "application/grpc" },
    peer: { address },
    body: async () => body,
    signal: new AbortController().signal,
  });
  if (!("open" in answer.body)) throw new Error(JSON.stringify(answer.headers));
  return performance.now() - started;
}

const addresses = (round: number): string[] => Array.from({ length: MACHINES }, (_, i) => `fd00::${round * MACHINES + i + 1}`);
const [p50, p99, rates, cpu]: [number[], number[], number[], number[]] = [[], [], [], []];
// One round before the others does not count: it compiles the code.
for (let round = 0; round <= ROUNDS; round++) {
  const all = addresses(round);
  const spec = { metalMachineRef: { name: "m", namespace: "default" } };
  for (const address of all) await client.for(ServerBinding).create({ metadata: { name: nameAt(address) }, spec });
  const body = framed(`event-${round}`);
  const [started, before] = [performance.now(), process.cpuUsage()];
  const times = await Promise.all(all.map((address) => publish(address, body)));
  const took = performance.now() - started;
  const { user, system } = process.cpuUsage(before);
  times.sort((a, b) => a - b);
  if (round === 0) continue;
  p50.push(times[MACHINES >> 1]!);
  p99.push(times[Math.floor(MACHINES * 0.99)]!);
  rates.push((MACHINES / took) * 1000);
  cpu.push((user + system) / 1000 / MACHINES);
}
print(alone(`events of ${MACHINES} machines at once`, "events/s", rates));
print(alone("event to condition, at the median", "ms", p50));
print(alone("event to condition, at the 99th percentile", "ms", p99));
print(alone("event to condition, CPU", "ms/event", cpu));
await close();
process.exit(0);
