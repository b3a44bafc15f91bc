import type { Etcd } from "./etcd.ts";
import type { MachineFacts } from "../../../sim/talos/facts.ts";
import type { Host } from "./host.ts";

/** A machine with its configuration, as its API has it. */
export interface Running {
  readonly host: Host;
  readonly etcd: Etcd;
  /** Of the configuration that is in force. */
  readonly facts: MachineFacts;
  addresses(): string[];
  /** etcd has just been bootstrapped. */
  etcdStarted(): void;
  /** Keeps a configuration, and puts it in force unless it waits for the next boot. */
  apply(text: string, facts: MachineFacts, now: boolean): Promise<void>;
  /** Takes the machine's node out of its cluster, as a graceful reset does. */
  leave(): Promise<void>;
}
