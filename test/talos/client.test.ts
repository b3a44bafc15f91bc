/** The client of apid against a server with mutual TLS and roles; openssl is the witness of the handshake. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { gzipSync } from "node:zlib";
import { after, before, describe, test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { standardKey, systemPki } from "#io/node/pki.ts";
import { dialTalos } from "#main/talos/client.ts";
import { urlOf } from "#main/talos/line.ts";
import { Fault } from "#std/fault.ts";
import type { TalosApi, TalosTarget } from "#talos/api.ts";
import type { KeyPair } from "#talos/pki.ts";
import { issueTalosClient } from "#talos/talosconfig.ts";
import type { Role } from "#talos/talosconfig.ts";
import type { Answers, Apid } from "./apid.ts";
import { authority, startApid } from "./apid.ts";

/** A tar of one file, as Go's archive/tar writes it. */
function tar(name: string, text: string): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write("0000644\0", 100);
  header.write(`${text.length.toString(8).padStart(11, "0")}\0`, 124);
  header.write("ustar\0" + "00", 257);
  return Buffer.concat([header, Buffer.from(text.padEnd(Math.ceil(text.length / 512) * 512, "\0")), Buffer.alloc(1024)]);
}

const ARCHIVE = gzipSync(tar("kubeconfig", "apiVersion: v1\n"));
const MEMBER = 0xfedc_ba98_7654_3210n;

const ANSWERS: Answers = {
  hostname: () => ({ messages: [{ hostname: "node-1" }] }),
  version: () => ({ messages: [{ version: { tag: "v1.13.4", arch: "amd64" }, platform: { name: "metal" } }] }),
  bootstrap: () => ({ messages: [{}] }),
  serviceList: () => ({
    messages: [
      {
        services: [
          { id: "etcd", state: "Running", health: { healthy: true, lastMessage: "ok" } },
          { id: "kubelet", state: "Waiting", health: { unknown: true } },
        ],
      },
    ],
  }),
  etcdMemberList: () => ({
    messages: [
      { members: [{ id: MEMBER, hostname: "cp-1", peerUrls: ["https://10.0.0.1:2380"], clientUrls: [], isLearner: false }] },
    ],
  }),
  etcdStatus: () => ({ messages: [{ memberStatus: { memberId: MEMBER, leader: 1n, raftIndex: 7n, raftAppliedIndex: 7n } }] }),
  etcdForfeitLeadership: () => ({ messages: [{ member: "cp-2" }] }),
  etcdLeaveCluster: () => ({ messages: [{}] }),
  etcdRemoveMemberByID: () => ({ messages: [{}] }),
  reset: () => ({ messages: [{ actorId: "a" }] }),
  upgrade: () => ({ messages: [{ ack: "yes" }] }),
  reboot: () => ({ messages: [{}] }),
  applyConfiguration: () => ({ messages: [{ warnings: ["w"], modeDetails: "Applied" }] }),
  async *kubeconfig() {
    yield { bytes: ARCHIVE.subarray(0, 10) };
    yield { bytes: ARCHIVE.subarray(10) };
  },
  async *list(request: { root: string }) {
    if (request.root === "/none") throw new ConnectError("no such file", Code.NotFound);
    if (request.root === "/gone") throw new ConnectError("stat /gone: no such file or directory", Code.Unknown);
    if (request.root === "/ill") throw new ConnectError("stat /ill: input/output error", Code.Unknown);
    yield { relativeName: "." };
    yield { relativeName: "member" };
    yield { relativeName: "secret", error: "permission denied" };
  },
  async *events() {
    yield { id: "1", actorId: "a", data: { typeUrl: "talos/runtime/machine.MachineStatusEvent", value: new Uint8Array([8, 4]) } };
  },
};

async function faultOf(promise: Promise<unknown>): Promise<Fault> {
  try {
    await promise;
  } catch (error) {
    assert.ok(Fault.is(error), String(error));
    return error;
  }
  return assert.fail("was not refused");
}

describe("the client of apid", () => {
  let ca: KeyPair;
  let apid: Apid;
  const open: TalosApi[] = [];
  const servers: Apid[] = [];

  before(async () => {
    ca = await authority();
    apid = await start(ca, ANSWERS);
  });
  after(async () => {
    for (const api of open) api.close();
    await Promise.all(servers.map((server) => server.close()));
  });

  async function start(issuer: KeyPair | undefined, answers: Answers): Promise<Apid> {
    const server = await startApid(issuer, answers);
    servers.push(server);
    return server;
  }

  async function target(roles: Role[] = ["os:admin"], issuer = ca): Promise<Omit<TalosTarget, "endpoints">> {
    const client = await issueTalosClient(issuer, { pki: systemPki, now: Date.now() }, roles);
    return { ca: ca.certificate, crt: client.certificate, key: client.key };
  }

  function dial(options: Parameters<typeof dialTalos>[0]): TalosApi {
    const api = dialTalos(options);
    open.push(api);
    return api;
  }

  test("asks everything a controller needs", async () => {
    const api = dial({ ...(await target()), endpoints: [apid.endpoint] });
    assert.equal(await api.hostname!(), "node-1");
    assert.deepEqual(await api.version(), { tag: "v1.13.4", arch: "amd64", platform: "metal" });
    assert.equal(await api.bootstrap(), "started");
    assert.deepEqual(await api.services(), [
      { id: "etcd", state: "Running", isHealthy: true, message: "ok" },
      { id: "kubelet", state: "Waiting", isHealthy: undefined, message: "" },
    ]);
    const [member] = await api.etcdMembers();
    assert.deepEqual(
      { ...member },
      { id: "fedcba9876543210", hostname: "cp-1", peerUrls: ["https://10.0.0.1:2380"], clientUrls: [], isLearner: false },
    );
    const status = await api.etcdStatus();
    assert.deepEqual([status.memberId, status.leader, status.raftIndex], ["fedcba9876543210", "0000000000000001", 7n]);
    assert.equal(await api.etcdForfeitLeadership(), "cp-2");
    await api.etcdLeave();
    await api.etcdRemoveMember(member!.id);
    assert.equal((apid.calls.at(-1)!.request as { memberId: bigint }).memberId, MEMBER);
    assert.deepEqual(await api.list("/var/lib/etcd"), ["member"]);
    assert.deepEqual(await api.list("/none"), []);
    assert.deepEqual(await api.list("/gone"), []);
    assert.equal((await faultOf(api.list("/ill"))).code, "talos.not-ready");
    await api.reset({ graceful: true, reboot: true, systemPartitions: ["STATE", "EPHEMERAL"] });
    await api.upgrade({ image: "ghcr.io/siderolabs/installer:v1.13.5" });
    await api.reboot({ mode: "powercycle" });
    assert.deepEqual(await api.applyConfiguration({ config: "version: v1alpha1\n" }), { warnings: ["w"], details: "Applied" });
    assert.equal(await api.kubeconfig(), "apiVersion: v1\n");
    const events = await Array.fromAsync(api.events({ tail: 5 }));
    assert.deepEqual(events, [{ id: "1", actorId: "a", type: "machine.MachineStatusEvent", value: new Uint8Array([8, 4]) }]);
  });

  test("names the machine behind the endpoint", async () => {
    const api = dial({ ...(await target()), endpoints: [apid.endpoint], node: "10.0.0.7" });
    await api.version();
    assert.equal(apid.calls.at(-1)!.nodes, "10.0.0.7");
  });

  test("is denied what its roles do not allow", async () => {
    const api = dial({ ...(await target(["os:reader"])), endpoints: [apid.endpoint] });
    assert.equal((await api.version()).tag, "v1.13.4");
    const fault = await faultOf(api.bootstrap());
    assert.deepEqual([fault.code, fault.retry], ["talos.denied", "later"]);
  });

  test("tells a machine that does not take its certificate from one that is not there", async () => {
    const api = dial({ ...(await target(["os:admin"], await authority())), endpoints: [apid.endpoint] });
    const fault = await faultOf(api.version());
    assert.deepEqual([fault.code, fault.facts["reason"]], ["talos.unreachable", "closed"], fault.message);
    assert.match(fault.message, /may not take our certificate/);
  });

  test("does not talk to a machine of another cluster, nor to one in maintenance", async () => {
    for (const issuer of [await authority(), undefined]) {
      const other = await start(issuer, ANSWERS);
      const fault = await faultOf(dial({ ...(await target()), endpoints: [other.endpoint] }).version());
      assert.deepEqual([fault.code, fault.facts["reason"]], ["talos.unreachable", "certificate"], fault.message);
      assert.deepEqual(other.calls, []);
    }
  });

  test("gives a machine in maintenance its configuration", async () => {
    const machine = await start(undefined, ANSWERS);
    const api = dial({ endpoints: [machine.endpoint], maintenance: true });
    assert.equal((await api.version()).platform, "metal");
    await api.applyConfiguration({ config: "machine: {}\n", mode: "reboot", dryRun: true });
    const request = machine.calls.at(-1)!.request as { data: Uint8Array; mode: number; dryRun: boolean };
    assert.deepEqual([Buffer.from(request.data).toString(), request.mode, request.dryRun], ["machine: {}\n", 0, true]);
  });

  const refusals: [code: Code, fault: string][] = [
    [Code.FailedPrecondition, "talos.not-ready"],
    [Code.Unavailable, "talos.unreachable"],
    [Code.Unimplemented, "talos.refused"],
    [Code.InvalidArgument, "talos.refused"],
    [Code.Internal, "talos.not-ready"],
  ];
  for (const [code, fault] of refusals)
    test(`takes ${Code[code]} for ${fault}, also of a machine behind the endpoint`, async () => {
      const failing = await start(ca, {
        bootstrap: () => {
          throw new ConnectError("SAID", code);
        },
        reboot: () => ({ messages: [{ metadata: { hostname: "cp-1", error: "SAID", status: { code, message: "SAID" } } }] }),
        applyConfiguration: () => {
          throw new ConnectError("SECRET", code);
        },
      });
      const api = dial({ ...(await target()), endpoints: [failing.endpoint] });
      for (const promise of [api.bootstrap(), api.reboot()]) {
        const said = await faultOf(promise);
        assert.equal(said.code, fault);
        assert.match(said.message, /SAID/);
      }
      const quiet = await faultOf(api.applyConfiguration({ config: "a: SECRET" }));
      assert.equal(quiet.code, fault);
      assert.ok(!quiet.message.includes("SECRET"));
    });

  test("finds a cluster that is bootstrapped already", async () => {
    const done = await start(ca, {
      bootstrap: () => {
        throw new ConnectError("etcd data directory is not empty", Code.AlreadyExists);
      },
    });
    assert.equal(await dial({ ...(await target()), endpoints: [done.endpoint] }).bootstrap(), "already");
  });

  test("asks the next endpoint where that does no harm", async () => {
    const gone = await start(ca, ANSWERS);
    await gone.close();
    const endpoints = [gone.endpoint, apid.endpoint];
    assert.equal((await dial({ ...(await target()), endpoints }).version()).tag, "v1.13.4");
    const before = apid.calls.length;
    const fault = await faultOf(dial({ ...(await target()), endpoints }).bootstrap());
    assert.equal(fault.code, "talos.unreachable");
    assert.equal(apid.calls.length, before, "another machine is not bootstrapped in its place");
    assert.equal(await dial({ ...(await target()), endpoints, node: "10.0.0.1" }).bootstrap(), "started");
  });

  test("reads the configuration a machine runs with; what does not parse is told without being quoted", async () => {
    const text = "version: v1alpha1\nmachine: {token: SECRET}\n";
    let spec = Buffer.concat([Buffer.from([10, text.length]), Buffer.from(text)]);
    const server = await startApid(ca, ANSWERS, () => spec);
    servers.push(server);
    const api = dial({ ...(await target()), endpoints: [server.endpoint] });
    assert.equal(await api.configuration(), text);
    const { calls } = server;
    assert.deepEqual(
      { ...(calls.at(-1)?.request as object), $typeName: undefined },
      { $typeName: undefined, namespace: "config", type: "MachineConfigs.config.talos.dev", id: "v1alpha1" },
    );
    for (const bad of [Buffer.from([10, 99, 83]), Buffer.alloc(0)]) {
      spec = bad;
      const fault = await faultOf(api.configuration());
      assert.equal(fault.code, "talos.not-ready");
    }
    const reader = dial({ ...(await target(["os:reader"])), endpoints: [server.endpoint] });
    assert.equal((await faultOf(reader.configuration())).code, "talos.denied");
  });

  test("does not wait for ever", async (context) => {
    const slow = await start(ca, {
      version: (_, { signal }) => new Promise((_resolve, reject) => signal.addEventListener("abort", reject)),
    });
    const api = dial({ ...(await target()), endpoints: [slow.endpoint] });
    const started = performance.now();
    const fault = await faultOf(api.version());
    assert.equal(fault.code, "talos.unreachable");
    context.diagnostic(`${Math.round(performance.now() - started)} ms`);
    assert.ok(performance.now() - started < 20_000);
  });

  test("openssl shakes hands with the same certificate, and without one does not get in", async () => {
    const directory = mkdtempSync(`${tmpdir()}/sidero-apid-`);
    try {
      const { crt, key } = await target();
      for (const [name, text] of Object.entries({ "ca.crt": ca.certificate, "client.crt": crt, "client.key": standardKey(key) }))
        writeFileSync(`${directory}/${name}`, text);
      const connect = async (...more: string[]): Promise<string> => {
        const args = [
          "s_client",
          "-connect",
          apid.endpoint,
          "-CAfile",
          `${directory}/ca.crt`,
          "-alpn",
          "h2",
          "-verify_return_error",
          ...more,
        ];
        const child = spawn("timeout", ["5", "openssl", ...args], { stdio: ["pipe", "pipe", "pipe"] });
        const pieces: Buffer[] = [];
        for (const stream of [child.stdout, child.stderr]) stream.on("data", (piece: Buffer) => pieces.push(piece));
        // The alert of a server that wants another certificate comes after the handshake (RFC 8446 §4.4.2.4): wait for what it says.
        setTimeout(() => child.stdin.end(), 500);
        await once(child, "close");
        return Buffer.concat(pieces).toString();
      };
      assert.match(await connect(), /alert certificate required/);
      const text = await connect("-cert", `${directory}/client.crt`, "-key", `${directory}/client.key`);
      for (const word of ["Verify return code: 0 (ok)", "Peer signature type: ed25519", "ALPN protocol: h2", "O = talos"])
        assert.ok(text.includes(word), `${word} in\n${text}`);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test("writes endpoints as URLs", () => {
    for (const [endpoint, url] of [
      ["10.0.0.1", "https://10.0.0.1:50000"],
      ["10.0.0.1:443", "https://10.0.0.1:443"],
      ["fd00::1", "https://[fd00::1]:50000"],
      ["[fd00::1]:443", "https://[fd00::1]:443"],
      ["host.example", "https://host.example:50000"],
    ])
      assert.equal(urlOf(endpoint!), url);
  });
});
