/**
 * Asks the machines of all control planes how they are, so that no decision waits for one. What they say is kept; whoever listens is called when it is
 * something new. So many are asked at a time, each within a deadline; one that is well is asked seldom.
 */
import type { Seat, TalosFacts } from "#decide/talos-control-plane/machine.ts";
import type { Clock, Timer } from "#io/clock.ts";
import type { Entropy } from "#io/entropy.ts";
import { fraction } from "#io/entropy.ts";
import { equal } from "#std/json.ts";
import { Fault } from "#std/fault.ts";
import type { TalosApi, TalosDial } from "#talos/api.ts";
import type { Credentials, Talos } from "./ports.ts";
import { readFacts } from "./reading.ts";

export interface ProberPorts {
  readonly dial: TalosDial;
  readonly clock: Clock;
  readonly entropy: Entropy;
}

/** Milliseconds between two looks at a machine that is well, and at one that is not, or was just told to do something. */
const CALM = 30_000;
const QUICK = 5_000;
/** A machine that says nothing within this is taken to say nothing. */
const DEADLINE = 25_000;
const AT_A_TIME = 16;

interface Entry {
  readonly plane: string;
  seat: Seat;
  credentials: Credentials;
  facts: TalosFacts;
  /** The address that answered last, and the line to it. */
  line: { readonly address: string; readonly api: TalosApi } | undefined;
  timer: Timer | undefined;
  state: "waiting" | "queued" | "looking";
  /** Something has happened since the look under way began. */
  isStale: boolean;
}

export class Prober implements Talos {
  readonly #ports: ProberPorts;
  readonly #entries = new Map<string, Entry>();
  readonly #queue: string[] = [];
  #looking = 0;
  #listener: ((plane: string) => void) | undefined;

  constructor(ports: ProberPorts) {
    this.#ports = ports;
  }

  follow(plane: string, seats: readonly Seat[], credentials: Credentials | undefined): void {
    const wanted = new Map(
      credentials === undefined ? [] : seats.filter(({ addresses }) => addresses.length > 0).map((seat) => [seat.uid, seat]),
    );
    for (const [uid, entry] of this.#entries) if (entry.plane === plane && !wanted.has(uid)) this.#forget(uid, entry);
    for (const [uid, seat] of wanted) {
      const entry = this.#entries.get(uid);
      if (entry === undefined) {
        const fresh = {
          plane,
          seat,
          credentials: credentials!,
          facts: {},
          line: undefined,
          timer: undefined,
          state: "waiting",
          isStale: false,
        } as const;
        this.#entries.set(uid, { ...fresh });
        this.#enqueue(uid);
      } else if (!equal(entry.seat, seat) || !equal(entry.credentials, credentials)) {
        entry.seat = seat;
        entry.credentials = credentials!;
        this.#hangUp(entry);
        this.#hurry(uid, entry);
      }
    }
  }

  facts(uid: string): TalosFacts {
    return this.#entries.get(uid)?.facts ?? {};
  }

  poke(plane: string): void {
    for (const [uid, entry] of this.#entries) if (entry.plane === plane) this.#hurry(uid, entry);
  }

  dial({ uid, machine, addresses }: Seat, credentials: Credentials): TalosApi {
    const address = this.#entries.get(uid)?.line?.address ?? addresses[0];
    if (address !== undefined) return this.#ports.dial({ endpoints: [address], ...credentials });
    throw new Fault("talos.unreachable", `Machine ${machine} has no address`, { fault: "world", retry: "soon" });
  }

  listen(listener: (plane: string) => void): () => void {
    this.#listener = listener;
    this.#pump();
    return () => {
      this.#listener = undefined;
      for (const [uid, entry] of this.#entries) this.#forget(uid, entry);
    };
  }

  #forget(uid: string, entry: Entry): void {
    entry.timer?.cancel();
    this.#hangUp(entry);
    this.#entries.delete(uid);
  }

  #hangUp(entry: Entry): void {
    entry.line?.api.close();
    entry.line = undefined;
  }

  #hurry(uid: string, entry: Entry): void {
    if (entry.state === "looking") entry.isStale = true;
    else this.#enqueue(uid);
  }

  #enqueue(uid: string): void {
    const entry = this.#entries.get(uid);
    if (entry === undefined || entry.state !== "waiting") return;
    entry.timer?.cancel();
    entry.state = "queued";
    this.#queue.push(uid);
    this.#pump();
  }

  #pump(): void {
    while (this.#listener !== undefined && this.#looking < AT_A_TIME) {
      const uid = this.#queue.shift();
      if (uid === undefined) return;
      const entry = this.#entries.get(uid);
      if (entry?.state !== "queued") continue;
      this.#looking++;
      entry.state = "looking";
      entry.isStale = false;
      void this.#look(entry).then((facts) => {
        this.#looking--;
        if (this.#entries.get(uid) === entry) this.#learn(uid, entry, facts);
        this.#pump();
      });
    }
  }

  #learn(uid: string, entry: Entry, facts: TalosFacts): void {
    const isNew = !equal(lasting(entry.facts), lasting(facts));
    entry.facts = facts;
    entry.state = "waiting";
    const between = isWell(facts) ? CALM : QUICK;
    const delay = entry.isStale ? 0 : between * (0.9 + 0.2 * fraction(this.#ports.entropy));
    entry.timer = this.#ports.clock.after(delay, () => this.#enqueue(uid));
    if (isNew) this.#listener?.(entry.plane);
  }

  /** Never rejects. The address that answered last is asked first; a machine may have some that cannot be reached from here. */
  async #look(entry: Entry): Promise<TalosFacts> {
    const { dial, clock } = this.#ports;
    const { seat, credentials } = entry;
    const known = entry.line?.address;
    const addresses = known === undefined ? seat.addresses : [known, ...seat.addresses.filter((address) => address !== known)];
    let problem = "it has no address";
    for (const address of addresses) {
      const api = address === known && entry.line !== undefined ? entry.line.api : dial({ endpoints: [address], ...credentials });
      try {
        const facts = await within(clock, readFacts(api));
        if (entry.line?.api !== api) {
          this.#hangUp(entry);
          // Whoever has forgotten the machine meanwhile will not hang up.
          if (this.#entries.get(seat.uid) === entry) entry.line = { address, api };
          else api.close();
        }
        return { ...facts, answeredAt: clock.now() };
      } catch (error) {
        problem = Fault.from(error).message;
        if (entry.line?.api === api) entry.line = undefined;
        api.close();
      }
    }
    const { answeredAt } = entry.facts;
    return { ...entry.facts, ...(answeredAt !== undefined && { answeredAt }), problem };
  }
}

/** What was said, but for when. */
function lasting(facts: TalosFacts): object {
  return { ...facts, answeredAt: 0 };
}

function isWell({ problem, services = [], etcd }: TalosFacts): boolean {
  return problem === undefined && etcd?.hasLeader === true && services.every(({ isHealthy }) => isHealthy !== false);
}

/** What comes of a promise that is given up is nobody's business. */
function within<T>(clock: Clock, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = new Fault("talos.unreachable", `no answer within ${DEADLINE / 1000} s`, { fault: "peer", retry: "soon" });
    const timer = clock.after(DEADLINE, () => reject(late));
    work.then(resolve, reject).finally(() => timer.cancel());
  });
}
