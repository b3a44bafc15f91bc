/** What all calls have in common: who calls is found out before a message is decoded, and whoever is refused is seen. */
import { createContextKey } from "@connectrpc/connect";
import type { ConnectError, HandlerContext } from "@connectrpc/connect";
import type { Sighting, Witness } from "#decide/sighting.ts";
import type { Clock } from "#io/clock.ts";
import type { Log } from "#io/log.ts";
import { Fault } from "#std/fault.ts";
import type { Admit } from "./access.ts";
import { whomOf } from "./boots.ts";
import type { Boot, Boots } from "./boots.ts";
import { isExpected, isRefusal, refusal, rpcErrorOf } from "./faults.ts";
import { CALL } from "./rpc.ts";

export interface GuardOptions {
  readonly admit: Admit;
  readonly boots: Boots;
  readonly clock: Clock;
  readonly log: Log;
  readonly witness: Witness;
  /** Whether the caches have been filled: before that, a machine that is not found may well be there. */
  readonly isReady: () => boolean;
}

export interface Guard {
  /** For connect's `requestGate`. */
  readonly gate: (context: HandlerContext) => Promise<void>;
  /** The caller's boot; `id` is what the request says it is, or nothing. */
  bootOf(context: HandlerContext, id: string): Boot;
  /** A method: its faults become gRPC statuses, sightings and log lines. */
  method<I, O>(run: (request: I, boot: Boot) => Promise<O>): (request: I, context: HandlerContext) => Promise<O>;
  /** The same for one whose requests name their boot. */
  bootMethod<I extends { boot: string }, O>(
    run: (request: I, boot: Boot) => Promise<O>,
  ): (request: I, context: HandlerContext) => Promise<O>;
  /** What is to be thrown for `error`, once it has been seen and logged. */
  failed(error: unknown, context: HandlerContext): ConnectError;
  saw(boot: Boot, sighting: Omit<Sighting, "of" | "at">): void;
}

const BOOT = createContextKey<Boot | undefined>(undefined, { description: "the boot that calls" });

export function createGuard({ admit, boots, clock, log, witness, isReady }: GuardOptions): Guard {
  function failed(error: unknown, context: HandlerContext): ConnectError {
    const fault = Fault.from(error);
    const { address } = context.values.get(CALL);
    const boot = context.values.get(BOOT);
    const method = `${context.service.name}/${context.method.name}`;
    const { uuid, mac } = fault.facts as { uuid?: string; mac?: string };
    const of = boot === undefined ? { address, ...(uuid && { uuid }), ...(mac && { mac }) } : whomOf(boot.caller, boot);
    if (isRefusal(fault)) {
      witness({ of, at: clock.now(), what: "agent.refused", text: `${method} was refused: ${fault.message}` });
      log.warn("refused a machine's call", { ...of, method, because: fault.message });
    } else if (!isExpected(fault)) {
      log.error("a machine's call failed", { ...of, method, because: fault });
    }
    return rpcErrorOf(fault);
  }

  const method: Guard["method"] = (run) => async (request, context) => {
    try {
      return await run(request, context.values.get(BOOT)!);
    } catch (error) {
      throw failed(error, context);
    }
  };

  const bootOf: Guard["bootOf"] = (context, id) => checkedBoot(context.values.get(BOOT)!, id);

  return {
    method,
    bootOf,
    bootMethod: (run) => method((request, boot) => run(request, checkedBoot(boot, request.boot))),
    failed,
    saw: (boot, sighting) => witness({ of: whomOf(boot.caller, boot), at: clock.now(), ...sighting }),
    async gate(context) {
      const { address, problem } = context.values.get(CALL);
      try {
        const caller = await admit(context.requestHeader.get("authorization") ?? undefined, address);
        context.values.set(BOOT, boots.of(caller));
        if (problem !== undefined) throw problem;
        if (!isReady()) {
          throw new Fault("agent.not-ready", "the server is starting; try again", { fault: "ours", retry: "soon" });
        }
      } catch (error) {
        throw failed(error, context);
      }
    },
  };
}

/** Without tokens, whoever has the address now may not speak for whoever had it before. */
function checkedBoot(boot: Boot, id: string): Boot {
  if (id !== "" && id !== boot.id) throw refusal("agent.denied", `boot ${id} is over, or was never this machine's`);
  return boot;
}
