/**
 * The BMCs of all machines. Nothing here waits: what is asked is done in the BMC's own lane, and what is known is looked up. Machines that rest cost an
 * entry on an agenda.
 */
import { bmcWay, formatBmcAddress } from "#decide/bmc-address.ts";
import type { BmcAddress, BmcWay } from "#decide/bmc-address.ts";
import type { PowerFacts, PowerOperation } from "#decide/power.ts";
import type { Witness } from "#decide/sighting.ts";
import type { Clock, Timer } from "#io/clock.ts";
import type { Entropy } from "#io/entropy.ts";
import type { Log } from "#io/log.ts";
import type { Interfaces, OpenUdp } from "#io/udp.ts";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import { parseMac } from "#std/address.ts";
import { Fault } from "#std/fault.ts";
import { equal } from "#std/json.ts";
import { Agenda } from "./agenda.ts";
import type { Bmc, Console, Credentials } from "./bmc.ts";
import { CLOSED } from "./breaker.ts";
import { readCredentials } from "./credentials.ts";
import type { ReadSecret } from "./credentials.ts";
import { Lane } from "./lane.ts";
import { createMeters, MACHINE_STATES } from "./metrics.ts";
import type { FleetMetrics, MachineState } from "./metrics.ts";
import { Places } from "./places.ts";
import { SETTINGS } from "./settings.ts";
import type { FleetSettings } from "./settings.ts";
import { TroubleLog } from "./trouble.ts";
import { wake } from "./wake.ts";

/** What a driver is made for. */
export interface BmcTarget {
  /** Name of its Server, which is its UUID. */
  readonly machine: string;
  readonly address: BmcAddress;
  /** Absent where none are needed. */
  readonly credentials?: Credentials;
  /** SHA-256 of the certificate that was taken at first sight. */
  readonly known?: string;
  /** Called with one that is taken now. */
  readonly onPin: (fingerprint: string) => void;
}

/** Makes what speaks to one BMC; nothing is sent before the first call. */
export type MakeBmc = (target: BmcTarget) => Bmc;

export interface FleetOptions {
  readonly makeBmc: MakeBmc;
  readonly readSecret: ReadSecret;
  readonly openUdp: OpenUdp;
  readonly interfaces: Interfaces;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
  readonly metrics: FleetMetrics;
  readonly witness: Witness;
  readonly settings?: Partial<FleetSettings>;
}

/** Also the `Power` of `controllers/server/ports.ts`, where each method is described. */
export interface Fleet {
  follow(server: Server, credentials: string): void;
  forget(machine: string): void;
  facts(machine: string): PowerFacts;
  begin(machine: string, operation: PowerOperation): void;
  withdraw(machine: string, id: string): void;
  wake(server: Server): void;
  onChange(listener: (machine: string) => void): () => void;
  /** The machine's serial console, in a session of its own. Rejects with the faults of {@link Bmc}. */
  console(machine: string, signal: AbortSignal): Promise<Console>;
  /** Forgets all machines: somebody else leads now. */
  release(): void;
  /** Ends all sessions. Never rejects. */
  close(): Promise<void>;
}

interface Member {
  readonly bmc: NonNullable<Server["spec"]>["bmc"];
  readonly managementApi: NonNullable<Server["spec"]>["managementApi"];
  readonly credentials: string;
  readonly way: BmcWay;
  /** Facts of a machine without a lane. */
  readonly still: PowerFacts;
  readonly lane?: Lane;
  /** Takes a reading that waits for its place back. */
  unplace?: () => void;
  fingerprint?: string | undefined;
}

const UNKNOWN: PowerFacts = { way: "none", power: "unknown", breaker: CLOSED };
/** Milliseconds between two looks at the fleet as a whole. */
const REVIEW = 15_000;
const EXAMPLES = 3;

export function createFleet(options: FleetOptions): Fleet {
  const { clock, entropy, makeBmc, readSecret, witness } = options;
  const settings: FleetSettings = { ...SETTINGS, ...options.settings };
  const log = options.log.with({ part: "bmc" });
  const meters = createMeters(options.metrics);
  const trouble = new TroubleLog(log);
  const members = new Map<string, Member>();
  /** By the text of its address: whose BMC it is. */
  const owners = new Map<string, string>();
  /** Machines whose BMC is another one's, and its address. */
  const refused = new Map<string, string>();
  const listeners = new Set<(machine: string) => void>();
  const places = new Places(clock, settings);
  const agenda = new Agenda(clock, (machine) => {
    const member = members.get(machine);
    if (member?.lane === undefined) return;
    const { lane } = member;
    member.unplace = places.take(() => lane.read());
  });
  /** Lanes that are being closed. */
  const leaving = new Set<Promise<void>>();
  let isClosed = false;
  let review: Timer = clock.after(REVIEW, lookOver);

  function tell(machine: string): void {
    for (const listener of listeners) listener(machine);
  }

  async function open(machine: string, member: () => Member): Promise<Bmc> {
    const { way, fingerprint } = member();
    if (way.way !== "bmc") throw new Fault("bmc.unsupported", `${machine} has no BMC`, { fault: "caller", retry: "never" });
    const credentials = await readCredentials(way.credentials, readSecret);
    return makeBmc({
      machine,
      address: way.address,
      ...(credentials === undefined ? {} : { credentials }),
      ...(fingerprint === undefined ? {} : { known: fingerprint }),
      onPin: (pinned) => {
        member().fingerprint = pinned;
        member().lane?.touch();
      },
    });
  }

  function enter(server: Server, credentials: string, known: Member | undefined): Member {
    const machine = server.metadata.name!;
    const { bmc, managementApi } = server.spec ?? {};
    const base = { bmc, managementApi, credentials };
    const way = claimed(machine, bmcWay({ ...(bmc && { bmc }), ...(managementApi && { managementApi }) }));
    if (way.way !== "bmc") {
      const problem = way.way === "unusable" ? { problem: way.problem } : {};
      return { ...base, way, still: { ...UNKNOWN, way: way.way, ...problem } };
    }
    const lane = new Lane({
      machine,
      address: way.address,
      open: () => open(machine, () => members.get(machine) ?? member),
      fingerprint: () => members.get(machine)?.fingerprint,
      clock,
      entropy,
      log,
      meters,
      settings,
      witness,
      onChange: () => {
        if (members.get(machine)?.lane === lane) tell(machine);
      },
      onSchedule: (delay) => {
        if (!isClosed && members.get(machine)?.lane === lane) agenda.set(machine, delay);
      },
    });
    const member: Member = { ...base, way, still: UNKNOWN, lane, fingerprint: pinOf(server, way, known) };
    return member;
  }

  /** Two Servers with one BMC would switch each other's machine: only the first one may. */
  function claimed(machine: string, way: BmcWay): BmcWay {
    if (way.way !== "bmc") return way;
    const address = formatBmcAddress(way.address);
    const owner = owners.get(address) ?? machine;
    owners.set(address, owner);
    if (owner === machine) return way;
    refused.set(machine, address);
    const problem = `${address} is the BMC of Server ${owner}: correct one of the two, or delete the one whose machine is gone`;
    return { way: "unusable", problem };
  }

  function leave(machine: string): void {
    const member = members.get(machine);
    if (member === undefined) return;
    members.delete(machine);
    refused.delete(machine);
    agenda.delete(machine);
    member.unplace?.();
    if (member.lane === undefined || member.way.way !== "bmc") return;
    const address = formatBmcAddress(member.way.address);
    owners.delete(address);
    const closing: Promise<void> = member.lane.close().finally(() => leaving.delete(closing));
    leaving.add(closing);
    // Whoever was refused because of this one may have it now: its controller follows it anew.
    for (const [name, wanted] of refused) {
      if (wanted !== address) continue;
      leave(name);
      tell(name);
    }
  }

  function lookOver(): void {
    const counts = Object.fromEntries(MACHINE_STATES.map((state) => [state, 0])) as Record<MachineState, number>;
    const examples: string[] = [];
    for (const { lane, way, still } of members.values()) {
      const { breaker, problem } = lane?.facts ?? still;
      const state = stateOf(way, breaker);
      counts[state]++;
      if ((state === "left-alone" || state === "unusable") && examples.length < EXAMPLES) {
        const where = way.way === "bmc" ? `${formatBmcAddress(way.address)}: ` : "";
        examples.push(`${where}${breaker.error ?? problem ?? ""}`);
      }
    }
    meters.machines(counts);
    trouble.note({ counts, examples });
    if (!isClosed) review = clock.after(REVIEW, lookOver);
  }

  return {
    follow(server, credentials) {
      const machine = server.metadata.name;
      if (machine === undefined || isClosed) return;
      const known = members.get(machine);
      const { bmc, managementApi } = server.spec ?? {};
      const isSame = known !== undefined && equal(known.bmc, bmc) && equal(known.managementApi, managementApi);
      if (isSame && known.credentials === credentials) return;
      if (known?.lane !== undefined && isSame) {
        members.set(machine, { ...known, credentials });
        known.lane.reset();
        return;
      }
      const before = facts(machine);
      leave(machine);
      const member = enter(server, credentials, known);
      members.set(machine, member);
      if (member.lane !== undefined) agenda.set(machine, 0);
      if (!equal(before, facts(machine))) tell(machine);
    },
    forget: leave,
    facts,
    begin(machine, operation) {
      members.get(machine)?.lane?.begin(operation);
    },
    withdraw(machine, id) {
      members.get(machine)?.lane?.withdraw(id);
    },
    wake(server) {
      const macs = (server.spec?.hardware?.network?.interfaces ?? []).flatMap(({ mac = "" }) =>
        parseMac(mac) === undefined ? [] : [mac],
      );
      const machine = server.metadata.name!;
      wake(macs, options).then(
        (names) => {
          const text = `Wake-on-LAN was sent to ${macs.join(", ")} by ${names.join(", ") || "no interface: none has an IPv4 address"}`;
          witness({ of: { server: machine }, at: clock.now(), what: "power.command", text, begins: true });
        },
        (error: unknown) => log.warn("could not send Wake-on-LAN", { server: machine, because: Fault.from(error) }),
      );
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async console(machine, signal) {
      const member = members.get(machine);
      if (member === undefined) throw new Fault("bmc.unsupported", `${machine} has no BMC`, { fault: "caller", retry: "never" });
      const bmc = await open(machine, () => members.get(machine) ?? member);
      try {
        const console = await bmc.console(signal);
        return {
          output: console.output,
          write: (bytes) => console.write(bytes),
          close: () => console.close().finally(() => bmc.close()),
        };
      } catch (error) {
        await bmc.close();
        throw error;
      }
    },
    release,
    async close() {
      isClosed = true;
      review.cancel();
      release();
      agenda.clear();
      await Promise.allSettled(leaving);
    },
  };

  function release(): void {
    // Nobody is to be told that the way is free now.
    refused.clear();
    for (const machine of members.keys()) leave(machine);
  }

  function facts(machine: string): PowerFacts {
    const member = members.get(machine);
    return member?.lane?.facts ?? member?.still ?? UNKNOWN;
  }
}

/** What was pinned at another address is not this BMC's: whoever has changed the Server means another one. */
function pinOf(server: Server, way: Extract<BmcWay, { way: "bmc" }>, known: Member | undefined): string | undefined {
  if (known?.way.way !== "bmc") return server.status?.bmc?.fingerprint;
  return formatBmcAddress(known.way.address) === formatBmcAddress(way.address) ? known.fingerprint : undefined;
}

function stateOf({ way }: BmcWay, { state, failures }: PowerFacts["breaker"]): MachineState {
  if (way !== "bmc") return way;
  if (state !== "closed") return "left-alone";
  return failures > 0 ? "fails" : "answers";
}
