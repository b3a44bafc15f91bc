/**
 * A data centre that boots at once: every machine tells of its installation by the tunnel, out of order among each other, twice, and again much later; one of them floods. All
 * conditions come out right, nobody waits for the one that floods, and nothing is kept of what has been answered.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { connect as http2 } from "node:http2";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { create, toBinary, type DescMessage, type MessageInitShape } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { silent } from "#io/log.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import { listen } from "#io/node/serve.ts";
import type { Incoming } from "#io/serve.ts";
import { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import { createRecorder } from "#kube/events.ts";
import { createSink, PUBLISH } from "#link/sink.ts";
import { createLinkPort } from "#main/link-port.ts";
import { EventRequestSchema, EventResponseSchema, EventSinkService } from "#proto/siderolink/events_pb.js";
import { AddressEventSchema, PhaseEventSchema, SequenceEventSchema } from "#proto/siderolink/machine_events_pb.js";
import { startWorld } from "../kube/world.ts";
import { call, Refused } from "./world.ts";

const MACHINES = 5000;
const name = (machine: number): string => `m-${machine}`;
const tunnel = (machine: number): string => `fd00::${(machine + 16).toString(16)}`;
const host = (machine: number): string => `10.${(machine >> 16) & 255}.${(machine >> 8) & 255}.${machine & 255}`;

const ALPHABET = "0123456789abcdefghijklmnopqrstuv";
/** An xid as Talos counts them: of one process, in order. */
function xid(counter: number): string {
  let bits = ((1n << 64n) | BigInt(counter)) << 4n;
  let text = "";
  for (let i = 0; i < 20; i++, bits >>= 5n) text = ALPHABET[Number(bits & 31n)]! + text;
  return text;
}

function said<D extends DescMessage>(schema: D, message: MessageInitShape<D>) {
  return { typeUrl: `type.googleapis.com/${schema.typeName}`, value: toBinary(schema, create(schema, message)) };
}

const DONE = ["TalosConfigLoaded=True", "TalosConfigValidated=True", "TalosInstalled=True"];

/** Of one machine, in its order: the second half is of the boot from its disk. */
const life = (machine: number) => [
  said(PhaseEventSchema, { phase: "saveConfig", action: 0 }),
  said(PhaseEventSchema, { phase: "install", action: 0 }),
  said(AddressEventSchema, { hostname: name(machine), addresses: [host(machine), tunnel(machine)] }),
  said(SequenceEventSchema, { sequence: "boot", action: 1 }),
];

async function start() {
  const world = await startWorld();
  const { client, clock } = world;
  const ports = { client, clock, entropy: new SeededEntropy(1), log: silent };
  const sink = createSink({
    ...ports,
    port: createLinkPort(client, createRecorder({ ...ports, component: "sidero", instance: "test" }), clock),
    inventory: { server: () => undefined },
    peers: {
      at: (address) => {
        const machine = Number.parseInt(address.split("::")[1] ?? "", 16) - 16;
        return { name: name(machine), isGuest: false, publicKey: `key-${machine}` };
      },
    },
    negative: [],
    witness: () => {},
  });
  const publish = (machine: number, request: MessageInitShape<typeof EventRequestSchema>) =>
    call(sink, EventRequestSchema, EventResponseSchema, request, tunnel(machine), PUBLISH);
  return { world, client, sink, publish };
}

test(`the events of ${MACHINES} machines at once, each twice and one again afterwards, and one that floods meanwhile`, async () => {
  const { world, client, publish } = await start();
  const spec = { metalMachineRef: { name: "m", namespace: "default" } };
  for (let machine = 0; machine < MACHINES; machine++)
    await client.for(ServerBinding).create({ metadata: { name: name(machine) }, spec });

  const flooder = MACHINES - 1;
  let [flooded, refused, others] = [0, 0, 0];
  const flood = Array.from({ length: 20_000 }, (_, i) =>
    publish(flooder, { id: xid(1000 + i), data: said(PhaseEventSchema, { phase: `p${i}`, action: 0 }) }).then(
      () => flooded++,
      (error: unknown) => {
        assert.ok(error instanceof Refused && error.code === 8, String(error));
        refused++;
      },
    ),
  );
  // As the tunnel would deliver them: each machine's in order, those of all machines mixed, each sent again before the next.
  const steps = life(0).length;
  const lives = Array.from({ length: MACHINES - 1 }, async (_, machine) => {
    const events = life(machine);
    for (let step = 0; step < steps; step++) {
      const event = { id: xid(step), data: events[step]! };
      await Promise.all([publish(machine, event), publish(machine, event)]);
    }
    // What was answered, and whose answer was lost: the start of its installation comes late once more.
    await publish(machine, { id: xid(1), data: events[1]! });
    others++;
  });
  await Promise.all(lives);
  assert.equal(others, MACHINES - 1);
  await Promise.all(flood);
  assert.ok(refused > 10_000 && flooded > 0, `${flooded} of the flood were taken, ${refused} refused`);
  await publish(flooder, { id: xid(30_000), data: said(SequenceEventSchema, { sequence: "boot", action: 1 }) });

  const { items } = await client.for(ServerBinding).listAll();
  for (const { metadata, spec: on, status } of items) {
    const machine = Number(metadata.name!.slice(2));
    const conditions = (status?.conditions ?? []).map(({ type, status: is }) => `${type}=${is}`).toSorted();
    assert.deepEqual(conditions, DONE, metadata.name ?? "");
    if (machine !== flooder) assert.deepEqual([on?.hostname, on?.addresses], [name(machine), [host(machine)]]);
  }
  await world.stop();
});

test("garbage, bodies without end, silence, and clients that do not read: all are cut, and who speaks well is answered meanwhile", async () => {
  const { world, client, sink } = await start();
  await client
    .for(ServerBinding)
    .create({ metadata: { name: name(0) }, spec: { metalMachineRef: { name: "m", namespace: "default" } } });
  const limits = { headers: 500, idle: 1000, buffered: 64 * 1024, stalled: 500 };
  const listener = await listen({ host: "127.0.0.1", port: 0, limits }, (incoming) =>
    sink(tunnelled(incoming, { address: tunnel(0) })),
  );
  const { port } = listener;
  const gone: Promise<unknown>[] = [];
  const raw = (): Socket => {
    const socket = connect(port, "127.0.0.1")
      .on("error", () => {})
      .resume();
    gone.push(new Promise((resolve) => socket.once("close", resolve)));
    return socket;
  };
  for (let i = 0; i < 50; i++) raw().write(randomBytes(4096));
  for (let i = 0; i < 200; i++) raw();
  for (let i = 0; i < 50; i++) raw().write("POST /events.EventSinkService/Publish HTTP/1.1\r\nhost: x\r\n");
  const headers = { ":method": "POST", ":path": PUBLISH, "content-type": "application/grpc" };
  const sessions = Array.from({ length: 4 }, () => http2(`http://127.0.0.1:${port}`).on("error", () => {}));
  // Those that do not read do not see that they are cut, either.
  for (const session of sessions.slice(0, 2)) gone.push(new Promise((resolve) => session.once("close", resolve)));
  const endless = sessions[0]!.request(headers).on("error", () => {});
  const pouring = setInterval(() => endless.writable && endless.write(Buffer.alloc(16 * 1024)), 5);
  // One byte of a message now and then; and answers that nobody reads, a thousand on a connection.
  const drip = sessions[1]!.request(headers).on("error", () => {});
  const dripping = setInterval(() => drip.writable && drip.write(Buffer.of(0)), 100);
  for (const session of sessions.slice(2))
    for (let i = 0; i < 1000; i++)
      session
        .request(headers)
        .on("error", () => {})
        .pause()
        .end(Buffer.alloc(5));

  const good = createClient(EventSinkService, createGrpcTransport({ baseUrl: `http://127.0.0.1:${port}` }));
  for (const [step, data] of life(0).entries()) await good.publish({ id: xid(step), data }, { timeoutMs: 60_000 });
  const { status } = await client.for(ServerBinding).get(name(0));
  assert.deepEqual((status?.conditions ?? []).map(({ type, status: is }) => `${type}=${is}`).toSorted(), DONE);
  clearInterval(pouring);
  clearInterval(dripping);
  await Promise.all(gone);
  await listener.close();
  for (const session of sessions) session.destroy();
  await world.stop();
});

/** As if it came by the tunnel. */
function tunnelled(incoming: Incoming, peer: Incoming["peer"]): Incoming {
  const { method, target, headers } = incoming;
  return { method, target, headers, peer, body: (limit) => incoming.body(limit), signal: incoming.signal };
}
