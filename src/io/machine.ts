/** The door to the machine that a program runs on: what its kernel says in small files, and what makes it do something. For the agent. */
export interface Machine {
  /** At most `limit` bytes (64 KiB) of a file; undefined when there is none or it cannot be read: many files of /sys fail when read. */
  read(path: string, limit?: number): Promise<Uint8Array | undefined>;
  /** Names in a directory, sorted; [] when there is none. */
  list(path: string): Promise<string[]>;
  /** The path without symbolic links in it; undefined when it leads nowhere. */
  resolve(path: string): Promise<string | undefined>;
  /** Writes to an existing file of /proc or /sys. Resolves to whether the kernel took it. */
  write(path: string, text: string): Promise<boolean>;
  /** Runs a program to its end. Never rejects: what cannot be run ends with -1. */
  run(program: string, args: readonly string[], options?: RunOptions): Promise<Ended>;
  /** Addresses of the interfaces that are up. */
  addresses(): readonly InterfaceAddress[];
  /** Both may return before it happens, and need not come back. */
  reboot(): Promise<void>;
  powerOff(): Promise<void>;
}

export interface RunOptions {
  /** Milliseconds after which it is killed: 30,000 if absent. */
  readonly timeout?: number;
}

export interface Ended {
  /** Exit code; -1 when it could not be started, was killed, or took too long. */
  readonly status: number;
  /** Both outputs, at most 256 KiB. */
  readonly output: string;
}

export interface InterfaceAddress {
  readonly interface: string;
  /** `10.0.0.5/24`, `fd00::5/64` */
  readonly cidr: string;
  /** Loopback. */
  readonly internal: boolean;
}
