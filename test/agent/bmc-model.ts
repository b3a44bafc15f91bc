/** A BMC by its bytes, as far as its set-up goes, with the ways in which makers differ. Written from the specification, without our codecs. */
import type { IpmiAnswer, IpmiMessage } from "#io/ipmi-device.ts";
import type { BmcLogin } from "#agent/api/bmc-prover.ts";
import { Fault } from "#std/fault.ts";

export interface Habits {
  manufacturer: number;
  /** Users, the anonymous one included. */
  users: number;
  fixedNames: number;
  /** Numbers whose names it refuses to change, without saying so before. */
  locked: readonly number[];
  /** What a free user looks like. */
  empty: "zeros" | "text" | "refusal" | "ff";
  /** What its rules want of a password. */
  rule: RegExp;
  /** What becomes of a password that it has taken. */
  store: (password: string) => string;
  /** It answers "busy" to the first of so many commands. */
  busyEvery: number;
  /** Commands it does not know: network function and command. */
  unknown: readonly `${number} ${number}`[];
  /** Looks at its address until DHCP has given it one. */
  addressAfter: number;
}

interface User {
  name: Uint8Array;
  password: string;
  isEnabled: boolean;
  /** By channel: the byte of Set User Access, and the privilege. */
  readonly access: Map<number, { flags: number; privilege: number }>;
  sol: boolean;
}

const OK = 0;
const ADMINISTRATOR = 4;
const LAN = 4;

export class BmcModel {
  readonly habits: Habits;
  readonly users: User[];
  /** By channel. */
  readonly addresses: Map<number, string>;
  readonly access = new Map<number, number[]>();
  readonly suites: readonly number[] = [0, 3, 17];
  levels: number[] = [0, 0, 2];
  /** Addresses that the server gets through to; undefined: all. */
  reachable: ReadonlySet<string> | undefined;
  readonly requests: string[] = [];
  logins = 0;
  #looks = 0;
  #commands = 0;

  constructor(habits: Partial<Habits> = {}, addresses: readonly (readonly [number, string])[] = [[1, "10.0.0.9"]]) {
    this.habits = {
      manufacturer: 10876,
      users: 10,
      fixedNames: 0,
      locked: [],
      empty: "zeros",
      rule: /^/,
      store: (password) => password,
      busyEvery: 0,
      unknown: [],
      addressAfter: 0,
      ...habits,
    };
    this.addresses = new Map(addresses);
    this.users = Array.from({ length: this.habits.users + 1 }, () => ({
      name: new Uint8Array(16),
      password: "",
      isEnabled: false,
      access: new Map(),
      sol: false,
    }));
    this.put(2, "ADMIN", "ADMIN");
    for (const [channel] of addresses) this.access.set(channel, [0x02, ADMINISTRATOR]);
  }

  put(id: number, name: string, password: string): void {
    const user = this.users[id]!;
    user.name.fill(0).set(Buffer.from(name));
    user.password = password;
    user.isEnabled = true;
    for (const channel of this.addresses.keys()) user.access.set(channel, { flags: 0x10, privilege: ADMINISTRATOR });
  }

  /** Names of the users who can log in by network. */
  get open(): string[] {
    const isIn = (user: User): boolean => [...this.addresses.keys()].some((channel) => this.#mayEnter(user, channel));
    return this.users.filter(isIn).map(({ name }) => textOf(name));
  }

  login({ address, user, password }: Pick<BmcLogin, "address" | "user" | "password">): void {
    this.logins++;
    const [channel] = [...this.addresses].find(([, each]) => each === address) ?? [];
    if (channel === undefined || this.reachable?.has(address) === false) throw fault("bmc.unreachable", "no answer");
    const found = this.users.find((each) => textOf(each.name) === user && user !== "");
    const isOpen = ((this.access.get(channel)?.[0] ?? 0) & 7) === 2;
    const hasSuite = this.suites.some((suite, i) => suite >= 3 && this.levels[i]! >= ADMINISTRATOR);
    const isIn = found !== undefined && this.#mayEnter(found, channel) && found.password === password;
    if (!isIn || !isOpen || !hasSuite) throw fault("bmc.denied", "unauthorized name");
  }

  #mayEnter({ isEnabled, access }: User, channel: number): boolean {
    const { flags = 0, privilege = 0xf } = access.get(channel) ?? {};
    return isEnabled && (flags & 0x50) === 0x10 && privilege === ADMINISTRATOR;
  }

  answer = ({ netFn, command, data }: IpmiMessage): IpmiAnswer => {
    this.requests.push(`${netFn} ${command}`);
    const { busyEvery, unknown } = this.habits;
    if (busyEvery > 0 && this.#commands++ % busyEvery === 0) return no(0xc0);
    if (unknown.includes(`${netFn} ${command}`)) return no(0xc1);
    const handler = this.#handlers[`${netFn} ${command}`];
    return handler === undefined ? no(0xc1) : handler([...data]);
  };

  readonly #handlers: Readonly<Record<string, (data: number[]) => IpmiAnswer>> = {
    "6 1": () => {
      const { manufacturer } = this.habits;
      return yes(0x20, 1, 4, 0x40, 2, 0x8f, manufacturer & 0xff, (manufacturer >> 8) & 0xff, manufacturer >> 16, 1, 0);
    },
    "6 66": ([channel = 0]) => {
      if (this.addresses.has(channel)) return yes(channel, LAN, 1, 0x80, 0, 0, 0, 0, 0);
      return channel === 2 ? yes(2, 5, 4, 0x80, 0, 0, 0, 0, 0) : no(0xcc);
    },
    // Get User Access
    "6 68": ([channel = 0, id = 0]) => {
      const user = this.users[id];
      if (user === undefined || id === 0) return no(0xcc);
      const { flags = 0, privilege = 0xf } = user.access.get(channel) ?? {};
      return yes(this.habits.users, user.isEnabled ? 0x41 : 0x81, this.habits.fixedNames, (flags & 0x70) | privilege);
    },
    // Set User Access
    "6 67": ([flags = 0, id = 0, privilege = 0]) => {
      this.users[id]!.access.set(flags & 0x0f, { flags: flags & 0x70, privilege });
      return yes();
    },
    // Get User Name
    "6 70": ([id = 0]) => {
      const name = this.users[id]!.name;
      if (name.some((byte) => byte !== 0)) return yes(...name);
      const { empty } = this.habits;
      if (empty === "refusal") return no(0xcc);
      if (empty === "text") return yes(...Buffer.from("(Empty User)".padEnd(16, "\0")));
      return yes(...new Uint8Array(16).fill(empty === "ff" ? 0xff : 0));
    },
    // Set User Name
    "6 69": ([id = 0, ...name]) => {
      const { fixedNames, locked } = this.habits;
      const isTaken = this.users.some((each, other) => other !== id && textOf(each.name) === textOf(Uint8Array.from(name)));
      if (id <= fixedNames || locked.includes(id) || (isTaken && name.some((byte) => byte !== 0))) return no(0xcc);
      this.users[id]!.name.fill(0).set(name);
      return yes();
    },
    // Set User Password
    "6 71": ([first = 0, operation = 0, ...bytes]) => {
      const user = this.users[first & 0x3f]!;
      if (operation < 2) user.isEnabled = operation === 1;
      if (operation < 2) return yes();
      if (bytes.length !== ((first & 0x80) !== 0 ? 20 : 16)) return no(0xc7);
      const password = textOf(Uint8Array.from(bytes));
      if (operation === 3) return password === user.password ? yes() : no(0x80);
      if (!this.habits.rule.test(password)) return no(0xcc);
      user.password = this.habits.store(password);
      return yes();
    },
    "6 76": ([, id = 0]) => {
      this.users[id & 0x3f]!.sol = (id & 0x40) === 0;
      return yes();
    },
    "6 65": ([channel = 0]) => yes(...this.access.get(channel)!),
    "6 64": ([channel = 0, mode = 0, privilege = 0]) => {
      this.access.set(channel, [mode & 0x3f, privilege & 0x3f]);
      return yes();
    },
    // Get LAN Configuration Parameters
    "12 2": ([channel = 0, parameter = 0]) => {
      const address = this.addresses.get(channel);
      if (address === undefined) return no(0xcc);
      const isThere = parameter !== 3 || this.#looks++ >= this.habits.addressAfter;
      const values: Record<number, readonly number[]> = {
        3: isThere && !address.includes(":") ? address.split(".").map(Number) : [0, 0, 0, 0],
        4: [2],
        5: [2, 0, 0, 0, 0, channel],
        8: [0x6f, 0x02],
        20: [0, 0],
        22: [this.suites.length],
        23: [0, ...this.suites, ...new Uint8Array(16 - this.suites.length)],
        24: [0, ...Array.from({ length: 8 }, (_, i) => (this.levels[2 * i] ?? 0) | ((this.levels[2 * i + 1] ?? 0) << 4))],
      };
      const value = values[parameter];
      return value === undefined ? no(0x80) : yes(0x11, ...value);
    },
    "12 1": ([, parameter = 0, ...data]) => {
      if (parameter === 24) this.levels = data.slice(1).flatMap((pair) => [pair & 0x0f, pair >> 4]);
      return parameter === 24 || parameter === 0 ? yes() : no(0x82);
    },
  };
}

const yes = (...data: number[]): IpmiAnswer => ({ completion: OK, data: Uint8Array.from(data) });
const no = (completion: number): IpmiAnswer => ({ completion, data: new Uint8Array() });

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1").replace(/\0.*$/s, "");
}

function fault(code: string, message: string): Fault {
  return new Fault(code, message, { fault: "world", retry: "soon" });
}
