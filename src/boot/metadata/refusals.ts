/** What becomes of those that are refused: they are counted, shown on the Server, and one address is heard only so often. */
import type { Sighting, Witness } from "#decide/sighting.ts";
import { Bucket } from "#io/bucket.ts";
import type { Clock } from "#io/clock.ts";
import type { Log } from "#io/log.ts";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import { Recent } from "../recent.ts";
import type { Reason } from "./fault.ts";
import type { MetadataPort } from "./port.ts";

/** Refusals of one address that are looked into: a machine asks every few seconds, a thief as fast as it can. */
const RATE = { rate: 0.5, burst: 10 };
const ADDRESSES = 16_384;

export interface RefusalsOptions {
  readonly port: Pick<MetadataPort, "event">;
  readonly clock: Clock;
  readonly log: Log;
  readonly witness: Witness;
  readonly onRefused: (reason: Reason | "rate") => void;
}

export interface Refused {
  readonly of: Sighting["of"];
  readonly server: Server | undefined;
  readonly reason: Reason;
  readonly because: string;
}

export class Refusals {
  readonly #options: RefusalsOptions;
  readonly #buckets = new Recent<Bucket>(ADDRESSES);

  constructor(options: RefusalsOptions) {
    this.#options = options;
  }

  /** Puts it on record, and says whether the one who asked is to be heard out: otherwise it has asked too often. */
  note({ of, server, reason, because }: Refused): boolean {
    const { port, clock, log, witness, onRefused } = this.#options;
    const address = of.address ?? "";
    const bucket = this.#buckets.get(address) ?? new Bucket(clock, RATE);
    this.#buckets.set(address, bucket);
    if (!bucket.take()) {
      onRefused("rate");
      return false;
    }
    onRefused(reason);
    const text = `asked for its configuration and was refused: ${because}`;
    witness({ of, at: clock.now(), what: "config.refused", text });
    // That there is none yet is no offence.
    const isOffence = reason !== "missing";
    log[isOffence ? "warn" : "info"](`refused a configuration: ${because}`, { ...of });
    if (server !== undefined) port.event(server, "Warning", "Server Configuration", `A machine at ${address} ${text}`);
    return true;
  }
}
