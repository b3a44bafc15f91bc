/** Wipe orders in the agent: each is confirmed by the server before the first byte, carried out once, and told of until the server has heard. */
import { Code, ConnectError } from "@connectrpc/connect";
import type { Client } from "@connectrpc/connect";
import type { Clock } from "#io/clock.ts";
import { sleep } from "#io/clock.ts";
import type { HardwareInformation } from "#proto/api_pb.js";
import { DiskState, WipeMode } from "#proto/sidero/agent/v1/machine_pb.js";
import type { BeginWipeResponse, DiskWipe, Machine as MachineService, Step } from "#proto/sidero/agent/v1/machine_pb.js";
import type { RunOptions } from "./run.ts";
import { wipeDisks } from "./run.ts";

/** The server, as it is reached now. */
export interface Link {
  readonly client: Pick<Client<typeof MachineService>, "beginWipe" | "reportWipe">;
  /** Of this conversation. */
  readonly boot: string;
}

export interface WiperOptions extends RunOptions {
  readonly clock: Clock;
  /** Looks at the hardware. */
  readonly inspect: () => Promise<HardwareInformation>;
}

export interface Wiper {
  /** From now on the server is reached so; undefined: not at all. */
  connect(link: Link | undefined): void;
  /**
   * Begins to carry out an order, unless it is under way. `ended` is called with the last step when it is done or has failed; a failed order is tried
   * again when it comes again.
   */
  take(order: string, ended: (step: Step) => void): void;
  /** Whether it was taken before. */
  knows(order: string): boolean;
  /** Without an order, which upstream's servers do not have. Resolves to what failed, in words. */
  wipeAll(mode: "fast" | "full"): Promise<string[]>;
}

const CALL = 30_000;
/** Disks at a time, where no server says. */
const PARALLEL = 4;
/** Milliseconds until the server is tried again. */
const PAUSE = 2_000;

export function createWiper(options: WiperOptions): Wiper {
  const taken = new Map<string, "running" | "ended">();
  let link: Link | undefined;
  let linked: () => void = () => {};

  async function reached(): Promise<Link> {
    while (link === undefined) await new Promise<void>((resolve) => (linked = resolve));
    return link;
  }

  /** Until the server answers, or says that it will not. Rejects with the refusal. */
  async function insist<T>(call: (link: Link) => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await call(await reached());
      } catch (reason) {
        const error = ConnectError.from(reason);
        if (REFUSALS.has(error.code)) throw error;
        await sleep(options.clock, PAUSE);
      }
    }
  }

  async function run(order: string): Promise<Step> {
    const ending = options.road.begin("wipe", order);
    const withdrawn = new AbortController();
    try {
      const told = await insist(({ client, boot }) => client.beginWipe({ boot, order }, { timeoutMs: CALL }));
      const hardware = await options.inspect();
      const reports = createReports(order, told.reportMilliseconds || 5_000, options.clock, insist, (error) =>
        withdrawn.abort(error),
      );
      try {
        const disks = await wipeDisks(options, planOf(told), hardware, reports.changed, withdrawn.signal);
        await reports.end(disks);
        return failuresOf(disks).length === 0 ? ending.done(summaryOf(disks)) : ending.failed(summaryOf(disks));
      } finally {
        reports.stop();
      }
    } catch (error) {
      return ending.failed(`${withdrawn.signal.aborted ? "stopped: " : "not begun: "}${ConnectError.from(error).rawMessage}`);
    }
  }

  return {
    connect: (next) => {
      link = next;
      if (next !== undefined) linked();
    },
    knows: (order) => taken.has(order),
    async wipeAll(mode) {
      const plan = { mode, policy: {}, parallel: PARALLEL };
      const disks = await wipeDisks(options, plan, await options.inspect(), () => {}, new AbortController().signal);
      return failuresOf(disks);
    },
    take: (order, ended) => {
      if (taken.get(order) === "running") return;
      taken.set(order, "running");
      void run(order).then((step) => {
        taken.set(order, "ended");
        ended(step);
      });
    },
  };
}

/**
 * What will not be better when it is asked again. A server that has just started does not know this boot yet and says NOT_FOUND or PERMISSION_DENIED until
 * the next hello.
 */
const REFUSALS: ReadonlySet<Code> = new Set([Code.FailedPrecondition, Code.InvalidArgument, Code.Unimplemented]);

function planOf({ mode, only, keep, parallel }: BeginWipeResponse): Parameters<typeof wipeDisks>[1] {
  // What is not said is done thoroughly.
  return { mode: mode === WipeMode.FAST ? "fast" : "full", policy: { only, keep }, parallel: parallel || 1 };
}

interface Reports {
  changed(disks: readonly DiskWipe[], isNews: boolean): void;
  /** The last one; resolves when the server has it. */
  end(disks: readonly DiskWipe[]): Promise<void>;
  stop(): void;
}

/** Tells the server: news at once, progress and signs of life every so often. One call at a time, always with the newest state. */
function createReports(
  order: string,
  every: number,
  clock: Clock,
  insist: <T>(call: (link: Link) => Promise<T>) => Promise<T>,
  refused: (error: unknown) => void,
): Reports {
  let latest: readonly DiskWipe[] = [];
  let hasNews = false;
  let isOver = false;
  let wake: () => void = () => {};
  const send = (): Promise<unknown> =>
    insist(({ client, boot }) =>
      client.reportWipe({ boot, order, disks: latest.map((disk) => ({ ...disk })) }, { timeoutMs: CALL }),
    );
  const next = (): Promise<void> =>
    new Promise((resolve) => {
      const timer = clock.after(every, resolve);
      wake = () => {
        timer.cancel();
        resolve();
      };
    });
  const loop = async (): Promise<void> => {
    while (!isOver) {
      if (!hasNews) await next();
      hasNews = false;
      if (!isOver && latest.length > 0) await send();
    }
  };
  const looping = loop().catch(refused);
  const stop = (): void => {
    isOver = true;
    wake();
  };
  return {
    changed: (disks, isNews) => {
      latest = disks;
      hasNews ||= isNews;
      // The end is told by end(), when all is said.
      if (isNews) wake();
    },
    end: async (disks) => {
      stop();
      await looping;
      latest = disks;
      await send();
    },
    stop,
  };
}

function failuresOf(disks: readonly DiskWipe[]): string[] {
  return disks.filter(({ state }) => state === DiskState.FAILED).map(({ name, detail }) => `${name}: ${detail}`);
}

function summaryOf(disks: readonly DiskWipe[]): string {
  const count = (state: DiskState): number => disks.filter((disk) => disk.state === state).length;
  const failed = failuresOf(disks);
  if (disks.length === 0) return "the machine has no disks";
  const parts = [`${count(DiskState.DONE)} disks erased`, `${count(DiskState.SKIPPED)} left as they were`];
  return failed.length === 0 ? parts.join(", ") : `${parts.join(", ")}; failed: ${failed.join("; ")}`;
}
