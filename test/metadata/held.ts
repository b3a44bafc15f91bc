/** Servers that are held for MetalMachines with bootstrap data, as the controllers would have made all that. */
import { actionTime, begun } from "#decide/lifecycle/action.ts";
import type { Clock } from "#io/clock.ts";
import { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import { MetalMachine } from "#kinds/infrastructure/v1alpha3/metal-machine.ts";
import { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import { Environment } from "#kinds/metal/v1alpha2/environment.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import type { Client } from "#kube/client.ts";
import { Secret } from "#kube/secret.ts";
import { encodeBase64 } from "#std/base64.ts";

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

/** The Environment "default", with its files on disk as far as its status says. */
export async function environmentOf(client: Client): Promise<void> {
  await client.for(Environment).create(environment("default", ["quiet"]));
  await client.for(Environment).patch("default", { status: READY }, { subresource: "status" });
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

/** A Server that is held, and has been started to be installed. */
export async function held(
  client: Client,
  clock: Pick<Clock, "now">,
  { uuid, mac }: HeldMachine,
  { config, spec, className }: Holding = {},
): Promise<void> {
  const name = `m-${uuid.slice(-4)}`;
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
  await ordered(client, clock, uuid);
}

/** As the life cycle starts it to be installed. Resolves to the id. */
export async function ordered(client: Client, clock: Pick<Clock, "now">, uuid: string): Promise<string> {
  const { metadata } = await client.for(ServerBinding).get(uuid);
  const goal = {
    do: "boot-environment",
    context: metadata.uid ?? "",
    because: "allocated",
    urgency: "lifecycle",
    most: 5,
  } as const;
  const action = { ...begun(goal, { by: "bmc", verb: "on" }, undefined, clock.now()), state: "done" as const };
  const since = new Date(actionTime(action)).toISOString().replace(/\.\d+/, "");
  const allocation = { binding: metadata.uid ?? "", since };
  await client.for(Server).patch(uuid, { status: { action, allocation, bmc: { way: "bmc" } } }, { subresource: "status" });
  return action.id;
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
