/** The simulated Talos by itself: what Sidero can see of it is what Talos does (facts §6). */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Fault } from "#std/fault.ts";
import { Etcd, EtcdRefusal } from "../../sim/talos/etcd.ts";
import { Nodes } from "../../sim/talos/kubernetes.ts";
import { Rig } from "./talos-rig.ts";

const isFault = (code: string) => (error: unknown) => Fault.is(error, code);

describe("a machine without a configuration", () => {
  it("asks by its UUID until it gets one, longer and longer, installs itself and starts from its disk", async () => {
    const rig = await Rig.of(1);
    const [machine] = rig.machines;
    machine!.on("talos.config=http://10.0.0.250/configdata?uuid=&token=a:b");
    await rig.pass(60);
    assert.equal(machine!.asked[0], "http://10.0.0.250/configdata?token=a%3Ab&uuid=00000000-0000-4000-8000-000000000001");
    assert.ok(machine!.asked.length >= 4 && machine!.asked.length <= 7, `${machine!.asked.length} attempts in a minute`);
    machine!.config = rig.config("controlplane");
    await rig.pass(200);
    assert.equal(machine!.starts, 2);
    assert.equal(machine!.installed?.version, "v1.13.2");
    const asked = machine!.asked.length;
    machine!.off();
    machine!.config = undefined;
    machine!.on();
    await rig.pass(60);
    assert.equal(machine!.asked.length, asked, "booted from the network, it runs its disk's configuration");
    const version = await rig.during((await rig.api(machine!)).version());
    assert.equal(version.tag, "v1.13.2");
  });

  it("goes on asking when what it gets is not valid", async () => {
    const rig = await Rig.of(1);
    const [machine] = rig.machines;
    machine!.config = rig.config("worker").replace("type: worker", "type: waiter");
    machine!.on();
    await rig.pass(30);
    assert.match(machine!.told.join(), /machine\.type/);
    assert.ok(machine!.asked.length > 2);
    assert.equal(machine!.installed, undefined);
  });

  it("waits in maintenance when it has nobody to ask, for anybody", async () => {
    const rig = await Rig.of(1);
    const [machine] = rig.machines;
    machine!.on("talos.platform=metal");
    await rig.pass(30);
    const api = rig.dial({ endpoints: [machine!.address], maintenance: true });
    await assert.rejects(rig.during(api.bootstrap()), isFault("talos.refused"));
    await rig.during(api.applyConfiguration({ config: rig.config("controlplane") }));
    await rig.pass(120);
    assert.equal(machine!.starts, 2);
    await assert.rejects(rig.during(api.version()), isFault("talos.denied"));
  });
});

describe("apid", () => {
  it("wants a certificate of its cluster, and roles", async () => {
    const rig = await Rig.of(2);
    await rig.cluster(1);
    const [machine] = rig.machines;
    const stranger = await rig.makeSecrets();
    const foreign = await rig.target(machine!, ["os:admin"], stranger);
    await assert.rejects(rig.during(rig.dial(foreign).version()), isFault("talos.unreachable"));
    const own = await rig.target(machine!);
    const forged = { ...own, crt: foreign.crt, key: foreign.key };
    await assert.rejects(rig.during(rig.dial(forged).version()), isFault("talos.denied"));
    await assert.rejects(rig.during(rig.dial({ ...own, key: foreign.key }).version()), isFault("talos.denied"));
    const reader = await rig.api(machine!, ["os:reader"]);
    assert.equal((await rig.during(reader.version())).platform, "metal");
    await assert.rejects(rig.during(reader.bootstrap()), isFault("talos.denied"));
    await assert.rejects(rig.during(reader.reboot()), isFault("talos.denied"));
    await assert.rejects(rig.during((await rig.api(rig.machines[1]!)).version()), isFault("talos.unreachable"));
  });

  it("of a worker answers when somebody signs its certificate, and bootstraps nothing", async () => {
    const rig = await Rig.of(2);
    const [control, worker] = rig.machines;
    worker!.config = rig.config("worker");
    worker!.on();
    await rig.pass(200);
    const api = await rig.api(worker!);
    await assert.rejects(rig.during(api.version()), isFault("talos.unreachable"));
    control!.config = rig.config("controlplane");
    control!.on();
    await rig.pass(200);
    assert.equal((await rig.during(api.version())).arch, "amd64");
    await assert.rejects(rig.during(api.bootstrap()), isFault("talos.refused"));
    // Over the control plane machine.
    const over = rig.dial({ ...(await rig.target(control!)), node: worker!.address });
    assert.deepEqual((await rig.during(over.services())).map(({ id }) => id).includes("etcd"), false);
  });
});

describe("a cluster", () => {
  it("of three and two is bootstrapped once, has its Nodes, and leads to them by its kubeconfig", async () => {
    const rig = await Rig.of(5);
    await rig.cluster(3, 2);
    const api = await rig.api(rig.machines[0]!);
    assert.equal(await rig.during(api.bootstrap()), "already");
    assert.deepEqual(await rig.during(api.list("/var/lib/etcd/member")), ["snap", "wal"]);
    assert.equal((await rig.during(api.etcdMembers())).filter(({ isLearner }) => !isLearner).length, 3);
    const client = rig.kubernetes(await rig.during(api.kubeconfig()));
    const { items } = await rig.during(client.for(Nodes).list());
    assert.equal(items.length, 5);
    for (const { metadata, status } of items) {
      assert.equal(status?.conditions?.find(({ type }) => type === "Ready")?.status, "True", `${metadata.name}`);
      assert.equal(status?.nodeInfo?.["kubeletVersion"], "v1.36.0");
    }
    assert.equal(items.filter(({ metadata }) => "node-role.kubernetes.io/control-plane" in (metadata.labels ?? {})).length, 3);
    // Nothing beats: a cluster at rest writes nothing.
    const { resourceVersion } = (await rig.during(client.for(Nodes).list())).metadata;
    await rig.pass(600);
    assert.equal((await rig.during(client.for(Nodes).list())).metadata.resourceVersion, resourceVersion);
  });

  it("does without one of three, not without two, and tells of nodes that are lost", async () => {
    const rig = await Rig.of(3);
    await rig.cluster(3);
    const api = await rig.api(rig.machines[0]!);
    const client = rig.kubernetes(await rig.during(api.kubeconfig()));
    rig.machines[2]!.off();
    await rig.pass(60);
    const unknown = (await rig.during(client.for(Nodes).list())).items.filter(
      ({ status }) => status?.conditions?.[0]?.status === "Unknown",
    );
    assert.equal(unknown.length, 1);
    rig.machines[1]!.off();
    await rig.pass(30);
    await assert.rejects(rig.during(client.for(Nodes).list()), isFault("io.unreachable"));
    await assert.rejects(rig.during(api.etcdMembers()), isFault("talos.not-ready"));
    assert.deepEqual(rig.misfortunes, []);
    rig.machines[1]!.on();
    await rig.pass(120);
    assert.equal((await rig.during(client.for(Nodes).list())).items.length, 3);
    rig.machines[1]!.off();
    rig.machines[1]!.erase();
    assert.deepEqual(rig.misfortunes, [], "two of three have their data");
    rig.machines[2]!.erase();
    assert.deepEqual(rig.misfortunes, ["lost"]);
  });

  it("loses a member that leaves without harm, and takes another that comes", async () => {
    const rig = await Rig.of(4);
    await rig.cluster(3);
    const [, , third, fourth] = rig.machines;
    const leaving = await rig.api(third!);
    await rig.during(leaving.etcdForfeitLeadership());
    await rig.during(leaving.etcdLeave());
    assert.equal((await rig.during(leaving.services())).find(({ id }) => id === "etcd")?.state, "Finished");
    third!.off();
    third!.erase();
    fourth!.config = rig.config("controlplane");
    fourth!.on();
    await rig.pass(240);
    const api = await rig.api(rig.machines[0]!);
    assert.equal((await rig.during(api.etcdMembers())).length, 3);
    assert.deepEqual(rig.misfortunes, []);
  });

  it("splits when somebody bootstraps it on a second machine", async () => {
    const rig = await Rig.of(2);
    const [first, second] = rig.machines;
    for (const machine of rig.machines) {
      machine.config = rig.config("controlplane");
      machine.on();
    }
    await rig.pass(120);
    await rig.during((await rig.api(first!)).bootstrap());
    await rig.during((await rig.api(second!)).bootstrap());
    assert.deepEqual(rig.misfortunes, ["split"]);
  });

  it("is brought another Talos and another Kubernetes in place", async () => {
    const rig = await Rig.of(1);
    await rig.cluster(1);
    const [machine] = rig.machines;
    const api = await rig.api(machine!);
    await rig.during(api.upgrade({ image: "ghcr.io/siderolabs/installer:v1.13.7" }));
    await rig.pass(200);
    assert.equal((await rig.during(api.version())).tag, "v1.13.7");
    await rig.during(api.applyConfiguration({ config: rig.config("controlplane", { kubernetesVersion: "1.36.4" }) }));
    await rig.pass(30);
    const client = rig.kubernetes(await rig.during(api.kubeconfig()));
    const [node] = (await rig.during(client.for(Nodes).list())).items;
    assert.equal(node!.status?.nodeInfo?.["kubeletVersion"], "v1.36.4");
    assert.equal(node!.status?.nodeInfo?.["osImage"], "Talos (v1.13.7)");
    await rig.during(api.reset({ graceful: false, reboot: false }));
    await rig.pass(60);
    assert.equal(machine!.life, undefined);
    assert.equal(machine!.installed, undefined);
  });
});

describe("etcd", () => {
  const of = (count: number): Etcd => {
    const etcd = new Etcd();
    etcd.bootstrap({ id: "1", hostname: "1", address: "1" });
    for (let i = 2; i <= count; i++) {
      etcd.join({ id: String(i), hostname: String(i), address: String(i) });
      etcd.promote(String(i));
    }
    return etcd;
  };

  it("refuses what would leave too few that run", () => {
    const etcd = of(3);
    etcd.stop("3");
    assert.throws(() => etcd.remove("2"), EtcdRefusal);
    etcd.remove("3");
    etcd.remove("2");
    assert.throws(() => etcd.remove("1"), EtcdRefusal);
    assert.equal(etcd.leader?.id, "1");
  });

  it("has one learner at a time, which counts for nothing", () => {
    const etcd = of(1);
    etcd.join({ id: "2", hostname: "2", address: "2" });
    assert.throws(() => etcd.join({ id: "3", hostname: "3", address: "3" }), EtcdRefusal);
    etcd.stop("2");
    assert.ok(etcd.hasQuorum);
    assert.throws(() => etcd.promote("2"), EtcdRefusal);
  });

  for (const [count, bears] of [
    [1, 0],
    [2, 0],
    [3, 1],
    [4, 1],
    [5, 2],
    [7, 3],
  ] as const)
    it(`of ${count} bears ${bears} disks that are erased`, () => {
      const etcd = of(count);
      for (let i = 1; i <= bears; i++) etcd.erase(String(i));
      assert.ok(!etcd.isLost && etcd.hasQuorum);
      etcd.erase(String(bears + 1));
      assert.ok(etcd.isLost && !etcd.hasQuorum);
    });
});
