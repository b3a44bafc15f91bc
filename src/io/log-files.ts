/** The door to the files that logs of machines are in: for each machine numbered ones, which are only added to, and go whole. */
export interface LogFileSize {
  /** A name of Kubernetes: lower-case letters, digits, dashes and dots. */
  readonly machine: string;
  readonly number: number;
  readonly bytes: number;
}

export interface LogFiles {
  /** All there are, in no order. */
  list(): Promise<LogFileSize[]>;
  /** At the end of the file, which is made when it is missing. Not on disk for certain when it resolves: a log is worth no wait for that. */
  append(machine: string, number: number, bytes: Uint8Array): Promise<void>;
  /** At most `length` bytes from `from` on; fewer at the end, none of a file that is gone. */
  read(machine: string, number: number, from: number, length: number): Promise<Uint8Array>;
  /** Fine when it is gone. */
  remove(machine: string, number: number): Promise<void>;
}
// All reject with Fault `io.no-space` or `io.failed`.
