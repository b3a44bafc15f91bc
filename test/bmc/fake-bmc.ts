/** A BMC and its machine in memory, with the faults that BMCs have. Time is the clock's. */
import assert from "node:assert/strict";
import type { Bmc, Credentials } from "#bmc/bmc.ts";
import type { BmcTarget } from "#bmc/fleet.ts";
import type { BmcCapabilities, BootOnce, Health, PowerAction, PowerState } from "#decide/power.ts";
import type { Clock } from "#io/clock.ts";
import { sleep } from "#io/clock.ts";
import { Fault } from "#std/fault.ts";

type Code = "unreachable" | "denied" | "busy" | "refused" | "unsupported" | "malformed";
const RETRY = {
  unreachable: "soon",
  busy: "soon",
  denied: "later",
  refused: "later",
  malformed: "later",
  unsupported: "never",
} as const;

export function bmcFault(code: Code, message: string = code): Fault {
  return new Fault(`bmc.${code}`, message, { fault: "peer", retry: RETRY[code] });
}

export class FakeMachine {
  readonly #clock: Clock;
  power: PowerState = "off";
  /** Of the next start. */
  boot: BootOnce | undefined;
  /** What it was started from, one entry a start. */
  readonly starts: (BootOnce | undefined)[] = [];
  /** Every call that arrived, in order: `power`, `command on`, `bootOnce pxe`, … with its time in seconds. */
  readonly calls: { readonly call: string; readonly at: number }[] = [];
  password = "right";
  /** Milliseconds that a call takes, that power takes to change, and that its operating system takes to shut down. */
  latency = 5;
  change = 500;
  shutdown = Number.POSITIVE_INFINITY;
  actions: readonly PowerAction[] = ["on", "off", "soft-off", "cycle", "reset"];
  /** Asked at every call: what it fails with; `silent`: it never answers; `lie`: it says yes and does nothing. */
  mood: (call: string) => Code | "silent" | "lie" | undefined = () => undefined;
  /** Sessions that are open now, that were ever opened, and the most at once. */
  sessions = { open: 0, opened: 0, most: 0 };
  readonly inFlight = { now: 0, most: 0 };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The names of the calls since the last time. */
  taken(): string[] {
    return this.calls.splice(0).map(({ call }) => call);
  }

  bmc({ credentials }: Pick<BmcTarget, "credentials">): Bmc {
    let isOpen = false;
    const call = async <T>(name: string, signal: AbortSignal, act: () => T, nothing: T): Promise<T> => {
      this.calls.push({ call: name, at: this.#clock.now() });
      this.inFlight.now++;
      this.inFlight.most = Math.max(this.inFlight.most, this.inFlight.now);
      try {
        const mood = this.mood(name);
        if (mood === "silent") await sleep(this.#clock, 2 ** 30, signal);
        await sleep(this.#clock, this.latency, signal);
        if (mood !== undefined && mood !== "lie" && mood !== "silent") throw bmcFault(mood);
        this.#login(credentials, isOpen);
        isOpen = true;
        return mood === "lie" ? nothing : act();
      } finally {
        this.inFlight.now--;
      }
    };
    return {
      protocol: "ipmi",
      capabilities: (signal) => call("capabilities", signal, () => this.#capabilities(), this.#capabilities()),
      inventory: (signal) => call("inventory", signal, () => ({ manufacturer: "Fake" }), { manufacturer: "" }),
      power: (signal) => call("power", signal, () => this.power, "off"),
      command: (action, signal) => call(`command ${action}`, signal, () => this.#do(action), undefined),
      bootOnce: (boot, signal) => call(`bootOnce ${boot.device}`, signal, () => void (this.boot = boot), undefined),
      identify: (on, signal) => call(`identify ${on ? "on" : "off"}`, signal, () => undefined, undefined),
      health: (signal) =>
        call("health", signal, () => ({ overall: "ok" as Health, sensors: [] }), { overall: "unknown", sensors: [] }),
      console: async () => {
        this.#login(credentials, isOpen);
        isOpen = true;
        return { output: (async function* () {})(), write: async () => {}, close: async () => {} };
      },
      close: async () => {
        if (isOpen) this.sessions.open--;
        isOpen = false;
      },
    };
  }

  #login(credentials: Credentials | undefined, isOpen: boolean): void {
    if (credentials?.password !== this.password) throw bmcFault("denied", "the BMC does not take the password");
    if (isOpen) return;
    this.sessions.open++;
    this.sessions.opened++;
    this.sessions.most = Math.max(this.sessions.most, this.sessions.open);
  }

  #do(action: PowerAction): void {
    if (!this.actions.includes(action)) throw bmcFault("unsupported", `no ${action}`);
    const become = (state: PowerState, after: number): void => {
      if (!Number.isFinite(after)) return;
      this.#clock.after(after, () => {
        if (state === "on" && this.power === "off") this.#start();
        this.power = state;
      });
    };
    if (action === "on") become("on", this.change);
    else if (action === "off") become("off", this.change);
    else if (action === "soft-off") become("off", this.shutdown);
    else {
      // IPMI 2.0 §28.3: a machine that is off stays off.
      assert.equal(this.power, "on");
      this.#start();
    }
  }

  #start(): void {
    this.starts.push(this.boot);
    this.boot = undefined;
  }

  #capabilities(): BmcCapabilities {
    return {
      protocol: "ipmi",
      actions: this.actions,
      bootDevices: ["pxe", "disk"],
      identify: true,
      sensors: true,
      console: true,
      virtualMedia: false,
    };
  }
}
