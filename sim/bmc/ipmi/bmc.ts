/** A simulated BMC: datagrams in, datagrams out, and a machine behind it. It has no socket of its own (`serve.ts`). */
import type { Clock, Timer } from "#io/clock.ts";
import type { UdpEndpoint } from "#io/udp.ts";
import type { BootFlags } from "#wire/ipmi/chassis/boot.ts";
import { AUTHENTICATION, COMPLETION, NET_FN, PAYLOAD, PRIVILEGE } from "#wire/ipmi/constants.ts";
import type { IpmiChannel, IpmiResponse } from "#wire/ipmi/packet.ts";
import { leastFirst } from "#wire/ipmi/reader.ts";
import { decodeMessage } from "#wire/ipmi/session/message.ts";
import type { Message } from "#wire/ipmi/session/message.ts";
import { decode15, encode15 } from "#wire/ipmi/session/packet15.ts";
import { decode20, encode20 } from "#wire/ipmi/session/packet20.ts";
import { CLASS, decodeAsf, decodeRmcp, encodeAsf } from "#wire/ipmi/session/rmcp.ts";
import { tolerant } from "#wire/ipmi/session/session.ts";
import { BootOptions } from "./boot.ts";
import { appHandlers } from "./handlers/app.ts";
import { chassisHandlers } from "./handlers/chassis.ts";
import { CHANNEL, Refusal } from "./handlers/handler.ts";
import type { Caller, Handlers } from "./handlers/handler.ts";
import { sensorHandlers, storageHandlers } from "./handlers/storage.ts";
import { transportHandlers } from "./handlers/transport.ts";
import { userHandlers } from "./handlers/user.ts";
import { activate, answerOpening, challenge, LOGIN_COMMANDS } from "./login.ts";
import { COMMON_MODEL } from "./model.ts";
import type { HardwareModel } from "./model.ts";
import type { Chassis, ChassisAction, IpmiFaults, SimulatedIpmiOptions } from "./options.ts";
import { replyTo } from "./reply.ts";
import { Sessions } from "./sessions.ts";
import type { OpenSession } from "./sessions.ts";
import { SolBridge } from "./sol.ts";
import { Users } from "./users.ts";

const HANDLERS: Readonly<Record<number, Handlers>> = {
  [NET_FN.app]: { ...appHandlers, ...userHandlers },
  [NET_FN.chassis]: chassisHandlers,
  [NET_FN.transport]: transportHandlers,
  [NET_FN.storage]: storageHandlers,
  [NET_FN.sensor]: sensorHandlers,
};
const SESSIONS = 4;
/** Mode "always available", alerts off; administrator. */
const ACCESS = [0x22, PRIVILEGE.administrator] as const;
const NO_LAN = { address: "0.0.0.0", mac: "00:00:00:00:00:00" } as const;
const LIGHT = { off: 0, timed: 1, on: 2 } as const;

export class SimulatedIpmi {
  readonly #options: SimulatedIpmiOptions;
  readonly clock: Clock;
  readonly chassis: Chassis;
  readonly guid: Uint8Array;
  readonly suites: readonly number[];
  readonly speaks15: boolean;
  readonly speaks20: boolean;
  readonly types15: readonly number[];
  readonly model: HardwareModel;
  readonly sessions: Sessions;
  readonly users: Users;
  readonly boot: BootOptions;
  readonly access = { stored: [...ACCESS] as [number, number], volatile: [...ACCESS] as [number, number] };
  /** LAN and serial console parameters that somebody has set. */
  readonly parameters = new Map<number, readonly number[]>();
  /** Records of sixteen bytes, numbered from 1. */
  readonly sel: Uint8Array[] = [];
  faults: IpmiFaults;
  restorePolicy = 0;
  reservation = 0;
  /** Where it is served, for the serial console. */
  port: number | undefined;
  #light: keyof typeof LIGHT = "off";
  #lightTimer: Timer | undefined;

  constructor(options: SimulatedIpmiOptions) {
    this.#options = options;
    this.clock = options.clock;
    this.chassis = options.chassis;
    this.guid = options.guid;
    this.suites = options.suites ?? [3, 17];
    this.speaks15 = options.speaks15 ?? true;
    this.speaks20 = options.speaks20 ?? true;
    const none = this.suites.includes(0) ? [AUTHENTICATION.none] : [];
    this.types15 = options.types15 ?? [...none, AUTHENTICATION.md5, AUTHENTICATION.password];
    this.model = options.model ?? COMMON_MODEL;
    this.sessions = new Sessions(options.sessions ?? SESSIONS);
    this.users = new Users(options.users);
    this.boot = new BootOptions(options.clock);
    this.faults = options.faults ?? {};
  }

  get crypto(): SimulatedIpmiOptions["crypto"] {
    return this.#options.crypto;
  }

  get entropy(): SimulatedIpmiOptions["entropy"] {
    return this.#options.entropy;
  }

  get key(): Uint8Array | undefined {
    return this.#options.key;
  }

  get product(): SimulatedIpmiOptions["product"] {
    return this.#options.product;
  }

  get lan(): NonNullable<SimulatedIpmiOptions["lan"]> {
    return this.#options.lan ?? NO_LAN;
  }

  get hasSerial(): boolean {
    return this.chassis.serial !== undefined;
  }

  /** What it says. */
  get shownPower(): boolean {
    const isOn = this.chassis.isOn();
    return this.faults.powerLie?.(isOn) ?? isOn;
  }

  /** Of the light: 0 off, 1 for a while, 2 on. */
  get light(): number {
    return LIGHT[this.#light];
  }

  /** The session that has the serial console. */
  get console(): OpenSession | undefined {
    return [...this.sessions.open.values()].find(({ sol }) => sol !== undefined);
  }

  /** From inside the machine (`/dev/ipmi0`): everything is allowed. */
  readonly channel: IpmiChannel = {
    request: async ({ netFn, command, data }): Promise<IpmiResponse> => {
      const caller = { bmc: this, session: undefined, privilege: PRIVILEGE.administrator, channel: CHANNEL.system };
      const [completion = COMPLETION.unspecified, ...rest] = this.#execute(netFn, command, data, caller);
      return { completion, data: Uint8Array.from(rest) };
    },
  };

  /** The firmware of the machine starts: what to boot from; undefined: as it is set up. An override for one start is over then. */
  takeBoot(): BootFlags | undefined {
    return this.boot.take();
  }

  /** An event for the log (IPMI 2.0 §32.1): sensor type and number, event type, three bytes. */
  log(sensorType: number, sensor: number, eventType: number, data: readonly [number, number, number]): void {
    const number = leastFirst(this.sel.length + 1, 2);
    const time = leastFirst(Math.floor(this.clock.now() / 1000), 4);
    this.sel.push(Uint8Array.of(...number, 0x02, ...time, 0x20, 0, 0x04, sensorType, sensor, eventType, ...data));
  }

  control(action: ChassisAction): void {
    this.boot.keep();
    if (this.faults.ignores?.(action) !== true) this.chassis.control(action);
  }

  identify(light: "on" | "off" | { readonly seconds: number }): void {
    this.#lightTimer?.cancel();
    this.#light = typeof light === "string" ? light : "timed";
    this.chassis.identify?.(this.#light !== "off");
    if (typeof light !== "string") this.#lightTimer = this.clock.after(light.seconds * 1000, () => this.identify("off"));
  }

  reserve(): number {
    this.reservation = (this.reservation % 0xffff) + 1;
    return this.reservation;
  }

  /** A number for a session: never 0, never one that is taken. */
  newId(): number {
    for (;;) {
      const [a = 0, b = 0, c = 0, d = 0] = this.entropy.bytes(4);
      const id = (a | (b << 8) | (c << 16) | (d << 24)) >>> 0;
      const { open, half, challenges } = this.sessions;
      if (id !== 0 && !open.has(id) && !half.has(id) && !challenges.has(id)) return id;
    }
  }

  closeSession(id: number): void {
    this.sessions.close(id);
  }

  openConsole(session: OpenSession): void {
    const send = (bytes: Uint8Array): void => this.#send(session.transport.wrap({ type: PAYLOAD.sol, bytes }), session.from);
    session.sol = new SolBridge(this.clock, this.chassis.serial!, send);
  }

  /** It starts anew: all sessions are gone, settings stay. */
  reset(): void {
    for (const id of this.sessions.open.keys()) this.sessions.close(id);
    this.sessions.half.clear();
    this.sessions.challenges.clear();
    this.boot.forget();
  }

  /** A datagram for it. What it says goes by `send`, now or later. */
  onDatagram(datagram: Uint8Array, from: UdpEndpoint): void {
    const { lost, late, twice } = this.faults.incoming?.() ?? {};
    if (lost === true) return;
    for (let i = 0; i < (twice === true ? 2 : 1); i++) {
      if (late === undefined) this.#receive(datagram, from);
      else this.clock.after(late, () => this.#receive(datagram, from));
    }
  }

  #receive(datagram: Uint8Array, from: UdpEndpoint): void {
    this.sessions.expire(this.clock.monotonic());
    const rmcp = tolerant(() => decodeRmcp(datagram));
    if (rmcp === undefined) return;
    if (rmcp.class === CLASS.asf) {
      const ping = tolerant(() => decodeAsf(rmcp.body));
      if (ping?.kind === "ping") this.#send(encodeAsf({ kind: "pong", tag: ping.tag, speaksIpmi: true }), from);
    } else if ((rmcp.body[0]! & 0x0f) === 6) {
      if (this.speaks20) this.#receive20(datagram, from);
    } else {
      this.#receive15(datagram, from);
    }
  }

  #receive20(datagram: Uint8Array, from: UdpEndpoint): void {
    const packet = tolerant(() => decode20(datagram));
    if (packet === undefined) return;
    if (packet.session === 0 && packet.type === PAYLOAD.ipmi) {
      // Some ask what needs no session in this envelope (ipmitool: cipher suites).
      const message = tolerant(() => decodeMessage(packet.payload));
      if (message !== undefined) this.#send(encode20({ ...packet, payload: this.#answer(message, this.#stranger()) }), from);
      return;
    }
    if (packet.session === 0) {
      const answer = tolerant(() => answerOpening(this, packet.type, packet.payload, from));
      if (answer !== undefined) this.#send(answer, from);
      return;
    }
    this.#receiveInSession(packet.session, datagram, from);
  }

  #receive15(datagram: Uint8Array, from: UdpEndpoint): void {
    const packet = tolerant(() => decode15(datagram));
    const message = packet && tolerant(() => decodeMessage(packet.payload));
    if (packet === undefined || message === undefined) return;
    const isApp = message.netFn === NET_FN.app;
    if (packet.session === 0) {
      const answer = this.#answer(message, this.#stranger());
      this.#send(encode15({ type: 0, sequence: 0, session: 0, code: new Uint8Array(), payload: answer }), from);
    } else if (isApp && message.command === LOGIN_COMMANDS.activate) {
      const answer = activate(this, packet, message, from);
      if (answer !== undefined) this.#send(answer, from);
    } else {
      this.#receiveInSession(packet.session, datagram, from);
    }
  }

  #receiveInSession(id: number, datagram: Uint8Array, from: UdpEndpoint): void {
    const session = this.sessions.open.get(id);
    const payload = session?.transport.unwrap(datagram);
    if (session === undefined || payload === undefined) return;
    session.heardAt = this.clock.monotonic();
    session.from = from;
    if (payload.type === PAYLOAD.sol) return session.sol?.onPayload(payload.bytes);
    const message = payload.type === PAYLOAD.ipmi ? tolerant(() => decodeMessage(payload.bytes)) : undefined;
    if (message === undefined) return;
    const caller = { bmc: this, session, privilege: session.privilege, channel: CHANNEL.lan };
    // The same command once more is not done once more (§6.12.9).
    const key = `${message.sequence} ${message.netFn} ${message.command}`;
    const answer = session.last?.key === key ? session.last.payload : this.#answer(message, caller);
    session.last = { key, payload: answer };
    this.#send(session.transport.wrap({ type: PAYLOAD.ipmi, bytes: answer }), from);
  }

  /** Somebody on the network without a session. */
  #stranger(): Caller {
    return { bmc: this, session: undefined, privilege: 0, channel: CHANNEL.lan };
  }

  #answer(message: Message, caller: Caller): Uint8Array {
    return replyTo(message, this.#execute(message.netFn, message.command, message.data, caller));
  }

  /** Completion code and data. */
  #execute(netFn: number, command: number, data: Uint8Array, caller: Caller): number[] {
    try {
      const refused = this.faults.refuse?.(netFn, command);
      if (refused !== undefined) throw new Refusal(refused);
      if (netFn === NET_FN.app && command === LOGIN_COMMANDS.challenge) return [COMPLETION.ok, ...challenge(this, data)];
      const handler = HANDLERS[netFn]?.[command];
      if (handler === undefined) throw new Refusal(COMPLETION.invalidCommand);
      if (caller.privilege < handler.level) throw new Refusal(COMPLETION.insufficientPrivilege);
      if (data.length < (handler.least ?? 0)) throw new Refusal(COMPLETION.lengthInvalid);
      return [COMPLETION.ok, ...handler.handle(data, caller)];
    } catch (error) {
      if (error instanceof Refusal) return [error.completion];
      throw error;
    }
  }

  #send(bytes: Uint8Array, to: UdpEndpoint): void {
    const { lost, late, twice } = this.faults.outgoing?.() ?? {};
    if (lost === true) return;
    for (let i = 0; i < (twice === true ? 2 : 1); i++) {
      if (late === undefined) this.#options.send(bytes, to);
      else this.clock.after(late, () => this.#options.send(bytes, to));
    }
  }
}
