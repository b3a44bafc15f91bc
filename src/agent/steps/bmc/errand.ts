/**
 * When the BMC is set up: in the background of whatever else the machine does, one attempt at a time. Where registration asks for it, until it works or the
 * server no longer wants it; on an order, once, and the order's sender decides what then.
 *
 * Upstream's agent does it after the wipe. Ours begins at once: it writes nothing to disks and takes seconds, and from then on the server can power-cycle a
 * machine whose wipe hangs.
 */
import type { Transport } from "@connectrpc/connect";
import { ConnectError } from "@connectrpc/connect";
import type { Clock } from "#io/clock.ts";
import { sleep } from "#io/clock.ts";
import type { OpenIpmiDevice } from "#io/ipmi-device.ts";
import type { Log } from "#io/log.ts";
import type { Step } from "#proto/sidero/agent/v1/machine_pb.js";
import { Fault } from "#std/fault.ts";
import type { Ending, Road } from "../road.ts";
import { createBmcServer, createUpstreamBmcServer, isFinal } from "./server.ts";
import type { BmcServer } from "./server.ts";
import { setUpBmc } from "./setup.ts";

export interface BmcDoors {
  readonly open: OpenIpmiDevice;
  /** Random bytes, good enough for passwords. */
  readonly bytes: (length: number) => Uint8Array;
}

export interface BmcErrandOptions {
  /** Absent: this agent cannot speak to BMCs. */
  readonly doors: BmcDoors | undefined;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly log: Log;
  readonly road: Road;
}

export interface BmcErrand {
  /** Begins, unless it is under way already. `whom`: as which boot of which Server to call, which may change meanwhile. */
  begin(whom: () => Caller): void;
  /** Resolves to how the order's step ended. Never rejects. */
  obey(whom: () => Caller, order: string, rotate: boolean): Promise<Step>;
  /** For an upstream server, once. Never rejects. */
  obeyUpstream(uuid: string): Promise<void>;
}

export interface Caller {
  readonly boot: string;
  readonly uuid: string;
}

/** Milliseconds between two attempts: doubled each time, up to. */
const BACKOFF = { first: 15_000, last: 600_000 } as const;

interface Tried {
  readonly step: Step;
  /** Another attempt can help. */
  readonly isWorthIt: boolean;
}

export function createBmcErrand({ doors, transport, clock, log, road }: BmcErrandOptions): BmcErrand {
  const signal = new AbortController().signal;
  const orders = new Map<string, Promise<Step>>();
  let isUnderWay = false;
  let last: Promise<unknown> = Promise.resolve();

  function attempt(server: BmcServer, ending: Ending, rotate: boolean): Promise<Tried> {
    const turn = last.then(async (): Promise<Tried> => {
      if (doors === undefined) return { step: ending.failed("this agent cannot speak to BMCs"), isWorthIt: false };
      try {
        return { step: ending.done(await setUpBmc({ ...doors, server, clock, log, rotate, signal })), isWorthIt: false };
      } catch (reason) {
        const { message, mayHelp } = readingOf(reason);
        return { step: ending.failed(message), isWorthIt: mayHelp };
      }
    });
    last = turn;
    return turn;
  }

  async function untilDone(whom: () => Caller): Promise<void> {
    for (let failures = 0; ; failures++) {
      const server = createBmcServer({ transport, ...whom(), order: "", signal });
      if (!(await attempt(server, road.begin("bmc"), false)).isWorthIt) return;
      await sleep(clock, Math.min(BACKOFF.last, BACKOFF.first * 2 ** Math.min(failures, 10)));
    }
  }

  return {
    begin(whom) {
      if (isUnderWay) return;
      isUnderWay = true;
      void untilDone(whom).finally(() => (isUnderWay = false));
    },
    obey(whom, order, rotate) {
      const server = createBmcServer({ transport, ...whom(), order, signal });
      // It comes again when the stream breaks meanwhile.
      const running = orders.get(order) ?? attempt(server, road.begin("bmc", order), rotate).then(({ step }) => step);
      orders.set(order, running);
      void running.then(() => orders.delete(order));
      return running;
    },
    async obeyUpstream(uuid) {
      await attempt(createUpstreamBmcServer({ transport, uuid, signal }), road.begin("bmc"), false);
    },
  };
}

/** What to tell people, without what only programmers care for; and whether another attempt can help. */
function readingOf(reason: unknown): { readonly message: string; readonly mayHelp: boolean } {
  if (reason instanceof ConnectError) return { message: reason.rawMessage, mayHelp: !isFinal(reason) };
  const { message, retry } = Fault.from(reason);
  return { message, mayHelp: retry !== "never" };
}
