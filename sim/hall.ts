/** A data centre in a process: a hall of machines on a switch, Sidero on its host, and people. Time passes when {@link Hall.pass} says so. */
import { VirtualClock } from "#io/memory/clock.ts";
import { MemoryBlobs } from "#io/memory/blobs.ts";
import { createMemoryDisk } from "#io/memory/disk.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import { MemoryJournal } from "#io/memory/journal.ts";
import type { JournalFaults } from "#io/memory/journal.ts";
import { MemoryNetwork } from "#io/memory/network.ts";
import { createMemoryPki } from "#io/memory/pki.ts";
import { createMemorySeal } from "#io/memory/seal.ts";
import type { Handler } from "#io/serve.ts";
import { Lease } from "#kube/lease.ts";
import { MANAGEMENT } from "./bmc/attach.ts";
import { SwitchWires } from "./firmware/switch-wires.ts";
import { SimMachine } from "./machine/machine.ts";
import { AGENT_KERNEL, SYSTEM_KERNEL } from "./machine/linux.ts";
import { identityFor, MODELS } from "./machine/model.ts";
import type { Model } from "./machine/model.ts";
import type { Process } from "./process.ts";
import type { Site } from "./site.ts";
import { sha512, startProcess } from "./process.ts";
import { Story, storyLog } from "./story.ts";
import { dialSimulated } from "./talos/dial.ts";
import { TalosWorld } from "./talos/world.ts";
import { Web } from "./web.ts";

/** Called with the trailers of an answer over HTTP, and its status. */
export type Overheard = (trailers: Readonly<Record<string, string>>, status: number) => void;

export interface HallOptions {
  readonly seed: number;
  readonly machines: number;
  readonly models?: readonly Model[];
  readonly flags?: Readonly<Record<string, string>>;
  /** Sees every line of the log. */
  readonly line?: (line: string) => void;
  readonly journal?: JournalFaults;
  readonly site?: Pick<Site, "between" | "onStore">;
  /** Called with every call of a machine over HTTP; what it returns, with the trailers of its answer. */
  readonly overhear?: (machine: SimMachine, target: string) => Overheard | undefined;
}

const SEGMENT = "provisioning";
const SERVER = "10.77.0.1";
const MANAGER = "10.88.255.1";
/** Milliseconds a datagram is under way at the most. */
export const TRAVEL = 2;

export class Hall {
  readonly clock = new VirtualClock(Date.UTC(2030, 0, 1));
  readonly story: Story;
  readonly network = new MemoryNetwork();
  readonly web: Web;
  readonly machines: readonly SimMachine[];
  /** Of the machines that run Talos. */
  readonly talos: TalosWorld;
  readonly site: Site;
  /** Undefined while it is down. */
  process: Process | undefined;
  #journal: MemoryJournal;
  #leases = new MemoryJournal();
  #starting = false;
  readonly #wires: SwitchWires[] = [];
  readonly #entropy: SeededEntropy;
  #loss = 0;

  constructor(options: HallOptions) {
    const { seed, machines, models = MODELS } = options;
    const { clock, network } = this;
    const entropy = new SeededEntropy(seed);
    this.#entropy = new SeededEntropy(entropy.below(2 ** 32));
    this.story = new Story(clock);
    this.setNetwork({ loss: 0, duplication: 0, delay: TRAVEL });
    const host = network.host();
    host.connect(SEGMENT, "eth0", [`${SERVER}/16`], "52:54:00:00:00:01");
    host.connect(MANAGEMENT, "eth1", [`${MANAGER}/16`], "52:54:00:00:00:02");
    const names = new SeededEntropy(entropy.below(2 ** 32));
    this.web = new Web({
      now: () => clock.now(),
      // Whoever has just sent something is in the neighbour table.
      seen: (address) => {
        const machine = this.#at(address);
        if (machine !== undefined) host.neighbours.set(address, machine.identity.mac);
      },
      overhear: (from, { target }) => {
        const machine = this.#at(from);
        return machine === undefined ? undefined : options.overhear?.(machine, target);
      },
    });
    const pki = createMemoryPki();
    const { web, story } = this;
    const talos = new TalosWorld({
      clock,
      entropy: new SeededEntropy(seed ^ 0x7a105),
      pki,
      listenAt: (address) => web.listenAt(address),
      isMachine: (address) => this.#at(address) !== undefined,
      tell: (who, what) => story.tell(who, what),
    });
    this.talos = talos;
    this.machines = Array.from({ length: machines }, (_, i) => {
      const identity = identityFor(i, names, models);
      const own = new SeededEntropy(entropy.below(2 ** 32));
      const tell = (what: string): void => this.story.tell(identity.serial, what);
      const wires = new SwitchWires({ identity, clock, entropy: own, network, web: this.web, segment: SEGMENT });
      this.#wires.push(wires);
      return new SimMachine(identity, { clock, entropy: own, wires, tell, talos });
    });
    const disk = createMemoryDisk();
    for (const [path, text] of Object.entries(FILES)) disk.files.set(path, { content: Buffer.from(text), mode: 0o644 });
    this.site = {
      clock,
      entropy: new SeededEntropy(entropy.below(2 ** 32)),
      host,
      address: SERVER,
      managementAddress: MANAGER,
      web: this.web,
      disk,
      blobs: new MemoryBlobs({ sha512, disk }),
      seal: createMemorySeal(seed),
      origins: new Map([["https://github.com", releases]]),
      subnets: { subnets: [{ subnet: "10.77.0.0/16", mode: "server", pools: ["10.77.1.0-10.77.254.255"], leaseTime: "12h" }] },
      flags: { "agent-image": "/image", "boot-programs": "/programs", ...options.flags },
      pki,
      dialTalos: dialSimulated({
        world: talos,
        clock,
        entropy: new SeededEntropy(seed ^ 0xd1a1),
        loss: () => this.#loss,
      }),
      log: storyLog(this.story, options.line),
      ...options.site,
    };
    this.#journal = new MemoryJournal(options.journal ?? { seed });
  }

  #at(address: string): SimMachine | undefined {
    return this.machines[this.#wires.findIndex(({ current }) => current === address)];
  }

  /** Runs `work` while time passes; what it resolves to. */
  async during<T>(work: Promise<T>): Promise<T> {
    let isOver = false;
    const watched = work.finally(() => (isOver = true));
    watched.catch(() => {});
    while (!isOver) await this.clock.advance(1);
    return await watched;
  }

  async pass(milliseconds: number): Promise<void> {
    await this.clock.advance(milliseconds);
  }

  /** What datagrams meet from now on. */
  setNetwork({
    loss,
    duplication,
    delay,
  }: {
    readonly loss: number;
    readonly duplication: number;
    readonly delay: number;
  }): void {
    this.#loss = loss;
    const seed = this.#entropy.below(2 ** 32);
    this.network.faults = { seed, loss, duplication, delay: { clock: this.clock, milliseconds: delay } };
  }

  /** Resolves when it is up; time has to pass for that. */
  async start(): Promise<void> {
    if (this.process !== undefined || this.#starting) return;
    this.#starting = true;
    try {
      this.process = await startProcess(this.site, this.#journal, this.#leases);
      this.story.tell("sidero", "is up");
    } finally {
      this.#starting = false;
    }
  }

  /** Somebody else says that it leads. */
  async stealLease(): Promise<void> {
    const leases = this.process?.client.for(Lease).in("kube-system");
    const current = (await leases?.list())?.items[0];
    if (leases === undefined || current === undefined) return;
    await leases.update({ ...current, spec: { ...current.spec, holderIdentity: "somebody else" } });
  }

  /** As if its host lost power: nothing is said any more, and what was durable is what is left. */
  crash(): void {
    if (this.process === undefined) return;
    this.story.tell("sidero", "crashes");
    this.process.life.end();
    this.process = undefined;
    this.web.cut(SERVER);
    this.#journal = this.#journal.crash();
    this.#leases = this.#leases.crash();
  }

  async stop(): Promise<void> {
    for (const machine of this.machines) machine.switchOff();
    if (this.process !== undefined) await this.during(this.process.stop());
    this.process = undefined;
  }
}

const FILES: Readonly<Record<string, string>> = {
  "/image/vmlinuz-amd64": `${AGENT_KERNEL}\n`,
  "/image/initramfs-amd64": "initial RAM disk of the agent\n",
  "/image/vmlinuz-arm64": `${AGENT_KERNEL} for arm64\n`,
  "/image/initramfs-arm64": "initial RAM disk of the agent for arm64\n",
  "/programs/undionly.kpxe": `iPXE for BIOS ${"-".repeat(4000)}`,
  "/programs/snp.efi": `iPXE for UEFI ${"-".repeat(4000)}`,
};

/** Where the default Environment's files are. */
const releases: Handler = async ({ target }) => {
  const text = target.includes("vmlinuz") ? `${SYSTEM_KERNEL} ${target}\n` : `initial RAM disk ${target}\n`;
  return { status: 200, headers: { "content-length": String(text.length) }, body: [Buffer.from(text)] };
};
