/** One conversation with a server that knows our service: hello, what it is made of, then orders until the connection breaks. */
import { create, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import type { Client, Transport } from "@connectrpc/connect";
import type { Clock } from "#io/clock.ts";
import { sleep } from "#io/clock.ts";
import type { InterfaceAddress, Machine } from "#io/machine.ts";
import type { CreateServerResponse, HardwareInformation } from "#proto/api_pb.js";
import { Agent, HardwareInformationSchema } from "#proto/api_pb.js";
import type { HelloResponse, Order, Step } from "#proto/sidero/agent/v1/machine_pb.js";
import { HelloRequestSchema, Machine as MachineService, StepSchema, StepState } from "#proto/sidero/agent/v1/machine_pb.js";
import { toLatin1 } from "#std/bytes.ts";
import type { AgentLog } from "./agent-log.ts";
import type { BmcDoors, BmcErrand, Caller } from "./bmc/errand.ts";
import { createBmcErrand } from "./bmc/errand.ts";
import type { Identity } from "./hardware/report.ts";
import { isGlobal } from "./network/up.ts";
import type { Road } from "./road.ts";
import type { Wiper } from "./wipe/wiper.ts";

export interface AgentOptions {
  /** To the server, with the token of this boot on every call. */
  readonly transport: Transport;
  readonly machine: Machine;
  readonly clock: Clock;
  readonly log: AgentLog;
  readonly road: Road;
  readonly identity: Identity;
  readonly version: string;
  /** Of the interface it booted from. */
  readonly bootMac: string;
  /** Kernel arguments of ours but for the token. */
  readonly facts: Readonly<Record<string, string>>;
  /** Looks at the hardware; slow. */
  readonly inspect: () => Promise<HardwareInformation>;
  /** Called with the token to show from now on, when the server sends another one. */
  readonly renew: (token: string) => void;
  /** To the machine's BMC; absent: its set-up is left to others. */
  readonly bmc?: BmcDoors;
  /** Erases disks; absent: this agent cannot. */
  readonly wiper?: Wiper;
  /** A number from 0 up to 1, so that a thousand machines do not call in the same moment. */
  readonly chance: () => number;
}

/** Milliseconds for one call. */
const CALL = 30_000;
/** Lines of the log in one call. */
const BATCH = 200;
/** Milliseconds until hardware is looked at again: soon at first, when links come up and neighbours speak. */
const LOOKS = [5_000, 30_000, 60_000] as const;
/** Outcomes of orders that are remembered, should an order come again. */
const REMEMBERED = 64;

/** What lives longer than one conversation. */
export interface Memory {
  /** The last report that the server took, to see changes. */
  reported: Uint8Array | undefined;
  readonly outcomes: Map<string, Step>;
  /** Number of the first line of the log that the server does not have. */
  shipped: number;
  readonly bmc: BmcErrand;
  /** As whom it calls: of the last hello and registration. */
  caller: Caller;
}

export function createMemory({ bmc: doors, transport, clock, log, road }: AgentOptions): Memory {
  const bmc = createBmcErrand({ doors, transport, clock, log, road });
  return { reported: undefined, outcomes: new Map(), shipped: 0, bmc, caller: { boot: "", uuid: "" } };
}

/**
 * Goes on until the connection breaks, and rejects with the reason (a ConnectError). `Code.Unimplemented` from the very first call: an
 * upstream server, or none of ours.
 */
export async function converse(options: AgentOptions, memory: Memory): Promise<never> {
  const client = createClient(MachineService, options.transport);
  const hello = await sayHello(options, client);
  memory.caller = { ...memory.caller, boot: hello.boot };
  options.log.info(`the server at ${options.facts["sidero.endpoint"] ?? "?"} answers, boot ${hello.boot}`);
  const over = new AbortController();
  // What goes on while the connection is gone is told by the next one.
  options.wiper?.connect({ client, boot: hello.boot });
  try {
    const branches = [shipLog, reportSteps, serve].map((branch) =>
      branch({ options, memory, client, hello, signal: over.signal }),
    );
    return await Promise.race(branches);
  } finally {
    options.wiper?.connect(undefined);
    over.abort(new Error("the conversation is over"));
  }
}

interface Conversation {
  readonly options: AgentOptions;
  readonly memory: Memory;
  readonly client: Client<typeof MachineService>;
  readonly hello: HelloResponse;
  readonly signal: AbortSignal;
}

async function sayHello(options: AgentOptions, client: Client<typeof MachineService>): Promise<HelloResponse> {
  const { identity, machine, clock, log } = options;
  const uptime = toLatin1((await machine.read("/proc/uptime")) ?? new Uint8Array());
  const hello = await client.hello(
    create(HelloRequestSchema, {
      uuid: identity.uuid,
      serial: identity.serial,
      macs: [...identity.macs],
      bootMac: options.bootMac,
      agentVersion: options.version,
      kernelVersion: identity.kernelVersion,
      architecture: identity.architecture,
      bootMode: identity.bootMode,
      uptimeMilliseconds: Math.round((Number.parseFloat(uptime) || 0) * 1000),
      arguments: options.facts,
    }),
    { timeoutMs: CALL },
  );
  const ahead = Number(hello.nowMilliseconds) - clock.now();
  if (hello.nowMilliseconds > 0n && Math.abs(ahead) > 2_000) {
    log.info(`the clock is set by ${Math.round(ahead / 1000)} s`);
    await machine.run("date", ["-u", "-s", `@${Math.round(Number(hello.nowMilliseconds) / 1000)}`]);
  }
  return hello;
}

async function shipLog({ options: { log, clock }, memory, client, hello, signal }: Conversation): Promise<never> {
  const pause = Math.max(200, hello.logMilliseconds);
  for (;;) {
    const { first, lines } = log.since(memory.shipped, BATCH);
    if (lines.length > 0) {
      const { next } = await client.log(
        { boot: hello.boot, first: BigInt(first), lines: [...lines] },
        { timeoutMs: CALL, signal },
      );
      // A server that says less than it had makes us send again; it cannot make us skip.
      memory.shipped = Math.min(Number(next), first + lines.length);
    }
    if (lines.length < BATCH) await sleep(clock, pause, signal);
  }
}

async function reportSteps(conversation: Conversation): Promise<never> {
  const { road } = conversation.options;
  for (;;) {
    await sendSteps(conversation);
    const { promise, resolve } = Promise.withResolvers<void>();
    road.onStep = resolve;
    if (road.pending(1).length === 0) await promise;
  }
}

async function sendSteps({ options: { road }, client, hello, signal }: Conversation): Promise<void> {
  for (let steps = road.pending(BATCH); steps.length > 0; steps = road.pending(BATCH)) {
    await client.report({ boot: hello.boot, steps: [...steps] }, { timeoutMs: CALL, signal });
    road.drop(steps.length);
  }
}

/** Registers, then does what it is told. */
async function serve(conversation: Conversation): Promise<never> {
  const { options, memory, hello } = conversation;
  if (hello.register) await registerHere(options, memory);
  return await Promise.race([watchHardware(conversation), followOrders(conversation)]);
}

/** Registers with a server of ours, whose wishes are fulfilled in the background. */
async function registerHere(options: AgentOptions, memory: Memory, order?: string): Promise<void> {
  const { wipe, wipeOrder, setupBmc } = await register(options, memory, order);
  // Once: what has failed is tried again when the server sends the order.
  if (wipe && wipeOrder !== "" && options.wiper?.knows(wipeOrder) === false) takeWipe(options, memory, wipeOrder);
  if (setupBmc) memory.bmc.begin(() => memory.caller);
}

/** Reports hardware and addresses to either kind of server; the outcome is a step on the road. */
export async function register(options: AgentOptions, memory: Memory, order?: string): Promise<CreateServerResponse> {
  const step = options.road.begin("register", order);
  try {
    const hardware = await options.inspect();
    const response = await report(options, memory, hardware);
    step.done(`${summaryOf(hardware)}; Server ${response.server || hardware.system?.uuid}`);
    return response;
  } catch (error) {
    step.failed(ConnectError.from(error).message);
    throw error;
  }
}

async function report(options: AgentOptions, memory: Memory, hardware: HardwareInformation): Promise<CreateServerResponse> {
  const { machine, bootMac } = options;
  const client = createClient(Agent, options.transport);
  const hostname = toLatin1((await machine.read("/proc/sys/kernel/hostname")) ?? new Uint8Array()).trim();
  const request = { hardware, hostname: hostname === "(none)" ? "" : hostname, bootMac };
  const response = await client.createServer(request, { timeoutMs: CALL });
  const uuid = response.server || (hardware.system?.uuid ?? "");
  memory.caller = { ...memory.caller, uuid };
  const address = machine.addresses().filter(isGlobal).map(internalAddress);
  await client.reconcileServerAddresses({ uuid, address }, { timeoutMs: CALL });
  memory.reported = toBinary(HardwareInformationSchema, hardware);
  return response;
}

function internalAddress({ cidr }: InterfaceAddress): { readonly type: string; readonly address: string } {
  return { type: "InternalIP", address: cidr.split("/", 1)[0]! };
}

function summaryOf({ compute, memory, storage, network }: HardwareInformation): string {
  const gibibytes = Math.round(((memory?.totalSize ?? 0) / 1024) * 10) / 10;
  return `${compute?.totalCoreCount ?? 0} cores, ${gibibytes} GiB, ${storage?.deviceCount ?? 0} disks, ${network?.interfaceCount ?? 0} interfaces`;
}

async function watchHardware({ options, memory, signal }: Conversation): Promise<never> {
  for (let look = 0; ; look++) {
    await sleep(options.clock, LOOKS[Math.min(look, LOOKS.length - 1)]!, signal);
    const bytes = toBinary(HardwareInformationSchema, await options.inspect());
    if (memory.reported !== undefined && isSame(bytes, memory.reported)) continue;
    options.log.info("the hardware has changed");
    await registerHere(options, memory);
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

async function followOrders(conversation: Conversation): Promise<never> {
  const { options, client, hello, signal } = conversation;
  const silence = new AbortController();
  const watch = () =>
    options.clock.after(hello.silenceMilliseconds || 60_000, () =>
      silence.abort(new ConnectError("no order for too long", Code.Unavailable)),
    );
  let timer = watch();
  try {
    for await (const order of client.orders({ boot: hello.boot }, { signal: AbortSignal.any([signal, silence.signal]) })) {
      timer.cancel();
      timer = watch();
      if (order.kind.case !== "keepAlive") await obey(conversation, order);
      else if (order.kind.value.token !== "") options.renew(order.kind.value.token);
    }
  } finally {
    timer.cancel();
  }
  throw new ConnectError("the server ended the stream of orders", Code.Unavailable);
}

/** An order is done once; when it comes again, its outcome is told again. */
async function obey(conversation: Conversation, { id, kind }: Order): Promise<void> {
  const { options, memory } = conversation;
  const { road, machine } = options;
  const known = memory.outcomes.get(id);
  if (known !== undefined) {
    await conversation.client.report({ boot: conversation.hello.boot, steps: [known] }, { timeoutMs: CALL });
    return;
  }
  switch (kind.case) {
    case "refresh":
      await registerHere(options, memory, id);
      remember(memory, create(StepSchema, { name: "refresh", state: StepState.DONE, text: "reported again", order: id }));
      return;
    case "reboot":
    case "powerOff": {
      const isReboot = kind.case === "reboot";
      const ending = road.begin(isReboot ? "reboot" : "power_off", id);
      remember(memory, ending.done(isReboot ? "rebooting now" : "powering off now"));
      // The server hears of it first, if it can: afterwards there is nobody to ask.
      await Promise.race([sendSteps(conversation).catch(() => undefined), sleep(options.clock, 2_000)]);
      await (isReboot ? machine.reboot() : machine.powerOff());
      return;
    }
    case "setupBmc":
      // In the background: it may take minutes, and the stream must be listened to.
      void memory.bmc.obey(() => memory.caller, id, kind.value.rotate).then((step) => remember(memory, step));
      return;
    case "wipe":
      if (options.wiper === undefined) remember(memory, road.begin("wipe", id).failed("this agent cannot wipe"));
      // It goes on beside other orders.
      else takeWipe(options, memory, id);
      return;
    default:
      remember(memory, road.begin("order", id).failed("this agent does not know that kind of order"));
  }
}

function takeWipe({ wiper }: AgentOptions, memory: Memory, order: string): void {
  wiper?.take(order, (step) => {
    if (step.state === StepState.DONE) remember(memory, step);
  });
}

function remember({ outcomes }: Memory, step: Step): void {
  outcomes.set(step.order, step);
  const oldest = outcomes.keys().next().value;
  if (outcomes.size > REMEMBERED && oldest !== undefined) outcomes.delete(oldest);
}
