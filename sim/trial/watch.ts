/**
 * The safety invariants of DESIGN §7, looked at with every event: what the API says, what reaches a BMC, what reaches a disk, and what is said aloud.
 * What is found is kept with the time; a simulation goes on, so that its story shows what came of it.
 */
import type { StoreEvent } from "#apiserver/store/store.ts";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import type { Board } from "../bmc/board.ts";
import type { Overheard } from "../hall.ts";
import type { SimMachine } from "../machine/machine.ts";
import type { Story } from "../story.ts";
import type { Ledger } from "./ledger.ts";

export interface WatchOptions {
  readonly story: Story;
  readonly ledger: () => Ledger;
  readonly machines: ReadonlyMap<string, SimMachine>;
  /** What nobody may say. */
  readonly secrets: () => Iterable<string>;
}

/** Milliseconds in which what was under way may still reach a machine after a person has changed their mind: the longest call to a BMC. */
const UNDER_WAY = 60_000;
/** The same for a disk: an agent hears at its next report that its order holds no more. */
const REPORT = 30_000;

/** How every password of a simulated board begins. */
export const SECRET = "sim-";

export class Watch {
  readonly violations: string[] = [];
  readonly #options: WatchOptions;
  readonly #made = new Map<string, string>();

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  violation(what: string): void {
    this.violations.push(what);
    this.#options.story.tell("VIOLATION", what);
  }

  /** Something reaches a machine through its BMC. */
  onAction({ uuid, serial }: Board, what: string): void {
    this.#options.story.tell(serial, `its BMC is told: ${what}`);
    const ledger = this.#options.ledger();
    if (ledger.sinceOurs(uuid) > UNDER_WAY) {
      const server = ledger.servers.get(uuid);
      const why =
        server === undefined ? "there is no Server" : server.spec?.accepted !== true ? "it is not accepted" : "it is paused";
      this.violation(`${serial}: its BMC is told "${what}" though ${why}`);
    }
  }

  /** A byte of a disk changes. */
  onWrite(machine: SimMachine, disk: string): void {
    const { uuid, serial } = machine.identity;
    const ledger = this.#options.ledger();
    if (machine.screen === "environment") {
      if (ledger.servers.get(uuid)?.spec?.accepted !== true)
        this.violation(`${serial}: ${disk} is installed on, and it is not accepted`);
    } else if (ledger.sinceOrdered(uuid) > REPORT) {
      this.violation(`${serial}: ${disk} is written to without an order`);
    }
  }

  /** A machine calls. The answer to BeginWipe is the moment from which it may write: a binding that was there before must forbid it. */
  onCall(machine: SimMachine, target: string): Overheard | undefined {
    if (target.startsWith("/configdata")) return this.#onConfiguration(machine, target);
    if (!target.endsWith("/BeginWipe")) return undefined;
    const { uuid, serial } = machine.identity;
    const before = this.#options.ledger().bindings.get(uuid)?.metadata.uid;
    return (trailers) => {
      const isAllowed = trailers["grpc-status"] === "0";
      this.#options.story.tell(serial, isAllowed ? "may begin to wipe" : `may not wipe: ${trailers["grpc-message"] ?? "?"}`);
      const ledger = this.#options.ledger();
      if (!isAllowed) return;
      if (before !== undefined && ledger.bindings.get(uuid)?.metadata.uid === before) {
        this.violation(`${serial}: may begin to wipe while a ServerBinding holds it`);
      }
      if (ledger.sinceOrdered(uuid) > 0) this.violation(`${serial}: may begin to wipe, and there is no order`);
    };
  }

  /** No configuration leaves but to the machine that it is for, and against a token. */
  #onConfiguration(machine: SimMachine, target: string): Overheard {
    const { uuid, serial } = machine.identity;
    const { searchParams } = new URL(target, "http://sidero");
    return (_trailers, status) => {
      if (status !== 200) return;
      const other = searchParams.get("uuid");
      if (other !== uuid) this.violation(`${serial}: is sent the configuration of ${other}`);
      if ((searchParams.get("token") ?? "") === "") this.violation(`${serial}: is sent a configuration without a token`);
      if (!this.#options.ledger().bindings.has(uuid)) this.violation(`${serial}: is sent a configuration, and nobody holds it`);
    };
  }

  onServer(after: Server | undefined, before: Server | undefined): void {
    if (after === undefined) return;
    const { name = "" } = after.metadata;
    const machine = this.#options.machines.get(name);
    this.#tellStatus(after, before, machine?.identity.serial ?? name);
    if (machine === undefined || after.status?.isClean !== true || before?.status?.isClean === true) return;
    const { wipe } = after.status;
    const { serial } = machine.identity;
    if (wipe?.state !== "done") this.violation(`${serial}: clean, and its wipe order is ${wipe?.state ?? "not there"}`);
    for (const disk of wipe?.disks ?? []) {
      if (disk.state !== "done" && disk.state !== "skipped")
        this.violation(`${serial}: clean, and ${disk.name} is ${disk.state}`);
      if (disk.state === "done" && disk.verified !== true) this.violation(`${serial}: clean, and ${disk.name} is not verified`);
    }
    for (const { name: disk } of machine.dirtyDisks(wipe?.mode ?? "full"))
      this.violation(`${serial}: clean, and ${disk} has its old content`);
    if (this.#options.ledger().bindings.has(name)) this.violation(`${serial}: clean, and somebody holds it`);
  }

  onEvent({ entry }: StoreEvent): void {
    if (entry.resource === "/secrets")
      this.#learn(entry.name, entry.object() as { readonly data?: Readonly<Record<string, string>> });
    else this.onText(entry.bytes.toString("latin1"), `${entry.resource} ${entry.name}`);
  }

  /** Passwords that agents have made for themselves, and what clusters are made of. */
  #learn(name: string, { data = {} }: { readonly data?: Readonly<Record<string, string>> }): void {
    const text = (key: string): string => Buffer.from(data[key] ?? "", "base64").toString();
    const password = text("pass");
    if (password !== "" && !password.startsWith(SECRET)) this.#made.set(password, "a password that an agent made");
    for (const [, key, value = ""] of text("bundle").matchAll(/^\s*(token|bootstraptoken|secret\w*|key): "?([^\s"]{12,})/gm))
      this.#made.set(value, `the ${key} of ${name}`);
  }

  /** Something is said aloud. */
  onText(text: string, where: string): void {
    for (const [secret, what] of this.#made) if (text.includes(secret)) this.violation(`${what} in ${where}`);
    // All others begin so, and nearly nothing else does.
    if (!text.includes(SECRET)) return;
    for (const secret of this.#options.secrets()) {
      if (text.includes(secret)) this.violation(`a password in ${where}: ${text.replaceAll(secret, "***").slice(0, 200)}`);
    }
  }

  #tellStatus({ status = {} }: Server, before: Server | undefined, who: string): void {
    const was = before?.status ?? {};
    if (status.phase !== was.phase) this.#options.story.tell(who, `is ${status.phase ?? "without a phase"} now`);
    if (status.waiting?.reason !== was.waiting?.reason && status.waiting !== undefined) {
      this.#options.story.tell(who, `waits for ${status.waiting.waitingFor} (${status.waiting.reason})`);
    }
    if (status.wipe?.id !== was.wipe?.id || status.wipe?.state !== was.wipe?.state) {
      const { wipe } = status;
      const disks = (wipe?.disks ?? []).map(
        ({ name, state, method, detail }) => `${name} ${state} ${method ?? ""} ${detail ?? ""}`,
      );
      const detail = [wipe?.detail, ...disks]
        .filter(Boolean)
        .map((each) => `; ${each}`)
        .join("");
      this.#options.story.tell(
        who,
        wipe === undefined ? "has no wipe order" : `its wipe order ${wipe.id} (${wipe.by}) is ${wipe.state}${detail}`,
      );
    }
    if (status.isClean !== was.isClean) this.#options.story.tell(who, status.isClean === true ? "is clean" : "is not clean");
  }
}
