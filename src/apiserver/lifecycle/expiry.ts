/** Objects of kinds with a time to live (Event) go when nobody has written them for that long. */
import type { Timer } from "#io/clock.ts";
import type { Definition } from "#schema/definition.ts";
import { Fault } from "#std/fault.ts";
import { storageName } from "../registry.ts";
import type { Entry } from "../store/store.ts";
import { inBatches } from "./batch.ts";
import type { LifecyclePart, LifecyclePorts } from "./ports.ts";

/** Milliseconds between sweeps: an object goes at most this much late, and no timer per object is kept. */
const SWEEP = 60_000;

interface Dated {
  readonly entry: Entry;
  /** Milliseconds on the monotonic clock. */
  readonly written: number;
}

export class Expiry implements LifecyclePart {
  readonly #ports: LifecyclePorts;
  readonly #mortal: readonly Definition[];
  /** By storage name, oldest write first: a write moves its object to the end. */
  readonly #written = new Map<string, Map<string, Dated>>();
  readonly #endings: (() => void)[] = [];
  #sweeping: Promise<void> = Promise.resolve();
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(ports: LifecyclePorts) {
    this.#ports = ports;
    this.#mortal = [...ports.registry.definitions()].filter((definition) => definition.strategy.timeToLive !== undefined);
  }

  /** When what was there before was last written is not recorded: its time began when the object says that it was last seen. */
  start(): void {
    const { store } = this.#ports;
    for (const definition of this.#mortal) {
      const resource = storageName(definition);
      this.#written.set(resource, this.#found(definition));
      this.#endings.push(
        store.subscribe(resource, ({ type, entry }) => {
          if (type === "DELETED") this.#written.get(resource)!.delete(entry.uid);
          else this.#note(entry);
        }),
      );
    }
    this.#schedule();
  }

  idle(): Promise<void> {
    return this.#sweeping;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    for (const end of this.#endings) end();
    await this.#sweeping;
  }

  #found(definition: Definition): Map<string, Dated> {
    const { store, clock } = this.#ports;
    const { times } = definition.strategy.timeToLive!;
    const dated = store.list({ resource: storageName(definition) }).entries.map((entry): Dated => {
      const object = entry.object();
      const moments = [object.metadata.creationTimestamp, ...times(object)].map((time) => Date.parse(time ?? ""));
      // A time to come, or none at all, is as good as now: too long a life does no harm.
      const age = clock.now() - Math.max(...moments.filter((moment) => !Number.isNaN(moment)));
      return { entry, written: clock.monotonic() - (Number.isFinite(age) ? Math.max(0, age) : 0) };
    });
    dated.sort((a, b) => a.written - b.written);
    return new Map(dated.map((one) => [one.entry.uid, one]));
  }

  #note(entry: Entry): void {
    const dated = this.#written.get(entry.resource)!;
    dated.delete(entry.uid);
    dated.set(entry.uid, { entry, written: this.#ports.clock.monotonic() });
  }

  #schedule(): void {
    if (this.#isStopped) return;
    this.#timer = this.#ports.clock.after(SWEEP, () => {
      this.#sweeping = this.#sweep().finally(() => this.#schedule());
    });
  }

  async #sweep(): Promise<void> {
    const { clock, report } = this.#ports;
    for (const definition of this.#mortal) {
      const oldest = clock.monotonic() - definition.strategy.timeToLive!.seconds * 1000;
      const dated = this.#written.get(storageName(definition))!;
      const expired: string[] = [];
      for (const [uid, { written }] of dated) {
        if (written > oldest) break;
        expired.push(uid);
      }
      // What could not be deleted is still noted, and tried again by the next sweep.
      await inBatches(expired, (uid) => this.#expire(definition, dated.get(uid), oldest)).catch((error: unknown) =>
        report("expiry", definition.plural, Fault.from(error)),
      );
    }
  }

  /** Looks again: a write may have come while earlier ones were being deleted. */
  #expire(definition: Definition, dated: Dated | undefined, oldest: number): Promise<void> | undefined {
    return dated === undefined || dated.written > oldest ? undefined : this.#ports.writer.delete(definition, dated.entry);
  }
}
