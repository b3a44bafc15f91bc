/** The calls of our own agent while it wipes: may I begin, and how far I am. */
import type { ServiceImpl } from "@connectrpc/connect";
import type { DiskSelector, Server } from "#kinds/metal/v1alpha2/server.ts";
import type { ReportedDisk } from "#decide/wipe/report.ts";
import { wipeModeOf } from "#decide/wipe/mode.ts";
import { isOver } from "#decide/wipe/report.ts";
import { DiskState, WipeMode } from "#proto/sidero/agent/v1/machine_pb.js";
import type { DiskWipe, Machine } from "#proto/sidero/agent/v1/machine_pb.js";
import type { Boot } from "./boots.ts";
import { refusal } from "./faults.ts";
import type { Guard } from "./guard.ts";
import { clean } from "./hardware.ts";
import type { WipeOrders } from "./wipe-orders.ts";

export interface WipeCallsOptions {
  readonly guard: Guard;
  readonly wipes: WipeOrders;
  /** Name of the boot's Server, from whose own interface the call came. Faults `agent.not-registered` and `agent.denied`. */
  readonly ownServerOf: (boot: Boot) => Promise<string>;
  readonly insecureWipe: boolean;
}

/** Disks of one machine at a time: controllers and power supplies have their limits, and progress is easier to follow. */
const PARALLEL = 4;
/** Milliseconds; signs of life are written every thirty seconds. */
const REPORT_EVERY = 5_000;
const LONGEST = { text: 128, detail: 512 } as const;

const STATES: Readonly<Record<number, ReportedDisk["state"]>> = {
  [DiskState.PENDING]: "pending",
  [DiskState.WIPING]: "wiping",
  [DiskState.VERIFYING]: "verifying",
  [DiskState.DONE]: "done",
  [DiskState.FAILED]: "failed",
  [DiskState.SKIPPED]: "skipped",
};

export function createWipeCalls({
  guard,
  wipes,
  ownServerOf,
  insecureWipe,
}: WipeCallsOptions): Pick<ServiceImpl<typeof Machine>, "beginWipe" | "reportWipe"> {
  return {
    beginWipe: guard.bootMethod(async ({ order }, boot) => {
      if (order === "") throw refusal("agent.malformed", "order: missing");
      const server = await wipes.begin(await ownServerOf(boot), order);
      const mode = wipeModeOf(server, insecureWipe);
      boot.waitingFor = "its disks to be wiped";
      guard.saw(boot, {
        what: "agent.step",
        text: `begins to wipe: ${mode}, order ${clean(order)}`,
        waitingFor: boot.waitingFor,
      });
      return {
        mode: mode === "fast" ? WipeMode.FAST : WipeMode.FULL,
        ...selectorsOf(server),
        parallel: PARALLEL,
        reportMilliseconds: REPORT_EVERY,
      };
    }),

    reportWipe: guard.bootMethod(async ({ order, disks }, boot) => {
      if (order === "") throw refusal("agent.malformed", "order: missing");
      const reported = disksOf(disks);
      await wipes.report(await ownServerOf(boot), order, reported);
      if (isOver(reported)) boot.waitingFor = "an order";
      return {};
    }),
  };
}

function selectorsOf({ spec }: Server): { readonly only: Required<DiskSelector>[]; readonly keep: Required<DiskSelector>[] } {
  const whole = (selectors: readonly DiskSelector[] = []): Required<DiskSelector>[] =>
    selectors.map(({ name = "", serial = "", wwid = "", model = "", type = "" }) => ({ name, serial, wwid, model, type }));
  return { only: whole(spec?.wipe?.only), keep: whole(spec?.wipe?.keep) };
}

/** Fault `agent.malformed` names what cannot be. How many there are at most is checked before the message is decoded. */
function disksOf(disks: readonly DiskWipe[]): ReportedDisk[] {
  const names = new Set<string>();
  return disks.map((disk, i) => {
    const wrong = (problem: string): Error => refusal("agent.malformed", `disks[${i}].${problem}`);
    const name = text(disk.name);
    if (name === undefined) throw wrong("name: missing");
    if (names.has(name)) throw wrong(`name: ${name} is there twice`);
    names.add(name);
    const state = STATES[disk.state];
    if (state === undefined) throw wrong(`state: ${disk.state} is none`);
    if (disk.percent > 100) throw wrong(`percent: ${disk.percent} is more than 100`);
    if (disk.bytes > BigInt(Number.MAX_SAFE_INTEGER)) throw wrong(`bytes: ${disk.bytes} is too much`);
    const reported = {
      name,
      model: text(disk.model),
      serial: text(disk.serial),
      wwid: text(disk.wwid),
      bytes: Number(disk.bytes),
      method: text(disk.method),
      state,
      percent: disk.percent,
      verified: disk.verified,
      detail: text(disk.detail, LONGEST.detail),
    };
    return Object.fromEntries(Object.entries(reported).filter(([, value]) => value !== undefined)) as unknown as ReportedDisk;
  });
}

function text(value: string, longest: number = LONGEST.text): string | undefined {
  return clean(value).slice(0, longest) || undefined;
}
