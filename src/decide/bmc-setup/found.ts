/** What an agent finds on the BMC of its machine, and what of it leads to an account that can log in by network. */

/** One network interface of the BMC. */
export interface LanChannel {
  /** 1 to 11 (IPMI 2.0 §6.3). */
  readonly number: number;
  /** Addresses that are in force, IPv4 first; also those that nobody can reach. */
  readonly addresses: readonly string[];
  /** UDP port of RMCP. */
  readonly port: number;
  readonly mac?: string;
  readonly vlan?: number;
  /** Where its IPv4 address comes from. `dhcp` without an address: it may still come. */
  readonly source: "unspecified" | "static" | "dhcp" | "bios" | "other";
}

/** A place for a user; users are numbers (§6.9). */
export interface UserSlot {
  /** 1 to 63; 1 is the anonymous user. */
  readonly id: number;
  /** As the BMC has it, whatever it calls one without a name; undefined when it would not say. */
  readonly name: string | undefined;
  /** The name cannot be changed (§22.27). */
  readonly isFixed: boolean;
  /** Undefined: the BMC does not tell. */
  readonly isEnabled: boolean | undefined;
}

/** By which a BMC may be reached. */
export interface Way {
  readonly address: string;
  readonly port: number;
  readonly channel: number;
}
