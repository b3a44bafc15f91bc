/** A cluster from a ClusterClass, with the examples of the guide: made, scaled, changed by a variable, upgraded, less by a set of workers, and taken away. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parseAllDocuments } from "yaml";
import { Kinds } from "#cli/cluster/objects.ts";
import type { KubeObject } from "#schema/meta.ts";
import type { WorkloadNode } from "#kube/workload.ts";
import { MODELS } from "../../sim/machine/model.ts";
import { hallOf, isFree, MINUTE, nodesAre, nodesOf, type Road, until } from "./road.ts";

const NAME = "two";
const example = (file: string): KubeObject[] =>
  parseAllDocuments(readFileSync(new URL(`../../docs/examples/${file}`, import.meta.url), "utf8")).map(
    (document) => document.toJS() as KubeObject,
  );

async function apply({ trial }: Road, file: string): Promise<void> {
  const kinds = new Kinds(trial.hall.process!.client);
  for (const object of example(file)) await (await kinds.resource(object)).create(object);
}

const worker = ({ metadata }: WorkloadNode): boolean => metadata.labels?.["node-role.kubernetes.io/control-plane"] === undefined;
const version = ({ status }: WorkloadNode): string | undefined => status?.nodeInfo?.["kubeletVersion"];

test("a cluster of a class lives as its topology says", async () => {
  // Without a BMC a person has to start it once more to have it wiped.
  const road = await hallOf(
    6,
    MODELS.filter(({ bmc }) => bmc !== "none"),
  );
  const { trial, tenant } = road;
  const { hall } = trial;
  const topology = (change: object) => hall.during(tenant.of("cluster").patch(NAME, { spec: { topology: change } } as never));
  const sets = (blue: number, green?: number) => ({
    workers: {
      machineDeployments: [
        { class: "default", name: "blue", replicas: blue },
        ...(green === undefined ? [] : [{ class: "default", name: "green", replicas: green }]),
      ],
    },
  });
  const nodes = () => hall.during(nodesOf(road, NAME));

  await hall.during(apply(road, "cluster-class.yaml"));
  await hall.during(apply(road, "cluster-of-class.yaml"));
  await until(road, "the cluster has its nodes", 30, nodesAre(road, NAME, 3));
  assert.deepEqual(
    (await nodes()).filter(worker).map(({ metadata }) => metadata.labels?.["sort"]),
    ["none", "none"],
  );

  await hall.pass(10 * MINUTE);
  const written: string[] = [];
  const unwatch = hall.process!.store.subscribe(undefined, ({ type, entry }) => {
    const isUsual = entry.resource === "coordination.k8s.io/leases" || (entry.resource === "/events" && type === "DELETED");
    if (!isUsual) written.push(`${type} ${entry.resource} ${entry.name}`);
  });
  await hall.pass(30 * MINUTE);
  assert.deepEqual(written, [], "at rest");
  if (typeof unwatch === "function") unwatch();

  await topology(sets(2, 1));
  await until(road, "one worker more", 20, nodesAre(road, NAME, 4));

  const [plane] = (await nodes()).filter((node) => !worker(node));
  await topology({
    variables: [
      { name: "endpoint", value: "10.77.0.100" },
      { name: "workerLabel", value: "fast" },
    ],
  });
  await until(road, "workers with another label", 120, async () => {
    const found = (await nodesOf(road, NAME)).filter(worker);
    return found.length === 3 && found.every(({ metadata }) => metadata.labels?.["sort"] === "fast");
  });
  await until(road, "all of them ready", 30, nodesAre(road, NAME, 4));
  assert.equal(
    (await nodes()).find((node) => !worker(node))?.metadata.uid,
    plane?.metadata.uid,
    "the control plane is as it was",
  );

  const seen: string[] = [];
  await topology({ version: "v1.36.1" });
  await until(road, "another Kubernetes", 240, async () => {
    const found = await nodesOf(road, NAME);
    const planes = found.filter((node) => !worker(node)).map(version);
    const workers = found.filter(worker).map(version);
    if (workers.includes("v1.36.1") && planes.includes("v1.36.0")) seen.push(`${planes.join()} and ${workers.join()}`);
    return found.length === 4 && [...planes, ...workers].every((each) => each === "v1.36.1");
  });
  assert.deepEqual(seen, [], "no worker is newer than the control plane");
  await until(road, "all of them ready", 30, nodesAre(road, NAME, 4));

  await topology(sets(2));
  await until(road, "a set of workers less", 30, nodesAre(road, NAME, 3));
  const deployments = (await hall.during(tenant.of("deployment").list())).items;
  assert.equal(deployments.length, 1);

  await hall.during(tenant.delete(NAME));
  await until(road, "all machines are clean and off", 60, async () => hall.machines.every((machine) => isFree(road, machine)));
  await until(road, "nothing is left of it", 10, async () => {
    const kinds = ["cluster", "machine", "metalMachine", "controlPlane", "deployment"] as const;
    const left = await Promise.all(kinds.map((kind) => tenant.of(kind).list()));
    return left.every(({ items }) => items.length === 0);
  });
  await hall.stop();
});
