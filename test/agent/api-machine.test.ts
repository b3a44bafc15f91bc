/** Our own agent's calls: hello, steps, log and orders, over HTTP/2 on a socket. */
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Order } from "#proto/sidero/agent/v1/machine_pb.js";
import { StepState } from "#proto/sidero/agent/v1/machine_pb.js";
import { Fault } from "#std/fault.ts";
import { HOUR, MAC, UUID, registration, startApi } from "./api-fixture.ts";
import type { ApiFixture, Calls } from "./api-fixture.ts";

let fixture: ApiFixture;
afterEach(() => fixture.stop());

const code = (expected: Code) => (error: unknown) => ConnectError.from(error).code === expected;
const told = (): [what: string, text: string, waitingFor: string | undefined][] =>
  fixture.sightings.map(({ what, text, waitingFor }) => [what, text, waitingFor]);

async function registered(token = fixture.token({ uuid: UUID, mac: MAC })): Promise<Calls> {
  const calls = fixture.calls(token);
  await calls.agent.createServer(registration());
  return calls;
}

/** An agent that follows its orders. */
class Follower {
  readonly orders: Order[] = [];
  readonly ended: Promise<ConnectError | undefined>;
  readonly #abort = new AbortController();
  #onOrder: () => void = () => {};

  constructor({ machine }: Calls) {
    this.ended = this.#follow(machine).then(() => undefined, ConnectError.from);
  }

  async #follow(machine: Calls["machine"]): Promise<void> {
    for await (const order of machine.orders({}, { signal: this.#abort.signal })) {
      this.orders.push(order);
      this.#onOrder();
    }
  }

  async until(count: number): Promise<void> {
    while (this.orders.length < count) await new Promise<void>((resolve) => (this.#onOrder = resolve));
  }

  leave(): void {
    this.#abort.abort();
  }
}

async function until(isSo: () => boolean): Promise<void> {
  for (let i = 0; i < 400 && !isSo(); i++) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.ok(isSo(), "it did not happen within 2 s");
}

test("a boot's road is told in order: hello, steps, registration, log", async () => {
  fixture = await startApi();
  const boot = "0b3d1f4e-7a55-4e6f-9f0a-5b1a1f0c2d3e";
  const { agent, machine } = fixture.calls(fixture.token({ boot, uuid: UUID, mac: MAC }));
  const about = {
    agentVersion: "0.1.0",
    kernelVersion: "6.1.0",
    architecture: "amd64",
    bootMode: "uefi",
    uptimeMilliseconds: 9_800,
  };
  const hello = await machine.hello({ uuid: UUID, macs: [MAC], bootMac: MAC, ...about });
  assert.deepEqual([hello.boot, hello.server, hello.register], [boot, "", true]);
  assert.equal(Number(hello.nowMilliseconds), fixture.world.clock.now());
  const lines = ["03:00:00.000 info  all is well", "03:00:00.001 error no link on \u001b[31meth1"];
  assert.equal((await machine.log({ boot, first: 0n, lines })).next, 2n);
  await machine.report({ boot, steps: [{ name: "register", state: StepState.STARTED }] });
  await agent.createServer(registration());
  await machine.report({ boot, steps: [{ name: "register", state: StepState.DONE, text: "2 cores", tookMilliseconds: 70 }] });
  await machine.report({ steps: [{ name: "wipe", state: StepState.FAILED, text: "no such\ndisk" }] });
  assert.deepEqual(told(), [
    [
      "agent.hello",
      "agent 0.1.0 said hello 9.8 s after its kernel started (kernel 6.1.0, amd64, uefi)",
      "the report of its hardware",
    ],
    ["agent.log", "03:00:00.001 error no link on [31meth1", undefined],
    ["agent.step", "register started", "its step register"],
    [
      "agent.registered",
      "registered as a new Server: QEMU Standard PC, 1 processor, 2 GB of memory, 1 disk (10 GB), 1 interface",
      "being accepted (spec.accepted of its Server)",
    ],
    ["agent.step", "register: 2 cores", "being accepted (spec.accepted of its Server)"],
    ["agent.step", "wipe failed: no suchdisk", "being accepted (spec.accepted of its Server)"],
  ]);
  assert.equal(fixture.sightings[4]?.took, 70);
  assert.deepEqual(
    fixture.api.logsOf(UUID).map((line) => line.text),
    ["03:00:00.000 info  all is well", "03:00:00.001 error no link on [31meth1"],
  );
});

test("log lines that come again are kept once, and a gap is seen", async () => {
  fixture = await startApi();
  const { machine } = await registered();
  const log = async (first: bigint, ...lines: string[]): Promise<bigint> => (await machine.log({ first, lines })).next;
  assert.equal(await log(5n, "five", "six"), 7n);
  assert.equal(await log(6n, "six", "seven"), 8n);
  assert.equal(await log(5n, "five"), 8n);
  assert.equal(await log(10n, "ten"), 11n);
  const texts = fixture.api.logsOf(UUID).map((line) => line.text);
  assert.deepEqual(texts, ["five", "six", "seven", "… 2 lines are missing", "ten"]);
  await assert.rejects(log(2n ** 63n, "x"), code(Code.InvalidArgument));
});

test("orders go out by the stream, are answered by steps, and wait for another stream when one breaks", async () => {
  fixture = await startApi();
  const { orders } = fixture.api;
  assert.throws(
    () => orders.send(UUID, "refresh"),
    (fault) => Fault.is(fault, "agent.not-connected"),
  );
  const calls = await registered();
  const first = new Follower(calls);
  await first.until(1);
  assert.equal(first.orders[0]?.kind.case, "keepAlive");
  assert.deepEqual(
    orders.connected().map(({ machine }) => machine),
    [UUID],
  );
  const { id } = orders.send(UUID, "refresh");
  await first.until(2);
  assert.deepEqual([first.orders[1]?.id, first.orders[1]?.kind.case], [id, "refresh"]);
  assert.equal(orders.status(id)?.state, "sent");
  await calls.machine.report({ steps: [{ name: "refresh", state: StepState.STARTED, order: id }] });
  assert.equal(orders.status(id)?.state, "started");

  const second = new Follower(calls);
  assert.equal(await first.ended, undefined, "the earlier stream ends well");
  await second.until(2);
  assert.deepEqual([second.orders[1]?.id, second.orders[1]?.kind.case], [id, "refresh"], "it is told again");
  await calls.machine.report({ steps: [{ name: "refresh", state: StepState.DONE, text: "nothing new", order: id }] });
  assert.deepEqual([orders.status(id)?.state, orders.status(id)?.text], ["done", "nothing new"]);
  assert.ok(!told().some(([what]) => what === "agent.gone"));

  second.leave();
  await until(() => told().some(([what]) => what === "agent.gone"));
  assert.deepEqual(orders.connected(), []);
});

test("a machine cannot answer for another one", async () => {
  fixture = await startApi();
  const follower = new Follower(await registered());
  await follower.until(1);
  const { id } = fixture.api.orders.send(UUID, "powerOff");
  const other = fixture.calls(fixture.token({ mac: "52:54:00:00:00:09" }));
  const system = { uuid: UUID.replace("6", "7") };
  await other.agent.createServer({ ...registration({ system, network: { interfaces: [{ mac: "52:54:00:00:00:09" }] } }) });
  await other.machine.report({ steps: [{ name: "powerOff", state: StepState.DONE, order: id }] });
  assert.equal(fixture.api.orders.status(id)?.state, "sent");
  await assert.rejects(other.machine.report({ boot: "someone else's", steps: [] }), code(Code.PermissionDenied));
  follower.leave();
});

test("a machine that says it goes off is gone, though its connection is still there", async () => {
  fixture = await startApi();
  const calls = await registered();
  const follower = new Follower(calls);
  await follower.until(1);
  const { orders } = fixture.api;
  const { id } = orders.send(UUID, "powerOff");
  await follower.until(2);
  const { machine } = calls;
  await machine.report({ steps: [{ name: "power_off", state: StepState.STARTED, order: id }] });
  assert.equal(orders.connected().length, 1);
  await machine.report({ steps: [{ name: "power_off", state: StepState.DONE, order: id }] });
  assert.deepEqual([orders.connected(), orders.status(id)?.state], [[], "done"]);
  follower.leave();
});

test("a machine that starts again has rebooted as ordered", async () => {
  fixture = await startApi();
  const follower = new Follower(await registered());
  await follower.until(1);
  const { orders } = fixture.api;
  const [reboot, refresh] = [orders.send(UUID, "reboot"), orders.send(UUID, "refresh")];
  follower.leave();
  const again = new Follower(await registered(fixture.token({ uuid: UUID, mac: MAC })));
  await again.until(1);
  assert.deepEqual([orders.status(reboot.id)?.state, orders.status(refresh.id)?.state], ["done", "failed"]);
  again.leave();
});

test("a silent stream is kept alive, and a token that runs out is renewed by it", async () => {
  fixture = await startApi();
  const follower = new Follower(await registered());
  await follower.until(1);
  const tokens = new Set<string>();
  for (let minutes = 0; minutes < 50; minutes++) {
    const { length } = follower.orders;
    await fixture.world.clock.advance(60_000);
    await follower.until(length + 1);
    for (const { kind } of follower.orders) if (kind.case === "keepAlive") tokens.add(kind.value.token);
  }
  tokens.delete("");
  assert.ok(tokens.size > 0);
  await fixture.world.clock.advance(HOUR / 2);
  const { machine } = fixture.calls([...tokens].at(-1));
  await machine.report({ steps: [] });
  follower.leave();
});

test("a machine that is not registered has no orders; a listener that closes is no machine that is gone", async () => {
  fixture = await startApi();
  const { machine } = fixture.calls(fixture.token());
  const lost = new Follower({ agent: undefined as never, machine });
  assert.equal((await lost.ended)?.code, Code.NotFound);
  const follower = new Follower(await registered());
  await follower.until(1);
  await fixture.stop();
  await follower.ended;
  assert.ok(!told().some(([what]) => what === "agent.gone"));
  fixture = await startApi();
});

test("without tokens, a hello begins a new boot of its address", async () => {
  fixture = await startApi({ access: "open" });
  const { machine } = fixture.calls();
  const first = await machine.hello({ uuid: UUID });
  await machine.log({ boot: first.boot, first: 0n, lines: ["a"] });
  const second = await machine.hello({ uuid: UUID });
  assert.notEqual(second.boot, first.boot);
  await assert.rejects(machine.log({ boot: first.boot, first: 0n, lines: ["a"] }), code(Code.PermissionDenied));
  await machine.log({ boot: second.boot, first: 0n, lines: ["a"] });
});
