/** What the Server controller needs besides the API: power, and the agents that are connected. `main` hands in who does it. */
import type { PowerFacts, PowerOperation } from "#decide/power.ts";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";

/** The BMCs of all machines (`bmc/fleet.ts`). Nothing here waits. */
export interface Power {
  /**
   * How the Server's machine is reached follows from its spec; called with every look, cheap when nothing has changed. `credentials`: resource versions of
   * the Secrets it names: other ones have the BMC tried again at once.
   */
  follow(server: Server, credentials: string): void;
  forget(machine: string): void;
  facts(machine: string): PowerFacts;
  /**
   * Begins an operation unless it is known already, instead of the one before it. What becomes of it is in {@link facts}, and wakes. It ends within some minutes,
   * well or not: tries are bounded, and one of the life cycle fails at once while the BMC is left alone (`bmc.left-alone`).
   */
  begin(machine: string, operation: PowerOperation): void;
  /** Ends an operation that is no longer wanted (the Server is paused now), at the next call at the latest; it counts as never begun. */
  withdraw?(machine: string, id: string): void;
  /** Sends Wake-on-LAN to the machine's interfaces. */
  wake(server: Server): void;
  /** Called with a machine whose facts have changed. Returns what ends that. */
  onChange(listener: (machine: string) => void): () => void;
}

/** What a resident agent can be told to do. Wipe orders are fetched and confirmed by their id (`BeginWipe`). */
export type AgentOrder = "refresh" | "reboot" | "powerOff" | "wipe" | "setupBmc";

export interface AgentOrderStatus {
  readonly id: string;
  readonly kind: AgentOrder;
  readonly state: "sent" | "started" | "done" | "failed";
  readonly text: string;
}

/** The agents that are connected (`agent/api/orders.ts`). */
export interface Agents {
  /** The boot in which the machine's agent is connected now, and since when (milliseconds since 1970). */
  connection(machine: string): { readonly boot: string; readonly since: number } | undefined;
  /** Sends the order unless one with this id was sent already. Fault `agent.not-connected`. */
  send(machine: string, kind: AgentOrder, id: string): void;
  status(id: string): AgentOrderStatus | undefined;
  /** Called with a machine whose agent has come or gone or answered. Returns what ends that. */
  onChange(listener: (machine: string) => void): () => void;
}
