/** The boot handler on a whole API in memory: Servers that are held, with bootstrap data, and a network on which addresses belong to somebody. */
import { createBootHandler } from "#boot/http/handler.ts";
import { programsOf } from "#boot/programs.ts";
import { actionTime, begun } from "#decide/lifecycle/action.ts";
import type { Sighting } from "#decide/sighting.ts";
import { sleep } from "#io/clock.ts";
import { silent } from "#io/log.ts";
import type { VirtualClock } from "#io/memory/clock.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import { createMemorySeal } from "#io/memory/seal.ts";
import { digest } from "#io/node/digest.ts";
import type { Outgoing } from "#io/serve.ts";
import { families } from "#kinds/index.ts";
import { MetalMachine } from "#kinds/infrastructure/v1alpha3/metal-machine.ts";
import { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import { Environment } from "#kinds/metal/v1alpha2/environment.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import { type Client, createClient } from "#kube/client.ts";
import { createRecorder, KubeEvent } from "#kube/events.ts";
import { kindRef } from "#kube/kind.ts";
import { toCrd } from "#schema/crd.ts";
import { toExtension } from "#schema/family.ts";
import type { KubeObject } from "#schema/meta.ts";
import { encodeBase64 } from "#std/base64.ts";
import { Fault } from "#std/fault.ts";
import { createInventory } from "#main/inventory.ts";
import { createMetadataPort } from "#main/metadata.ts";
import { startFixture } from "../apiserver/fixture.ts";

export const Machine = kindRef<KubeObject>({
  group: "cluster.x-k8s.io",
  version: "v1beta2",
  kind: "Machine",
  plural: "machines",
  scope: "Namespaced",
});
export const Secret = kindRef<KubeObject>({ group: "", version: "v1", kind: "Secret", plural: "secrets", scope: "Namespaced" });

/** Cluster API's, where nobody has brought it. */
const MACHINE_CRD = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "machines.cluster.x-k8s.io" },
  spec: {
    group: "cluster.x-k8s.io",
    scope: "Namespaced",
    names: { kind: "Machine", plural: "machines" },
    versions: [
      {
        name: "v1beta2",
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
      },
    ],
  },
};

export interface WorldOptions {
  readonly isOpen?: boolean;
  readonly identity?: "neighbour" | "network";
}

export interface World {
  readonly clock: VirtualClock;
  readonly client: Client;
  /** Whose an address is: `10.0.0.7` → `52:54:00:00:00:01`. */
  readonly neighbours: Map<string, string>;
  readonly sightings: Sighting[];
  readonly refused: string[];
  ask(target: string, address: string): Promise<{ readonly status: number; readonly text: string }>;
  /** What was told about objects so far, `Server Configuration: …`. */
  events(): Promise<string[]>;
  /** The caches have caught up. */
  settle(): Promise<void>;
  stop(): Promise<void>;
}

export async function startWorld({ isOpen = false, identity = "neighbour" }: WorldOptions = {}): Promise<World> {
  const hasMachine = families.some(({ storage }) => storage.group === Machine.group && storage.kind === Machine.kind);
  const fixture = await startFixture({
    crds: [...families.map(toCrd), ...(hasMachine ? [] : [MACHINE_CRD as unknown as KubeObject])],
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
    settings: { endpoint: "10.0.0.1", port: 8081, diskMethod: "ipxe-exit", agentArguments: [], tokenLifetime: 3_600_000 },
  });
  const settle = async (): Promise<void> => {
    await fixture.idle();
    for (let passed = 0; passed < 300; passed += 10) await clock.advance(10);
    await fixture.idle();
  };
  await client.for(Environment).create(environment("default", ["quiet"]));
  await client.for(Environment).patch("default", { status: READY }, { subresource: "status" });
  await settle();
  return {
    clock,
    client,
    neighbours,
    sightings,
    refused,
    async ask(target, address) {
      const signal = new AbortController().signal;
      const answering = handler({
        method: "GET",
        target,
        headers: {},
        peer: { address },
        body: async () => Buffer.alloc(0),
        signal,
      });
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

function textOf(body: Outgoing["body"]): string {
  return "open" in body ? "" : Buffer.concat(body).toString();
}

const READY = {
  conditions: ["k", "i"].map((file) => ({ type: "Ready", status: "True", url: `http://assets/${file}`, sha512: "ab" })),
};

export function environment(name: string, args: string[]): Environment {
  return {
    apiVersion: "metal.sidero.dev/v1alpha2",
    kind: "Environment",
    metadata: { name },
    spec: { kernel: { url: "http://assets/k", args }, initrd: { url: "http://assets/i" } },
  };
}

export interface HeldMachine {
  readonly uuid: string;
  readonly mac: string;
  readonly address: string;
}

export function numbered(number: number): HeldMachine {
  const hex = number.toString(16).padStart(4, "0");
  return {
    uuid: `4c4c4544-0042-3510-8054-b4c04f33${hex}`,
    mac: `52:54:00:00:${hex.slice(0, 2)}:${hex.slice(2)}`,
    address: `10.1.${number >> 8}.${number & 255}`,
  };
}

export interface Holding {
  readonly config?: string;
  readonly spec?: Partial<NonNullable<Server["spec"]>>;
  readonly className?: string;
}

/** A Server that is held, and has been started to be installed; its address is seen on its own interface. */
export async function hold(
  world: World,
  { uuid, mac, address }: HeldMachine,
  { config, spec, className }: Holding = {},
): Promise<void> {
  const { client, neighbours } = world;
  const name = `m-${uuid.slice(-4)}`;
  neighbours.set(address, mac);
  const hardware = { system: { uuid }, network: { interfaces: [{ mac }] } };
  await client.for(Server).create({ metadata: { name: uuid }, spec: { accepted: true, hardware, ...spec } });
  const secret = { metadata: { name: `${name}-data`, namespace: "default" }, data: { value: encodeBase64(config ?? CONFIG) } };
  await client.for(Secret).in("default").create(secret);
  const machine = await client
    .for(Machine)
    .in("default")
    .create({
      metadata: { name, namespace: "default" },
      spec: {
        clusterName: "c",
        bootstrap: { dataSecretName: `${name}-data` },
        infrastructureRef: { apiGroup: MetalMachine.group, kind: "MetalMachine", name },
      },
    });
  const owner = { apiVersion: "cluster.x-k8s.io/v1beta2", kind: "Machine", name, uid: machine.metadata.uid ?? "" };
  await client
    .for(MetalMachine)
    .in("default")
    .create({ metadata: { name, namespace: "default", ownerReferences: [owner] }, spec: {} });
  const reference = { apiVersion: "infrastructure.cluster.x-k8s.io/v1alpha3", kind: "MetalMachine", namespace: "default", name };
  await client.for(ServerBinding).create({
    metadata: { name: uuid },
    spec: { metalMachineRef: reference, ...(className !== undefined && { serverClassRef: { name: className } }) },
  });
  await order(world, uuid);
}

/** As the life cycle starts it to be installed. Resolves to the id. */
export async function order({ client, clock, settle }: World, uuid: string): Promise<string> {
  const { metadata } = await client.for(ServerBinding).get(uuid);
  const goal = {
    do: "boot-environment",
    context: metadata.uid ?? "",
    because: "allocated",
    urgency: "lifecycle",
    most: 5,
  } as const;
  await clock.advance(2000);
  const action = { ...begun(goal, { by: "bmc", verb: "on" }, undefined, clock.now()), state: "done" as const };
  const since = new Date(actionTime(action)).toISOString().replace(/\.\d+/, "");
  const allocation = { binding: metadata.uid ?? "", since };
  await client.for(Server).patch(uuid, { status: { action, allocation, bmc: { way: "bmc" } } }, { subresource: "status" });
  await settle();
  return action.id;
}

/** Its iPXE asks for a script. */
export async function script(world: World, { uuid, mac, address }: HeldMachine, from = address): Promise<string> {
  return (await world.ask(`/ipxe?uuid=${uuid}&mac=${mac.replaceAll(":", "-")}&arch=x86_64`, from)).text;
}

/** Path and query of the configuration in a script, as Talos asks; undefined when there is no token in it. */
export function configIn(text: string, uuid: string): string | undefined {
  const url = /talos\.config=http:\/\/[^/ ]+(\/configdata\?uuid=&token=[\w-]+)/.exec(text)?.[1];
  return url?.replace("uuid=", `uuid=${uuid}`);
}

export const CONFIG = `version: v1alpha1 # the one
machine:
    type: worker
    token: secret.machinetoken
    novel: { a: [1, 2] }
---
apiVersion: v1alpha1
kind: HostnameConfig
auto: stable # as it is
`;
