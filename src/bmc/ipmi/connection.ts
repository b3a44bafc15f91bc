/** A session with one BMC, opened when it is needed: commands go over it one after the other. */
import { sleep } from "#io/clock.ts";
import type { Clock } from "#io/clock.ts";
import type { Crypto } from "#io/crypto.ts";
import type { Entropy } from "#io/entropy.ts";
import type { Duration } from "#std/duration.ts";
import { Fault } from "#std/fault.ts";
import { getDeviceId } from "#wire/ipmi/app/device.ts";
import { closeSession, setSessionPrivilegeLevel } from "#wire/ipmi/app/session.ts";
import { COMPLETION, PAYLOAD } from "#wire/ipmi/constants.ts";
import type { IpmiChannel, IpmiRequest, IpmiResponse } from "#wire/ipmi/packet.ts";
import { decodeAnswer, encodeCommand } from "#wire/ipmi/session/ask.ts";
import type { Ask } from "#wire/ipmi/session/ask.ts";
import { login, loginAgain } from "#wire/ipmi/session/login.ts";
import type { LoginOptions } from "#wire/ipmi/session/login.ts";
import { silence } from "#wire/ipmi/session/refusal.ts";
import type { Session } from "#wire/ipmi/session/session.ts";
import { Exchange } from "./exchange.ts";
import type { IpmiSockets, Line } from "./sockets.ts";

export interface ConnectionOptions extends Omit<LoginOptions, "primitives" | "random"> {
  readonly sockets: IpmiSockets;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly crypto: Crypto;
  /** IP address of the BMC; asked for with each login, as names move. */
  readonly address: () => Promise<string>;
  readonly port: number;
}

/** A BMC may take seconds over a command, and the network may lose it. */
const WAITS: readonly Duration[] = [1000, 1500, 2500, 4000, 5000];
/** Whether it still knows the session. */
const PROBE: readonly Duration[] = [500, 1000];
const FAREWELL: readonly Duration[] = [300, 600, 900];
/** A session that was quiet for that long may be gone: BMCs end them after 60 s (IPMI 2.0 §6.12.15), or restart. */
const FRESH: Duration = 20_000;
const BUSY_WAITS: readonly Duration[] = [250, 500, 1000];

export class Connection implements IpmiChannel {
  readonly #options: ConnectionOptions;
  readonly #login: LoginOptions;
  readonly #exchange: Exchange;
  #line: Promise<Line> | undefined;
  #session: Session | undefined;
  #opening: Promise<Session> | undefined;
  #giveUp: AbortController | undefined;
  #suite: number | undefined;
  #heardAt = 0;
  #sequence = 0;
  /** The end of the queue. */
  #last: Promise<unknown> = Promise.resolve();
  /** Called with payloads of the serial console. */
  onSol: ((payload: Uint8Array) => void) | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#login = { ...options, primitives: options.crypto, random: (length) => options.entropy.bytes(length) };
    this.#exchange = new Exchange(options.clock, () => this.#openLine());
  }

  /** The cipher suite of the session; undefined with IPMI 1.5, and when there was none yet. */
  get suite(): number | undefined {
    return this.#suite;
  }

  /**
   * Rejects with Fault `ipmi.unreachable`, with the Faults of `login`, or the reason of `signal`. A BMC that says it is busy is asked again for
   * two seconds.
   */
  request(request: IpmiRequest, signal?: AbortSignal): Promise<IpmiResponse> {
    const turn = this.#queue(async () => {
      for (const wait of BUSY_WAITS) {
        const response = await this.#perform(request, signal);
        if (response.completion !== COMPLETION.nodeBusy) return response;
        await sleep(this.#options.clock, wait, signal);
      }
      return this.#perform(request, signal);
    });
    return abortable(turn, signal);
  }

  /** Sends a payload of the serial console; nobody waits for it. Rejects when there is no session. */
  async sendSol(payload: Uint8Array): Promise<void> {
    const session = this.#session;
    if (session === undefined) throw silence("SOL");
    const line = await this.#openLine();
    await line.send(session.wrap({ type: PAYLOAD.sol, bytes: payload }));
  }

  /** Tells the BMC that the session ends, and lets go of the socket. The next request opens another one. Never rejects. */
  async close(): Promise<void> {
    // A login under way may have a session already, and BMCs have few; one that nobody answers is given up.
    this.#giveUp?.abort(silence("anything before the session was closed"));
    await this.#opening?.catch(() => {});
    await this.#queue(async () => {
      const session = this.#session;
      if (session !== undefined) {
        const farewell = this.#command(session, closeSession.encode(session.id), FAREWELL);
        await this.#exchange.ask({ ...farewell, name: closeSession.name }).catch(() => undefined);
      }
      await this.#forget();
    }).catch(() => {});
  }

  /** After all that was asked before, whatever became of it. */
  #queue<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work, work);
    this.#last = turn.catch(() => {});
    return turn;
  }

  async #perform(request: IpmiRequest, signal?: AbortSignal): Promise<IpmiResponse> {
    signal?.throwIfAborted();
    const session = await this.#ready(signal);
    const question = this.#command(session, request, WAITS);
    const answer = await this.#exchange.ask(question, signal);
    if (answer !== undefined) return answer;
    await this.#forget();
    throw silence(question.name);
  }

  async #ready(signal?: AbortSignal): Promise<Session> {
    const session = this.#session;
    if (session !== undefined) {
      if (this.#options.clock.monotonic() - this.#heardAt < FRESH) return session;
      const probe = this.#command(session, getDeviceId.encode(), PROBE);
      if ((await this.#exchange.ask(probe, signal)) !== undefined) return session;
      await this.#forget();
    }
    // A login goes on when its caller gives up, so that it can be ended with what it got.
    this.#opening ??= this.#open().finally(() => (this.#opening = undefined));
    return abortable(this.#opening, signal);
  }

  async #open(): Promise<Session> {
    try {
      const session = await this.#authenticate();
      this.#session = session;
      this.#heardAt = this.#options.clock.monotonic();
      const question = this.#command(session, setSessionPrivilegeLevel.encode(this.#login.privilege), WAITS);
      const answer = await this.#exchange.ask(question);
      if (answer === undefined) throw silence(setSessionPrivilegeLevel.name);
      setSessionPrivilegeLevel.decode(answer);
      return session;
    } catch (error) {
      const session = this.#session;
      if (session !== undefined) {
        await this.#exchange.ask(this.#command(session, closeSession.encode(session.id), FAREWELL)).catch(() => undefined);
      }
      await this.#forget();
      throw error;
    }
  }

  async #authenticate(): Promise<Session> {
    const { signal } = (this.#giveUp = new AbortController());
    if (this.#suite !== undefined) {
      try {
        return (await this.#exchange.converse(loginAgain(this.#login, this.#suite), signal)).session;
      } catch (error) {
        // Its firmware may have been changed. A wrong password is wrong with every suite.
        if (!Fault.is(error, "ipmi.unsupported") && !Fault.is(error, "ipmi.malformed")) throw error;
        this.#suite = undefined;
      }
    }
    const { session, suite } = await this.#exchange.converse(login(this.#login), signal);
    this.#suite = suite;
    return session;
  }

  /** A command in the session. It has a number of its own, and each attempt another one of the session's. */
  #command(session: Session, request: IpmiRequest, waits: readonly Duration[]): Ask<IpmiResponse> {
    const sequence = (this.#sequence = (this.#sequence + 1) & 0x3f);
    const bytes = encodeCommand(request, sequence);
    return {
      name: `command 0x${request.command.toString(16).padStart(2, "0")} of network function 0x${request.netFn.toString(16).padStart(2, "0")}`,
      waits,
      send: () => session.wrap({ type: PAYLOAD.ipmi, bytes }),
      // What comes here has been taken out of its envelope.
      read: (payload) => decodeAnswer(payload, request, sequence),
    };
  }

  #onDatagram(datagram: Uint8Array): void {
    const session = this.#session;
    if (session === undefined) return this.#exchange.onDatagram(datagram);
    const payload = session.unwrap(datagram);
    if (payload === undefined) return;
    this.#heardAt = this.#options.clock.monotonic();
    if (payload.type === PAYLOAD.ipmi) this.#exchange.onDatagram(payload.bytes);
    else if (payload.type === PAYLOAD.sol) this.onSol?.(payload.bytes);
  }

  #openLine(): Promise<Line> {
    this.#line ??= this.#options
      .address()
      .then((address) => this.#options.sockets.open(address, this.#options.port, (datagram) => this.#onDatagram(datagram)));
    return this.#line;
  }

  async #forget(): Promise<void> {
    const line = this.#line;
    this.#session = undefined;
    this.#line = undefined;
    await line?.then((open) => open.close()).catch(() => {});
  }
}

/** Rejects with the signal's reason when that comes first. */
function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    const settled = (): void => signal.removeEventListener("abort", abort);
    work.then(resolve, reject).then(settled, settled);
  });
}
