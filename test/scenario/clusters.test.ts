/**
 * The scenarios of upstream's integration tests that make clusters (reference/sidero.md §10.3, 14 to 26), within their times and in their order but for 15, in the
 * simulated hall. Each builds on the one before. The hall has no tunnel: what Talos says of itself is handed to the sink as the tunnel would bring it.
 */
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { clusterObjects } from "#cli/cluster/manifest.ts";
import { Kinds } from "#cli/cluster/objects.ts";
import { silent } from "#io/log.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import { MachineDeployment } from "#kinds/cluster/v1beta2/machine-deployment.ts";
import { CONTROL_PLANE } from "#kinds/cluster/keys.ts";
import { TalosControlPlane } from "#kinds/controlplane/v1alpha3/talos-control-plane.ts";
import { MetalMachine } from "#kinds/infrastructure/v1alpha3/metal-machine.ts";
import { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import { ServerClass } from "#kinds/metal/v1alpha2/server-class.ts";
import { type Client, createClient } from "#kube/client.ts";
import { createRecorder } from "#kube/events.ts";
import { parseKubeconfig } from "#kube/kubeconfig.ts";
import type { WorkloadNode } from "#kube/workload.ts";
import { createSink } from "#link/sink.ts";
import { createLinkPort } from "#main/link-port.ts";
import { EventRequestSchema, EventResponseSchema } from "#proto/siderolink/events_pb.js";
import { Nodes } from "../../sim/talos/kubernetes.ts";
import { Tenant } from "../../sim/trial/tenant.ts";
import { startTrial, type Trial } from "../../sim/trial/trial.ts";
import { call } from "../link/world.ts";

const MINUTE = 60_000;
const MACHINES = 7;
const LABELLED = "dummy-server";

/** A condition in the words of both contracts. */
interface Said {
  readonly status: string;
  readonly severity?: string;
  readonly reason?: string;
  readonly message?: string;
}

suite("upstream's scenarios, with clusters", () => {
  let trial: Trial;
  let client: Client;
  let tenant: Tenant;

  const during = <T>(work: Promise<T>): Promise<T> => trial.hall.during(work);
  const servers = async (): Promise<Server[]> => (await during(client.for(Server).list())).items;
  const machines = async (): Promise<Machine[]> => (await during(client.for(Machine).list())).items;
  const bindings = async (): Promise<ServerBinding[]> => (await during(client.for(ServerBinding).list())).items;

  /** Until `check` no longer throws, for so long in the simulation. Nothing that must never be may have been. */
  async function within(time: number, check: () => Promise<void>): Promise<void> {
    for (let passed = 0; ; passed += 2_000) {
      assert.deepEqual(trial.watch.violations, []);
      try {
        return await check();
      } catch (error) {
        if (passed >= time) throw error;
      }
      await trial.hall.pass(2_000);
    }
  }

  async function apply(name: string, host: string, serverClass: string, workers: number): Promise<void> {
    const objects = clusterObjects({
      name,
      namespace: "default",
      endpoint: { host, port: 6443 },
      controlPlanes: 1,
      workers,
      controlPlaneClass: serverClass,
      workerClass: serverClass,
      talosVersion: "v1.13",
      kubernetesVersion: "",
      installDisk: "",
      vipLink: "eth0",
    });
    const kinds = new Kinds(client);
    for (const object of objects) await during(kinds.resource(object).then((resource) => resource.create(object)));
  }

  async function nodes(name: string): Promise<WorkloadNode[]> {
    const kubeconfig = await during(tenant.kubeconfig(name));
    assert.ok(kubeconfig, `there is no kubeconfig of ${name}`);
    const transport = trial.hall.web.openFrom("10.77.0.9")(parseKubeconfig(kubeconfig));
    const { clock } = trial.hall;
    const workload = createClient({ transport, clock, entropy: new SeededEntropy(1), userAgent: "kubectl" });
    return (await during(workload.for(Nodes).list())).items;
  }

  /** Upstream's health check, as far as there is something to look at: as many Nodes as that, all ready. */
  async function healthy(name: string, count: number): Promise<void> {
    const found = await nodes(name);
    const ready = found.filter(({ status }) =>
      status?.conditions?.some((each) => each.type === "Ready" && each.status === "True"),
    );
    assert.deepEqual([found.length, ready.length], [count, count]);
  }

  const ready = async (name: string): Promise<void> => {
    const { spec, status } = await during(client.for(MachineDeployment).in("default").get(`${name}-workers`));
    assert.deepEqual([status?.phase, status?.replicas, status?.readyReplicas], ["Running", spec?.replicas, spec?.replicas]);
    const plane = await during(client.for(TalosControlPlane).in("default").get(`${name}-cp`));
    assert.deepEqual([plane.status?.replicas, plane.status?.readyReplicas], [plane.spec?.replicas, plane.spec?.replicas]);
  };

  /** Where there is no BMC, somebody has to go there: upstream's machines all have one. Who has just been there gives the machine its time. */
  const visits = new Map<string, number>();
  const walkAround = async (): Promise<void> => {
    const waiting = (await servers()).filter(({ status }) => status?.waiting?.reason === "PersonNeeded");
    const names = new Set(waiting.map(({ metadata }) => metadata.name));
    const now = trial.hall.clock.now();
    for (const machine of trial.hall.machines) {
      const { uuid } = machine.identity;
      if (!names.has(uuid) || now - (visits.get(uuid) ?? -Infinity) < 5 * MINUTE) continue;
      visits.set(uuid, now);
      machine.cycle();
    }
  };

  async function gone(name: string): Promise<void> {
    await during(tenant.delete(name));
    // Upstream waits three minutes. A control plane's machine is there until it is known to have stopped, and without a BMC a person has to see to that.
    await within(20 * MINUTE, async () => {
      await walkAround();
      await assert.rejects(during(tenant.of("cluster").get(name)), { code: "api.not-found" });
      assert.deepEqual(
        (await machines()).filter(({ spec }) => spec?.clusterName === name),
        [],
      );
    });
  }

  const clean = async (names: readonly string[], time: number): Promise<void> =>
    await within(time, async () => {
      const dirty = (await servers()).filter(
        ({ metadata, status }) => names.includes(metadata.name!) && status?.isClean !== true,
      );
      if (dirty.length > 0) await walkAround();
      assert.deepEqual(
        dirty.map(({ metadata, status }) => [metadata.name, status?.phase, status?.waiting?.reason]),
        [],
      );
    });

  /** What machines say of themselves goes where the tunnel's end is, from the address that each has in it. */
  function hearMachines(): void {
    const { clock, talos } = trial.hall;
    const entropy = new SeededEntropy(15);
    const events = createRecorder({ client, clock, entropy, log: silent, component: "sidero", instance: "test" });
    const names = trial.hall.machines.map(({ identity }) => identity.uuid);
    const addressOf = (uuid: string): string => `fd77::${(names.indexOf(uuid) + 1).toString(16)}`;
    const peers = new Map(names.map((name) => [addressOf(name), { name, isGuest: false, publicKey: name }]));
    const sink = createSink({
      port: createLinkPort(client, events, clock),
      inventory: { server: (name) => trial.ledger.servers.get(name) },
      peers: { at: (address) => peers.get(address) },
      negative: [],
      clock,
      log: silent,
      witness: () => {},
    });
    let count = 0;
    talos.onEvent = (uuid, { type, value }) => {
      // An xid, of whose hundred bits the last four are none.
      const id = (++count * 16).toString(32).padStart(20, "0");
      const request = { id, data: { typeUrl: `type.googleapis.com/${type}`, value } };
      const target = "/events.EventSinkService/Publish";
      void call(sink, EventRequestSchema, EventResponseSchema, request, addressOf(uuid), target);
    };
  }

  before(async () => {
    trial = await startTrial({ seed: 14, machines: MACHINES });
    client = trial.hall.process!.client;
    tenant = new Tenant(
      () => client,
      () => trial.hall.clock.now(),
    );
    for (const machine of trial.hall.machines) machine.switchOn();
    await trial.hall.pass(6 * MINUTE);
    for (const machine of trial.hall.machines) {
      await during(trial.people.accept(machine, client));
      await during(trial.people.nameDisk(machine, client));
    }
    await clean(
      (await servers()).map(({ metadata }) => metadata.name!),
      60 * MINUTE,
    );
  });
  after(() => trial.hall.stop());

  test("14 class patch: what the class patches is what the machine runs with; its Server does not go while it is allocated", async () => {
    const chosen = trial.hall.machines.find(({ identity }) => identity.model.bmc !== "none")!.identity.uuid;
    await during(client.for(Server).patch(chosen, { metadata: { labels: { [LABELLED]: "" } } }));
    const configPatches = [{ op: "add" as const, path: "/machine/nodeLabels", value: { woot: "yes" } }];
    const selector = { matchLabels: { [LABELLED]: "" } };
    await during(client.for(ServerClass).create({ metadata: { name: "dummyservers" }, spec: { selector, configPatches } }));
    const name = "serverclass-config-patch-test";
    await apply(name, "10.77.0.101", "dummyservers", 0);
    await within(5 * MINUTE, async () => {
      const [binding] = await bindings();
      assert.deepEqual([binding?.metadata.name, binding?.spec?.serverClassRef?.name], [chosen, "dummyservers"]);
    });
    await within(20 * MINUTE, async () => {
      const [node] = await nodes(name);
      assert.equal(node?.metadata.labels?.["woot"], "yes");
    });
    await during(client.for(Server).delete(chosen));
    await trial.hall.pass(10_000);
    const server = await during(client.for(Server).get(chosen));
    assert.ok(server.metadata.deletionTimestamp);
    assert.deepEqual(server.metadata.finalizers, ["storage.finalizers.server.k8s.io"]);
    await gone(name);
    await within(MINUTE, () => assert.rejects(during(client.for(Server).get(chosen)), { code: "api.not-found" }));
  });

  test("16 management cluster: one control plane machine and one worker, healthy within ten minutes", async () => {
    await apply("management-cluster", "10.77.0.102", "any", 1);
    await within(10 * MINUTE, async () => {
      await ready("management-cluster");
      await healthy("management-cluster", 2);
    });
  });

  test("17 as many Machines as Servers in use", async () => {
    const inUse = (await servers()).filter(({ status }) => status?.inUse === true);
    assert.equal((await machines()).length, inUse.length);
  });

  const scale = async (workers: number, controlPlanes: number): Promise<void> => {
    await during(tenant.scaleWorkers("management-cluster", workers));
    await during(tenant.scaleControlPlane("management-cluster", controlPlanes));
    await within(20 * MINUTE, async () => {
      // A machine of a control plane is waited for until it is known to have stopped.
      await walkAround();
      await ready("management-cluster");
      await healthy("management-cluster", workers + controlPlanes);
    });
  };
  test("18 workers up to three", () => scale(3, 1));
  test("19 workers down to one", () => scale(1, 1));
  test("20 control plane up to three", () => scale(1, 3));
  test("21 control plane down to one", () => scale(1, 1));
  test("22 control plane up to three, and down again without waiting", async () => {
    await during(tenant.scaleControlPlane("management-cluster", 3));
    await trial.hall.pass(10_000);
    await scale(1, 1);
  });

  test("23 workers that somebody deletes are replaced", async () => {
    const workers = (await machines()).filter(({ metadata }) => metadata.labels?.[CONTROL_PLANE] === undefined);
    for (const { metadata } of workers) await during(client.for(Machine).in("default").delete(metadata.name!));
    await within(MINUTE, async () => {
      const { status } = await during(client.for(MachineDeployment).in("default").get("management-cluster-workers"));
      assert.equal(status?.readyReplicas ?? 0, 0);
    });
    await within(10 * MINUTE, async () => {
      await walkAround();
      await ready("management-cluster");
      const left = (await machines()).map(({ metadata }) => metadata.uid);
      assert.ok(workers.every(({ metadata }) => !left.includes(metadata.uid)));
    });
  });

  test("24 a serverRef that is taken away is the same again", async () => {
    const metalMachines = client.for(MetalMachine).in("default");
    const refs = async () =>
      (await during(metalMachines.list())).items.map(({ metadata, spec }) => [metadata.name, spec?.serverRef?.name]);
    const wanted = await refs();
    assert.equal(wanted.length, 2);
    for (const [name] of wanted) await during(metalMachines.patch(name!, { spec: { serverRef: null } }));
    await within(MINUTE, async () => assert.deepEqual(await refs(), wanted));
    assert.equal((await bindings()).length, 2);
  });

  test("25 Servers of workers that are no longer wanted are wiped", async () => {
    const held = (await bindings()).filter(({ metadata }) => metadata.labels?.[CONTROL_PLANE] === undefined);
    assert.equal(held.length, 1);
    await during(tenant.scaleWorkers("management-cluster", 0));
    await within(MINUTE, async () => assert.equal((await bindings()).length, 1));
    await clean(
      held.map(({ metadata }) => metadata.name!),
      40 * MINUTE,
    );
  });

  test("26 a second cluster comes and goes beside the first", async () => {
    await apply("workload-cluster", "10.77.0.103", "any", 1);
    await within(10 * MINUTE, async () => {
      await ready("workload-cluster");
      await healthy("workload-cluster", 2);
    });
    await gone("workload-cluster");
    await healthy("management-cluster", 1);
    await gone("management-cluster");
    assert.deepEqual(await bindings(), []);
    await clean(
      (await servers()).map(({ metadata }) => metadata.name!),
      60 * MINUTE,
    );
  });

  /** Last, as from then on the hall has a tunnel, so to speak: the others do without. */
  test("15 PXE boot: a configuration that cannot be had, or that Talos does not take, is told by the MetalMachine until it is mended", async () => {
    hearMachines();
    const patch = (spec: NonNullable<ServerClass["spec"]>): Promise<unknown> =>
      during(client.for(ServerClass).patch("pxe-test-server", { spec }));
    const chosen = trial.hall.machines.findLast(({ identity }) => identity.model.bmc !== "none")!.identity.uuid;
    await during(client.for(Server).patch(chosen, { metadata: { labels: { [LABELLED]: "pxe" } } }));
    const selector = { matchLabels: { [LABELLED]: "pxe" } };
    const impossible = [{ op: "remove" as const, path: "/machine/nothing/of/it" }];
    await during(
      client.for(ServerClass).create({ metadata: { name: "pxe-test-server" }, spec: { selector, configPatches: impossible } }),
    );
    const name = "pxe-test-cluster";
    await apply(name, "10.77.0.104", "pxe-test-server", 0);
    const said = async (): Promise<Map<string, Said>> => {
      const { items } = await during(client.for(MetalMachine).in("default").list());
      assert.equal(items.length, 1);
      return new Map((items[0]!.status?.conditions ?? []).map((each) => [each.type, each]));
    };
    const fails = async (type: string, reason: string, message: RegExp): Promise<void> => {
      const condition = (await said()).get(type);
      assert.deepEqual([condition?.status, condition?.severity, condition?.reason], ["False", "Error", reason]);
      assert.match(condition?.message ?? "", message);
    };
    await within(10 * MINUTE, () => fails("TalosConfigLoaded", "TalosConfigLoadFailed", /failed to download config/));
    await patch({ configPatches: [], strategicPatches: [JSON.stringify({ machine: { nodeLabels: { "/1": "2" } } })] });
    await within(10 * MINUTE, () =>
      fails("TalosConfigValidated", "TalosConfigValidationFailed", /machine\.nodeLabels: "\/1" is no label/),
    );
    assert.deepEqual(
      (await bindings()).map(({ spec }) => spec?.serverClassRef?.name),
      ["pxe-test-server"],
    );
    await patch({ strategicPatches: [] });
    await within(20 * MINUTE, async () => {
      await ready(name);
      await healthy(name, 1);
    });
    for (const type of ["TalosConfigLoaded", "TalosConfigValidated", "TalosInstalled"])
      assert.equal((await said()).get(type)?.status, "True", type);
    await gone(name);
    await clean([chosen], 60 * MINUTE);
  });
});
