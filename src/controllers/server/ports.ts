/** What the Server controller needs besides the API: power, agents, and what others know. `main` hands in who does it. */
import type { AgentConnection, AgentOrder, AgentOrderStatus } from "#decide/agent-order.ts";
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
  /** Ends an operation that is no longer wanted (the Server is paused now), and its call under way; it counts as never begun. */
  withdraw?(machine: string, id: string): void;
  /** Lets go of all machines, and of what is done to them: somebody else leads now. */
  release?(): void;
  /** Sends Wake-on-LAN to the machine's interfaces. */
  wake(server: Server): void;
  /** Called with a machine whose facts have changed. Returns what ends that. */
  onChange(listener: (machine: string) => void): () => void;
}

/** The agents that are connected (`agent/api/orders.ts`). */
export interface Agents {
  connection(machine: string): AgentConnection | undefined;
  /** Sends the order unless one with this id was sent to the same boot already. Fault `agent.not-connected`. */
  send(machine: string, kind: AgentOrder, id: string): void;
  /** As it was sent last. An order that its boot did not live to answer has failed, unless it was to end that boot. */
  status(id: string): AgentOrderStatus | undefined;
  /** Called with a machine whose agent has come or gone or answered. Returns what ends that. */
  onChange(listener: (machine: string) => void): () => void;
}

/** Clusters of Cluster API, where there are any. */
export interface Clusters {
  /** From a cache; undefined: it cannot be known right now. */
  isPaused(namespace: string, name: string): boolean | undefined;
  /** From a cache; undefined: it cannot be known right now. */
  isThere(namespace: string, name: string): boolean | undefined;
  /** As it is now. A cluster that is not there is not paused. */
  isPausedNow(namespace: string, name: string): Promise<boolean>;
  /** Called when a cluster is paused or goes on. Returns what ends that. */
  onChange(listener: (namespace: string, name: string) => void): () => void;
}

/** What was seen of machines on their way up. */
export interface Sightings {
  /** When it last asked for a boot script, milliseconds since 1970. */
  askedAt(machine: string): number | undefined;
  /** Called with a machine that asks. Returns what ends that. */
  onAsk(listener: (machine: string) => void): () => void;
}
