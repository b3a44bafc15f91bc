/** What a resident agent can be told to do, and what it says of it. */

/** Wipe orders are fetched and confirmed by their id (`BeginWipe`). `rotateBmc`: a new password, also when the account works. */
export type AgentOrder = "refresh" | "reboot" | "powerOff" | "wipe" | "setupBmc" | "rotateBmc";

export interface AgentOrderStatus {
  readonly id: string;
  readonly kind: AgentOrder;
  /** `sent`: the machine has not said yet that it began. */
  readonly state: "sent" | "started" | "done" | "failed";
  /** What the machine said of it last. */
  readonly text: string;
}

/** The boot in which a machine's agent is connected now, and since when (milliseconds since 1970). */
export interface AgentConnection {
  readonly boot: string;
  readonly since: number;
}
