/** The serial console over IPMI: a session of its own, so that nobody who reads the power ends it. */
import type { Clock, Timer } from "#io/clock.ts";
import type { Duration } from "#std/duration.ts";
import { Fault } from "#std/fault.ts";
import { getDeviceId } from "#wire/ipmi/app/device.ts";
import { activatePayload, deactivatePayload } from "#wire/ipmi/app/payload.ts";
import { call } from "#wire/ipmi/command.ts";
import { SolMachine } from "#wire/ipmi/sol/machine.ts";
import type { SolTurn } from "#wire/ipmi/sol/machine.ts";
import type { Console } from "../bmc.ts";
import type { Connection } from "./connection.ts";

/** BMCs end a session without commands after a minute (IPMI 2.0 §6.12.15); characters do not count everywhere. */
const KEEP_ALIVE: Duration = 25_000;
const INSTANCE = 1;
/** Between what the machine prints and who reads it; what is older is lost. */
const LONGEST_QUEUE = 1024 * 1024;
const LEAST_SIZE = 16;

/** Rejects with the Faults of `call`; `bmc.busy` when somebody else has the console. `connection` is closed when the console is. */
export async function openConsole(connection: Connection, clock: Clock, signal: AbortSignal): Promise<Console> {
  try {
    await connection.request(getDeviceId.encode(), signal);
    const isProtected = connection.suite !== 0;
    // A BMC may send before it has answered.
    const early: Uint8Array[] = [];
    connection.onSol = (payload) => void early.push(payload);
    const question = { instance: INSTANCE, encrypted: isProtected, authenticated: isProtected };
    const { inboundSize } = await call(connection, activatePayload, question, signal);
    const console = new IpmiConsole(connection, clock, Math.max(LEAST_SIZE, inboundSize));
    for (const payload of early) console.onPayload(payload);
    return console;
  } catch (error) {
    await connection.close();
    throw error;
  }
}

interface Write {
  /** It is taken when so many characters are left behind it. */
  left: number;
  readonly resolve: () => void;
  readonly reject: (reason: Error) => void;
}

class IpmiConsole implements Console {
  readonly #connection: Connection;
  readonly #clock: Clock;
  readonly #machine: SolMachine;
  readonly #queue: Uint8Array[] = [];
  readonly #writes: Write[] = [];
  #queued = 0;
  #wake: (() => void) | undefined;
  #timer: Timer | undefined;
  #keepAlive: Timer | undefined;
  #end: "open" | "closed" | Fault = "open";

  constructor(connection: Connection, clock: Clock, size: number) {
    this.#connection = connection;
    this.#clock = clock;
    this.#machine = new SolMachine({ end: "remote", size });
    connection.onSol = (payload) => this.onPayload(payload);
    this.#stayAlive();
  }

  onPayload(payload: Uint8Array): void {
    this.#follow(this.#machine.onPayload(payload, this.#clock.monotonic()));
  }

  readonly output: AsyncIterable<Uint8Array> = { [Symbol.asyncIterator]: () => this.#read() };

  async *#read(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const next = this.#queue.shift();
      if (next !== undefined) {
        this.#queued -= next.length;
        yield next;
      } else if (this.#end === "open") {
        await new Promise<void>((resolve) => (this.#wake = resolve));
      } else {
        if (this.#end !== "closed") throw this.#end;
        return;
      }
    }
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.#end !== "open") return Promise.reject(ended());
    return new Promise((resolve, reject) => {
      for (const write of this.#writes) write.left += bytes.length;
      this.#writes.push({ left: 0, resolve, reject });
      this.#follow(this.#machine.write(bytes.slice(), this.#clock.monotonic()));
    });
  }

  async close(): Promise<void> {
    if (this.#end !== "open") return;
    this.#finish("closed");
    await call(this.#connection, deactivatePayload, { instance: INSTANCE }).catch(() => {});
    await this.#connection.close();
  }

  #follow({ send, received, wakeAt, state }: SolTurn): void {
    for (const payload of send) this.#connection.sendSol(payload).catch(() => this.#finish(silent()));
    if (received.length > 0) this.#push(received);
    while (this.#writes.length > 0 && this.#machine.unsent <= this.#writes[0]!.left) this.#writes.shift()!.resolve();
    this.#timer?.cancel();
    const now = this.#clock.monotonic();
    this.#timer =
      wakeAt === undefined
        ? undefined
        : this.#clock.after(Math.max(0, wakeAt - now), () => this.#follow(this.#machine.onTime(this.#clock.monotonic())));
    if (state === "ended") this.#leave("closed");
    if (state === "silent") this.#leave(silent());
  }

  #push(bytes: Uint8Array): void {
    this.#queue.push(bytes);
    this.#queued += bytes.length;
    while (this.#queued > LONGEST_QUEUE && this.#queue.length > 1) this.#queued -= this.#queue.shift()!.length;
    this.#wake?.();
  }

  #stayAlive(): void {
    this.#keepAlive = this.#clock.after(KEEP_ALIVE, () => {
      this.#connection.request(getDeviceId.encode()).then(
        () => this.#end === "open" && this.#stayAlive(),
        () => this.#leave(silent()),
      );
    });
  }

  /** The other side is gone. */
  #leave(end: "closed" | Fault): void {
    if (this.#end !== "open") return;
    this.#finish(end);
    void this.#connection.close();
  }

  #finish(end: "closed" | Fault): void {
    if (this.#end !== "open") return;
    this.#end = end;
    this.#timer?.cancel();
    this.#keepAlive?.cancel();
    this.#connection.onSol = undefined;
    for (const write of this.#writes.splice(0)) write.reject(ended());
    this.#wake?.();
  }
}

function ended(): Fault {
  return new Fault("bmc.refused", "the console is closed", { fault: "peer", retry: "later" });
}

function silent(): Fault {
  return new Fault("bmc.unreachable", "the BMC does not answer on the serial console any more", {
    fault: "world",
    retry: "soon",
  });
}
