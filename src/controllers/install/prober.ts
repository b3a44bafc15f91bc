/**
 * Asks machines that install themselves whether they are up: apid of an installed Talos answers with a certificate of its cluster, and nothing else does. What is found is
 * facts for whoever decides, who is woken when there are some; nobody waits here for a machine.
 */
import type { InstallProof } from "#decide/install/install.ts";
import { type Clock, sleep, type Timer } from "#io/clock.ts";
import { Fault } from "#std/fault.ts";
import { equal } from "#std/json.ts";
import type { TalosApi, TalosDial } from "#talos/api.ts";

export interface ProberOptions {
  readonly dial: TalosDial;
  readonly clock: Clock;
  /** Hardware address that an address is seen on; undefined where nobody sees it. */
  readonly neighbour: (address: string) => Promise<string | undefined>;
}

export interface ProbeTarget {
  /** Of the binding: another one is another installation. */
  readonly uid: string;
  /** Where the machine may be, the likeliest first. */
  readonly addresses: readonly string[];
  /** Of its interfaces, lower case. */
  readonly macs: readonly string[];
  /** Its cluster's authority, and a client certificate of it, in PEM. */
  readonly ca: string;
  readonly crt: string;
  readonly key: string;
  /** When it was sent its configuration, milliseconds since 1970. */
  readonly since: number;
}

export interface ProbeFacts {
  readonly proof?: InstallProof;
  /** Why there is none, as it was last. */
  readonly trouble?: string;
}

interface Probed {
  target: ProbeTarget;
  facts: ProbeFacts;
  timer: Timer | undefined;
  isAsking: boolean;
}

/** Milliseconds that a machine has to answer; it is in the same data centre. */
const PATIENCE = 4_000;
/** Machines asked at once. */
const AT_ONCE = 64;
/** How often, by how long ago it got its configuration: installing takes a minute or two. */
const PACES = [
  { until: 10 * 60_000, every: 5_000 },
  { until: 60 * 60_000, every: 20_000 },
  { until: Number.POSITIVE_INFINITY, every: 120_000 },
] as const;

export class Prober {
  readonly #options: ProberOptions;
  readonly #probed = new Map<string, Probed>();
  readonly #waiting: (() => void)[] = [];
  readonly #listeners = new Set<(machine: string) => void>();
  #asking = 0;

  constructor(options: ProberOptions) {
    this.#options = options;
  }

  /** Asks it from now on, until there is a proof. Cheap when nothing has changed. */
  follow(machine: string, target: ProbeTarget): void {
    const known = this.#probed.get(machine);
    if (known !== undefined && known.target.uid === target.uid && known.target.since === target.since) {
      if (!equal(known.target, target)) known.target = target;
      return;
    }
    this.forget(machine);
    const probed: Probed = { target, facts: {}, timer: undefined, isAsking: false };
    this.#probed.set(machine, probed);
    this.#schedule(machine, probed);
  }

  forget(machine: string): void {
    this.#probed.get(machine)?.timer?.cancel();
    this.#probed.delete(machine);
  }

  /** Somebody else asks from now on. */
  release(): void {
    for (const machine of this.#probed.keys()) this.forget(machine);
  }

  facts(machine: string): ProbeFacts {
    return this.#probed.get(machine)?.facts ?? {};
  }

  onChange(listener: (machine: string) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #schedule(machine: string, probed: Probed): void {
    const { clock } = this.#options;
    const age = clock.now() - probed.target.since;
    const { every } = PACES.find(({ until }) => age < until)!;
    probed.timer = clock.after(every, () => void this.#probe(machine, probed));
  }

  async #probe(machine: string, probed: Probed): Promise<void> {
    await this.#turn();
    try {
      if (this.#probed.get(machine) !== probed) return;
      probed.facts = await this.#ask(probed.target);
    } finally {
      this.#asking--;
      this.#waiting.shift()?.();
    }
    if (this.#probed.get(machine) !== probed) return;
    if (probed.facts.proof === undefined) return this.#schedule(machine, probed);
    for (const listener of this.#listeners) listener(machine);
  }

  async #turn(): Promise<void> {
    while (this.#asking >= AT_ONCE) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#asking++;
  }

  /** Never rejects. */
  async #ask({ addresses, macs, ca, crt, key }: ProbeTarget): Promise<ProbeFacts> {
    const { dial, neighbour } = this.#options;
    let trouble = "no address of it is known";
    for (const address of addresses) {
      let api: TalosApi | undefined;
      try {
        api = dial({ endpoints: [address], ca, crt, key });
        const { tag, hostname } = await this.#inTime(identityOf(api));
        const mac = (await neighbour(address))?.toLowerCase();
        if (mac === undefined || macs.includes(mac)) return { proof: { address, hostname, version: tag } };
        trouble = `what answers at ${address} is another machine of the cluster: the address belongs to ${mac}`;
      } catch (error) {
        trouble = Fault.from(error).message;
      } finally {
        api?.close();
      }
    }
    return { trouble };
  }

  async #inTime<T>(answer: Promise<T>): Promise<T> {
    const stop = new AbortController();
    const late = sleep(this.#options.clock, PATIENCE, stop.signal).then(() => {
      throw new Fault("talos.unreachable", `no answer within ${PATIENCE / 1000} s`, { fault: "world", retry: "soon" });
    });
    late.catch(() => {});
    try {
      return await Promise.race([answer, late]);
    } finally {
      stop.abort(new Fault("talos.unreachable", "answered", { fault: "world", retry: "never" }));
      answer.catch(() => {});
    }
  }
}

/** Whoever answers at all has shown its certificate; that it does not let us ask is an answer, too. */
async function identityOf(api: TalosApi): Promise<{ tag: string; hostname: string }> {
  const { tag } = await api.version().catch((error: unknown) => {
    const isAnswer = Fault.is(error, "talos.denied") && error.facts["grpc"] !== undefined;
    if (!isAnswer) throw error;
    return { tag: "of unknown version" };
  });
  const hostname = await (api.hostname?.() ?? Promise.resolve("")).catch(() => "");
  return { tag, hostname };
}
