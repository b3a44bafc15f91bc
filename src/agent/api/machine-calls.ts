/** The service of our own agent: hello, steps, log and orders. */
import type { ServiceImpl } from "@connectrpc/connect";
import type { HandlerContext } from "@connectrpc/connect";
import type { Inventory } from "#decide/boot/asker.ts";
import { machineOf } from "#decide/identity/machine.ts";
import type { Digest, MachineFacts } from "#decide/identity/machine.ts";
import { encodeToken } from "#decide/identity/token.ts";
import type { Clock } from "#io/clock.ts";
import type { Seal } from "#io/seal.ts";
import { StepState } from "#proto/sidero/agent/v1/machine_pb.js";
import type { HelloRequest, LogRequest, Machine, Order, OrdersRequest, Step } from "#proto/sidero/agent/v1/machine_pb.js";
import { Fault } from "#std/fault.ts";
import { checkClaims } from "./access.ts";
import { createBmcCalls } from "./bmc-calls.ts";
import type { BmcAccounts } from "./bmc.ts";
import type { Boot, Boots } from "./boots.ts";
import { refusal } from "./faults.ts";
import type { Guard } from "./guard.ts";
import { clean } from "./hardware.ts";
import type { AgentLogs } from "./logs.ts";
import { SILENCE } from "./orders.ts";
import type { Orders } from "./orders.ts";
import type { Registry } from "./registry.ts";
import { CALL } from "./rpc.ts";
import type { Presence } from "./presence.ts";
import { createWipeCalls } from "./wipe-calls.ts";
import type { WipeOrders } from "./wipe-orders.ts";

export interface MachineCallsOptions {
  readonly inventory: Inventory;
  readonly digest: Digest;
  readonly seal: Seal;
  readonly clock: Clock;
  readonly guard: Guard;
  readonly boots: Boots;
  readonly logs: AgentLogs;
  readonly orders: Orders;
  readonly wipes: WipeOrders;
  readonly presence: Presence;
  readonly insecureWipe: boolean;
  readonly registry: Registry;
  readonly accounts: BmcAccounts | undefined;
}

/** Milliseconds that log lines may wait to be sent together. */
const LOG_EVERY = 1_000;
/** A token with less than this left is renewed, for twice as long: machines stay resident for weeks. */
const HALF_LIFE = 1_800_000;
/** Log lines of one call that are also seen; the agent's `HH:MM:SS.mmm level text`. */
const NOTABLE = /^(?:\S+ )?(?:error|warn)\b/i;
const MOST_NOTABLE = 8;

export function createMachineCalls(options: MachineCallsOptions): ServiceImpl<typeof Machine> {
  const { inventory, digest, seal, clock, guard, boots, logs, orders, wipes, presence, insecureWipe, registry, accounts } =
    options;

  async function hello(request: HelloRequest, caller: Boot): Promise<HelloAnswer> {
    const facts = factsOf(request, caller);
    checkClaims(caller.caller, { ...facts, macs: [...request.macs, request.bootMac].filter((mac) => mac !== "") });
    const boot = boots.begin(caller.caller);
    boot.facts = facts;
    const server = machineOf(facts, inventory, digest)?.server?.metadata.name;
    if (server !== undefined) boot.server = server;
    guard.saw(boot, { what: "agent.hello", text: introduction(request), waitingFor: "the report of its hardware" });
    return {
      boot: boot.id,
      server: server ?? "",
      register: true,
      logMilliseconds: LOG_EVERY,
      silenceMilliseconds: SILENCE,
      nowMilliseconds: BigInt(clock.now()),
    };
  }

  /** The boot's wait goes on behind what it reports meanwhile. */
  const waiting = ({ waitingFor }: Boot): { waitingFor?: string } => (waitingFor === undefined ? {} : { waitingFor });

  function sawStep(boot: Boot, step: Step): void {
    const [name, text] = [clean(step.name), clean(step.text)];
    const took = { took: step.tookMilliseconds };
    switch (step.state) {
      case StepState.STARTED:
        guard.saw(boot, { what: "agent.step", text: `${name} started`, waitingFor: `its step ${name}` });
        break;
      case StepState.DONE:
        guard.saw(boot, {
          what: "agent.step",
          text: text === "" ? `${name} done` : `${name}: ${text}`,
          ...took,
          ...waiting(boot),
        });
        break;
      case StepState.FAILED:
        guard.saw(boot, { what: "agent.step", text: `${name} failed: ${text}`, ...took, ...waiting(boot) });
        break;
      default:
        throw refusal("agent.malformed", `steps: ${name} has state ${step.state}`);
    }
  }

  async function log({ first: firstLine, lines }: LogRequest, boot: Boot): Promise<{ next: bigint }> {
    if (firstLine > BigInt(Number.MAX_SAFE_INTEGER - lines.length)) throw refusal("agent.malformed", "first: is too much");
    const first = Number(firstLine);
    const lost = first - boot.nextLine;
    // A server that was started again has seen none, and nothing has been lost for that.
    const gap = lost > 0 && boot.nextLine > 0 ? [`… ${lost} lines are missing`] : [];
    const fresh = lines.slice(Math.max(0, -lost)).map(clean);
    const at = clock.now();
    logs.append(
      boot.server ?? boot.id,
      [...gap, ...fresh].map((text) => ({ at, boot: boot.id, text })),
    );
    boot.nextLine = Math.max(boot.nextLine, first + lines.length);
    for (const text of fresh.filter((line) => NOTABLE.test(line)).slice(0, MOST_NOTABLE)) {
      guard.saw(boot, { what: "agent.log", text, ...waiting(boot) });
    }
    return { next: BigInt(boot.nextLine) };
  }

  async function* follow(request: OrdersRequest, context: HandlerContext): AsyncGenerator<Order> {
    let boot: Boot;
    let machine: string;
    try {
      boot = guard.bootOf(context, request.boot);
      machine = registered(boot);
    } catch (error) {
      throw guard.failed(error, context);
    }
    const { signal } = context.values.get(CALL);
    let isReplaced = false;
    try {
      const stream = orders.stream(machine, boot.id, context.signal, () => renewed(boot));
      isReplaced = (yield* noted(stream, boot)) === "replaced";
    } finally {
      // Not when it calls again already, and not when it is we who stop.
      const isOurs = Fault.is(signal.reason) && signal.reason.fault === "ours";
      if (!isReplaced && !isOurs) guard.saw(boot, { what: "agent.gone", text: "the agent's connection ended" });
    }
  }

  /** What the boot is asked to do opens the calls that it does it with. */
  async function* noted<End>(stream: AsyncGenerator<Order, End>, boot: Boot): AsyncGenerator<Order, End> {
    try {
      for (;;) {
        const next = await stream.next();
        if (next.done === true) return next.value;
        if (next.value.kind.case === "setupBmc") boot.bmcAsked.add(next.value.id);
        yield next.value;
      }
    } finally {
      // Whoever stops listening to us must not leave the machine connected.
      await stream.return(undefined as End);
    }
  }

  function renewed({ caller: { token, address } }: Boot): string {
    if (token === undefined || token.expires - clock.now() > HALF_LIFE) return "";
    return encodeToken({ ...token, address, expires: clock.now() + 2 * HALF_LIFE }, seal);
  }

  async function ownServerOf(boot: Boot): Promise<string> {
    const name = registered(boot);
    const server = await registry.server(name);
    if (server === undefined) throw refusal("agent.not-registered", `there is no Server ${name} any more`);
    await presence.mustBeOwn(server, boot.caller.address);
    return name;
  }

  return {
    hello: guard.method(hello),
    report: guard.bootMethod(async ({ steps }, boot) => {
      for (const step of steps) {
        sawStep(boot, step);
        if (step.order !== "" && boot.server !== undefined) orders.answered(boot.server, step);
        if (step.order !== "" && step.state !== StepState.STARTED) boot.bmcAsked.delete(step.order);
      }
      return {};
    }),
    log: guard.bootMethod(log),
    orders: follow,
    ...createWipeCalls({ guard, wipes, ownServerOf, insecureWipe }),
    ...createBmcCalls({ guard, registry, accounts, serverOf: registered }),
  };
}

interface HelloAnswer {
  readonly boot: string;
  readonly server: string;
  readonly register: boolean;
  readonly logMilliseconds: number;
  readonly silenceMilliseconds: number;
  readonly nowMilliseconds: bigint;
}

function factsOf({ uuid, serial, macs }: HelloRequest, { caller }: Boot): MachineFacts {
  const own = caller.token?.mac;
  const known = macs.map((mac) => mac.toLowerCase());
  return { uuid: uuid.toLowerCase(), serial: clean(serial), macs: known.length === 0 && own !== undefined ? [own] : known };
}

function registered({ server }: Boot): string {
  if (server === undefined) throw refusal("agent.not-registered", "there is no Server yet; call CreateServer first");
  return server;
}

function introduction({ agentVersion, kernelVersion, architecture, bootMode, uptimeMilliseconds }: HelloRequest): string {
  const details = [kernelVersion && `kernel ${kernelVersion}`, architecture, bootMode].map(clean).filter(Boolean).join(", ");
  const uptime = (uptimeMilliseconds / 1000).toFixed(1);
  return `agent ${clean(agentVersion) || "of no version"} said hello ${uptime} s after its kernel started${details && ` (${details})`}`;
}
