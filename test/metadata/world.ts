/** The boot handler on a whole API in memory: Servers that are held, with bootstrap data, and a network on which addresses belong to somebody. */
import { createBootHandler } from "#boot/http/handler.ts";
import { programsOf } from "#boot/programs.ts";
import type { Sighting } from "#decide/sighting.ts";
import { sleep } from "#io/clock.ts";
import { silent } from "#io/log.ts";
import type { VirtualClock } from "#io/memory/clock.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import { createMemorySeal } from "#io/memory/seal.ts";
import { digest } from "#io/node/digest.ts";
import type { Incoming, Outgoing } from "#io/serve.ts";
import { families } from "#kinds/index.ts";
import { type Client, createClient } from "#kube/client.ts";
import { createRecorder, KubeEvent } from "#kube/events.ts";
import { toCrd } from "#schema/crd.ts";
import { toExtension } from "#schema/family.ts";
import { Fault } from "#std/fault.ts";
import { createInventory } from "#main/inventory.ts";
import { createMetadataPort } from "#main/metadata.ts";
import { startFixture } from "../apiserver/fixture.ts";
import { environmentOf, held, type HeldMachine, type Holding, ordered } from "./held.ts";

export interface WorldOptions {
  readonly isOpen?: boolean;
  readonly identity?: "neighbour" | "network";
  /** There is a SideroLink, with this for Sidero's end. */
  readonly link?: string;
}

export interface World {
  readonly clock: VirtualClock;
  readonly client: Client;
  /** Whose an address is: `10.0.0.7` → `52:54:00:00:00:01`. */
  readonly neighbours: Map<string, string>;
  readonly sightings: Sighting[];
  readonly refused: string[];
  ask(
    target: string,
    address: string,
    headers?: Readonly<Record<string, string>>,
  ): Promise<{ readonly status: number; readonly text: string }>;
  /** What was told about objects so far, `Server Configuration: …`. */
  events(): Promise<string[]>;
  /** The caches have caught up. */
  settle(): Promise<void>;
  stop(): Promise<void>;
}

export async function startWorld({ isOpen = false, identity = "neighbour", link }: WorldOptions = {}): Promise<World> {
  const fixture = await startFixture({
    crds: families.map(toCrd),
    extensions: new Map(families.map((family) => [`${family.storage.group}/${family.storage.kind}`, toExtension(family)])),
  });
  const { clock } = fixture;
  const entropy = new SeededEntropy(5);
  const ports = { clock, entropy, log: silent };
  const client = createClient({ ...ports, transport: fixture.transport });
  const events = createRecorder({ ...ports, client, component: "sidero", instance: "test" });
  const { inventory, run } = createInventory({ ...ports, client });
  const stop = new AbortController();
  const following = run(stop.signal);
  const neighbours = new Map<string, string>();
  const sightings: Sighting[] = [];
  const refused: string[] = [];
  const blob = { sha512: "ab".repeat(64), size: 1, read: async function* () {} };
  const handler = createBootHandler({
    ...ports,
    inventory,
    assets: { find: async () => blob },
    programs: programsOf(new Map()),
    seal: createMemorySeal(1),
    digest,
    witness: (sighting) => void sightings.push(sighting),
    metadata: {
      port: createMetadataPort(client, events),
      neighbour: async (address) => neighbours.get(address),
      identity,
      isOpen,
      onServed: () => {},
      onRefused: (reason) => void refused.push(reason),
    },
    settings: {
      endpoint: "10.0.0.1",
      port: 8081,
      diskMethod: "ipxe-exit",
      agentArguments: [],
      tokenLifetime: 3_600_000,
      ...(link !== undefined && { sideroLink: () => ({ host: link }) }),
    },
  });
  const settle = async (): Promise<void> => {
    await fixture.idle();
    for (let passed = 0; passed < 300; passed += 10) await clock.advance(10);
    await fixture.idle();
  };
  await environmentOf(client);
  await settle();
  return {
    clock,
    client,
    neighbours,
    sightings,
    refused,
    async ask(target, address, headers = {}) {
      const answering = handler(new Asked(target, address, headers));
      const { status, body } = await answering;
      return { status, text: textOf(body) };
    },
    async events() {
      await settle();
      const { items } = await client.for(KubeEvent).listAll();
      return items.map(({ reason, message }) => `${reason}: ${message}`);
    },
    settle,
    async stop() {
      stop.abort(new Fault("test.stopped", "stopped", { fault: "world", retry: "never" }));
      await Promise.all([following, clock.advance(0), sleep(clock, 0)]);
      await fixture.stop();
    },
  };
}

/** A request as the door to HTTP hands it in: most of it is read when it is asked for. */
class Asked implements Incoming {
  readonly #target: string;
  readonly #headers: Incoming["headers"];
  readonly peer: Incoming["peer"];

  constructor(target: string, address: string, headers: Incoming["headers"]) {
    [this.#target, this.peer, this.#headers] = [target, { address }, headers];
  }
  get method(): string {
    return "GET";
  }
  get target(): string {
    return this.#target;
  }
  get headers(): Incoming["headers"] {
    return this.#headers;
  }
  get signal(): AbortSignal {
    return new AbortController().signal;
  }
  async body(): Promise<Buffer> {
    return Buffer.alloc(0);
  }
}

function textOf(body: Outgoing["body"]): string {
  return "open" in body ? "" : Buffer.concat(body).toString();
}

/** A Server that is held, and has been started to be installed; its address is seen on its own interface. */
export async function hold(world: World, machine: HeldMachine, holding: Holding = {}): Promise<void> {
  world.neighbours.set(machine.address, machine.mac);
  await held(world.client, world.clock, machine, holding);
  await world.settle();
}

/** As the life cycle starts it anew to be installed, some seconds later. */
export async function order({ client, clock, settle }: World, uuid: string): Promise<void> {
  await clock.advance(2000);
  await ordered(client, clock, uuid);
  await settle();
}

/** Its iPXE asks for a script. */
export async function script(world: World, { uuid, mac, address }: HeldMachine, from = address): Promise<string> {
  return (await world.ask(`/ipxe?uuid=${uuid}&mac=${mac.replaceAll(":", "-")}&arch=x86_64`, from)).text;
}
