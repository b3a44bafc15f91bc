/** A cluster in the words of the guides before Sidero, to machines that run it: everything of v1alpha2, Servers of metal.arges.dev, BMCs in MetalMachines. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAllDocuments } from "yaml";
import { Kinds } from "#cli/cluster/objects.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import { Machine } from "#kinds/cluster/v1alpha2/machine.ts";
import { MetalCluster } from "#kinds/infrastructure/v1alpha2/metal-cluster.ts";
import { MetalMachine } from "#kinds/infrastructure/v1alpha2/metal-machine.ts";
import { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import { Secret } from "#kube/secret.ts";
import type { KubeObject } from "#schema/meta.ts";
import { parseContract } from "#talos/contract.ts";
import { printConfig } from "#talos/document/document.ts";
import { generateConfig } from "#talos/generate/generate.ts";
import type { Minting } from "#talos/pki.ts";
import { makeSecrets } from "#talos/secrets.ts";
import type { SimMachine } from "../../sim/machine/machine.ts";
import { startTrial } from "../../sim/trial/trial.ts";

const MINUTE = 60_000;
const NAME = "example-0";

/** What `osctl config generate` left: that of the first machine, and that of those that join. */
async function configurations(endpoint: string, minting: Minting): Promise<{ init: string; join: string }> {
  const contract = parseContract("v1.13");
  const secrets = await makeSecrets(contract, minting);
  const options = { clusterName: NAME, endpoint: `https://${endpoint}:6443`, contract, secrets, installDisk: "/dev/sda" };
  return { init: printConfig(generateConfig("init", options)), join: printConfig(generateConfig("worker", options)) };
}

/** In that age passwords of BMCs stood in the objects; there the watch sees them, and nowhere else. */
const GIVEN = /^a password in (infrastructure.cluster.x-k8s.io\/metalmachines|metal.sidero.dev\/servers) /;

interface Board {
  readonly uuid: string;
  readonly address: string;
  readonly user: string;
  readonly password: string;
}

/** As `kustomize build ./clusters/metal` prints it. One configuration is a TalosConfig, the other stands in the Machine. */
function manifest(endpoint: string, first: Board, second: Board, { init, join }: { init: string; join: string }): string {
  return `
apiVersion: cluster.x-k8s.io/v1alpha2
kind: Cluster
metadata: {name: ${NAME}}
spec:
  clusterNetwork: {pods: {cidrBlocks: [10.244.0.0/16]}, services: {cidrBlocks: [10.96.0.0/16]}}
  infrastructureRef: {apiVersion: infrastructure.cluster.x-k8s.io/v1alpha2, kind: MetalCluster, name: ${NAME}}
---
apiVersion: infrastructure.cluster.x-k8s.io/v1alpha2
kind: MetalCluster
metadata: {name: ${NAME}}
spec: {apiEndpoints: [{host: ${endpoint}, port: 6443}]}
---
apiVersion: bootstrap.cluster.x-k8s.io/v1alpha2
kind: TalosConfig
metadata: {name: controlplane-0, labels: {cluster.x-k8s.io/cluster-name: ${NAME}}}
spec:
  generateType: none
  data: ${JSON.stringify(init)}
---
${metalMachine("controlplane-0", first)}
---
apiVersion: cluster.x-k8s.io/v1alpha2
kind: Machine
metadata:
  name: controlplane-0
  labels: {cluster.x-k8s.io/cluster-name: ${NAME}, cluster.x-k8s.io/control-plane: "true"}
spec:
  bootstrap:
    configRef: {apiVersion: bootstrap.cluster.x-k8s.io/v1alpha2, kind: TalosConfig, name: controlplane-0}
  infrastructureRef: {apiVersion: infrastructure.cluster.x-k8s.io/v1alpha2, kind: MetalMachine, name: controlplane-0}
  version: 1.17.3
---
${metalMachine("worker-0", second)}
---
apiVersion: cluster.x-k8s.io/v1alpha2
kind: Machine
metadata: {name: worker-0, labels: {cluster.x-k8s.io/cluster-name: ${NAME}}}
spec:
  bootstrap: {data: ${Buffer.from(join).toString("base64")}}
  infrastructureRef: {apiVersion: infrastructure.cluster.x-k8s.io/v1alpha2, kind: MetalMachine, name: worker-0}
`;
}

function bmcOf({ address, user, password }: Board) {
  return { endpoint: address, user, pass: password };
}

function metalMachine(name: string, { uuid, address, user, password }: Board): string {
  return `
apiVersion: infrastructure.cluster.x-k8s.io/v1alpha2
kind: MetalMachine
metadata: {name: ${name}}
spec:
  serverRef: {apiVersion: metal.arges.dev/v1alpha1, kind: Server, name: ${uuid}, namespace: default}
  bmc: {endpoint: ${address}, user: ${user}, pass: ${password}}`;
}

test("a cluster in the guides' words is installed, runs, and goes again", async () => {
  const { hall, people, watch, boards, ledger } = await startTrial({
    seed: 31,
    machines: 4,
    flags: { "auto-bmc-setup": "false" },
  });
  const until = async (what: string, minutes: number, isSo: () => Promise<boolean>): Promise<void> => {
    for (let passed = 0; !(await hall.during(isSo())); passed++) {
      if (passed === minutes * 6) assert.fail(`${hall.story.text()}\n${what}: not within ${minutes} minutes`);
      await hall.pass(MINUTE / 6);
    }
    assert.deepEqual(
      watch.violations.filter((each) => !GIVEN.test(each)),
      [],
      hall.story.text(),
    );
  };
  for (const machine of hall.machines) machine.switchOn();
  await hall.pass(6 * MINUTE);
  const { client } = hall.process!;
  // Their BMCs nobody tells of but the manifest.
  const chosen: readonly SimMachine[] = hall.machines.filter(({ identity }) => identity.model.bmc === "ipmi").slice(0, 2);
  assert.equal(chosen.length, 2);
  for (const machine of chosen) {
    await hall.during(people.agree(machine, client));
    await hall.during(people.nameDisk(machine, client));
  }
  const servers = (): Promise<Server[]> => Promise.all(chosen.map(({ identity }) => client.for(Server).get(identity.uuid)));
  await until("they are clean", 60, async () => (await servers()).every(({ status }) => status?.isClean === true));

  const [first, second] = chosen.map(({ identity }) => boards.get(identity.uuid)!);
  // Nobody holds an address for it: the first machine's own is the cluster's.
  const endpoint = (await hall.during(servers()))[0]!.status!.addresses!.find(({ type }) => type === "InternalIP")!.address;
  const minting = { pki: hall.site.pki, entropy: new SeededEntropy(77), now: hall.clock.now() };
  const text = manifest(endpoint, first!, second!, await hall.during(configurations(endpoint, minting)));
  const kinds = new Kinds(client);
  for (const document of parseAllDocuments(text)) {
    const object = document.toJS() as KubeObject;
    await hall.during(kinds.resource(object).then((resource) => resource.create(object)));
  }
  const running = (machine: SimMachine): boolean => machine.installed !== undefined;
  await until("both run what was installed on them", 40, async () => {
    const phases = (await servers()).map(({ status }) => status?.phase);
    return chosen.every(running) && phases.every((phase) => phase === "Running");
  });

  for (const role of ["control plane machine", "worker"])
    assert.match(hall.story.text(), new RegExp(`a ${role} of ${NAME}$`, "m"));
  const machines = async (): Promise<Machine[]> => (await client.for(Machine).in("default").list()).items;
  await until("both are nodes", 10, async () => (await machines()).every(({ status }) => status?.phase === "Running"));

  // As it was written, and as it is now, in that age's own words.
  const { spec, status } = await hall.during(client.for(MetalMachine).in("default").get("worker-0"));
  assert.equal(spec?.providerID, `sidero://${second!.uuid}`);
  assert.equal(spec?.serverRef?.name, second!.uuid);
  assert.equal(status?.ready, true);
  assert.deepEqual((await hall.during(servers()))[1]!.spec?.bmc, bmcOf(second!), "as the MetalMachine has it");
  const cluster = await hall.during(client.for(MetalCluster).in("default").get(NAME));
  assert.deepEqual(cluster.status?.apiEndpoints, [{ host: endpoint, port: 6443 }]);
  for (const machine of await hall.during(machines())) {
    assert.equal(machine.status?.nodeRef?.kind, "Node", machine.metadata.name!);
    assert.equal(machine.status?.infrastructureReady, true, machine.metadata.name!);
    assert.equal(machine.status?.bootstrapReady, true, machine.metadata.name!);
  }
  assert.deepEqual([...ledger.bindings.keys()].toSorted(), chosen.map(({ identity }) => identity.uuid).toSorted());
  const secret = await hall.during(client.for(Secret).in("default").get("worker-0-bootstrap-data"));
  assert.match(Buffer.from(secret.data?.["value"] ?? "", "base64").toString(), /type: worker/);

  for (const name of ["worker-0", "controlplane-0"]) await hall.during(client.for(Machine).in("default").delete(name));
  await until("they are clean and off", 60, async () => {
    const { items } = await client.for(ServerBinding).list();
    const isClean = (await servers()).every((server) => server.status?.isClean === true);
    return items.length === 0 && isClean && chosen.every(({ power, installed }) => power === "off" && installed === undefined);
  });
  await hall.stop();
});
