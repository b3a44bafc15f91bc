/** Carries out what `wire/ipmi` wants to ask: sends, waits, sends again. */
import type { Clock, Timer } from "#io/clock.ts";
import { Fault } from "#std/fault.ts";
import type { Ask, Steps } from "#wire/ipmi/session/ask.ts";
import type { Line } from "./sockets.ts";

/** One question at a time on a line. */
export class Exchange {
  readonly #clock: Clock;
  readonly #line: () => Promise<Line>;
  /** Of the question that waits. */
  #receive: ((datagram: Uint8Array) => void) | undefined;

  constructor(clock: Clock, line: () => Promise<Line>) {
    this.#clock = clock;
    this.#line = line;
  }

  onDatagram(datagram: Uint8Array): void {
    this.#receive?.(datagram);
  }

  /** Resolves with what was answered, or undefined for silence. Rejects with Fault `ipmi.unreachable` when nothing can be sent. */
  async ask<T>({ send, read, waits, name }: Ask<T>, signal?: AbortSignal): Promise<T | undefined> {
    signal?.throwIfAborted();
    const line = await this.#line();
    return new Promise<T | undefined>((resolve, reject) => {
      let attempt = 0;
      let timer: Timer | undefined;
      const end = (settle: () => void): void => {
        timer?.cancel();
        signal?.removeEventListener("abort", abort);
        if (this.#receive === receive) this.#receive = undefined;
        settle();
      };
      const abort = (): void => end(() => reject(signal!.reason as Error));
      const receive = (datagram: Uint8Array): void => {
        try {
          const answer = read(datagram);
          if (answer !== undefined) end(() => resolve(answer));
        } catch (error) {
          end(() => reject(error));
        }
      };
      const attemptAgain = (): void => {
        const wait = waits[attempt++];
        if (wait === undefined) return end(() => resolve(undefined));
        timer = this.#clock.after(wait, attemptAgain);
        line.send(send()).catch((error: unknown) => end(() => reject(unsendable(name, error))));
      };
      signal?.addEventListener("abort", abort, { once: true });
      this.#receive = receive;
      attemptAgain();
    });
  }

  /**
   * Rejects with what `steps` throws, as well, or with the reason of `signal`. That counts until the first answer only: a BMC that is there may have
   * begun a session, and only who has it can end it.
   */
  async converse<T>(steps: Steps<T>, signal?: AbortSignal): Promise<T> {
    let isAnswered = false;
    let step = steps.next();
    while (step.done !== true) {
      const answer: unknown = await this.ask(step.value, isAnswered ? undefined : signal);
      isAnswered ||= answer !== undefined;
      step = steps.next(answer);
    }
    return step.value;
  }
}

function unsendable(name: string, cause: unknown): Fault {
  const message = `the BMC cannot be asked "${name}": ${Fault.from(cause).message}`;
  return new Fault("ipmi.unreachable", message, { fault: "world", retry: "soon", cause });
}
