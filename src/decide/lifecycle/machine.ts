/**
 * A machine as its life cycle is decided about: what is wanted of it, what is on record, and what is observed right now. It is read from a Server
 * (`controllers/server/observe.ts`); whatever other kind describes a machine is read into the same record (DESIGN §4.1).
 */
import type { AgentConnection, AgentOrder, AgentOrderStatus } from "../agent-order.ts";
import type { PowerFacts, PowerOperation } from "../power.ts";
import type { ServerPhase, ServerStatus } from "#kinds/metal/v1alpha2/server.ts";
import type { Duration } from "#std/duration.ts";

export interface Machine {
  readonly name: string;
  /** Of the resource: another one of the same name is another machine. */
  readonly uid: string;
  readonly wanted: Wanted;
  readonly record: Record;
  readonly seen: Seen;
  readonly settings: LifecycleSettings;
}

/** What people and other controllers want. */
export interface Wanted {
  readonly accepted: boolean;
  /** It runs something that stays. */
  readonly adopt: boolean;
  readonly wakeOnLan: boolean;
  /** What boot-once asks for. */
  readonly firmware: "uefi" | "bios";
  readonly deleting: boolean;
  /** Who keeps us from doing anything, as a phrase: `annotation …`, `Cluster default/a`. */
  readonly paused?: string;
  /** The request annotation as it is now. */
  readonly request?: string;
  /** No BMC is configured, or half of one by the agent: it may make an account on its own. */
  readonly lacksBmc: boolean;
  /** Something owns the resource. */
  readonly isOwned: boolean;
}

/** What we have put on record ourselves, and what agents have reported of a wipe. */
export type Record = Omit<ServerStatus, "addresses">;
/** Fields of the record that change; undefined takes one away. */
export type Changes = { readonly [K in keyof Record]?: Record[K] | undefined };
export type Wipe = NonNullable<Record["wipe"]>;
export type Action = NonNullable<Record["action"]>;
export type Allocation = NonNullable<Record["allocation"]>;

/** What is the case, as far as anybody can see. */
export interface Seen {
  readonly power: PowerFacts;
  readonly agent?: AgentConnection;
  /** What became of the orders whose ids are on record. */
  readonly orders: readonly AgentOrderStatus[];
  /** Since when agents can connect to this process: those that were there before need a moment to come back. Milliseconds since 1970. */
  readonly agentsSince: number;
  readonly binding?: Binding;
  /** Cluster API's cluster of whoever held it last is not there any more. */
  readonly isClusterGone?: boolean;
  /** When it last asked for a boot script, milliseconds since 1970. */
  readonly askedAt?: number;
  /** From switching on to the agent's first word, of machines of this model. */
  readonly modelBootSeconds?: number;
}

/** Who holds the machine. */
export interface Binding {
  readonly uid: string;
  readonly namespace?: string;
  readonly metalMachine?: string;
  readonly cluster?: string;
  /** Talos says that it is installed. */
  readonly isInstalled: boolean;
  /** Its system has been heard of: an address, a condition, its configuration asked for. */
  readonly isHeard: boolean;
  /** When its configuration was sent to it, milliseconds since 1970. */
  readonly configuredAt?: number;
  /** Somebody else asked as this machine while it was to boot, for the order of that id: no configuration is sent to that boot. */
  readonly intruder?: { readonly order: string; readonly who: string };
}

export interface LifecycleSettings {
  /** Milliseconds since 1970: orders to wipe from before are of a backup that was restored, and hold no more. Absent: all hold. */
  readonly ordersSince?: number;
  /** How long a machine may take to show signs of life (SERVER_REBOOT_TIMEOUT). */
  readonly rebootTimeout: Duration;
  /** AUTO_BMC_SETUP. */
  readonly autoBmcSetup: boolean;
}

/** One thing to be done; repeating it does no harm. */
export type LifecycleEffect =
  /** Looks at what is true now, not at a cache: the machine is accepted, not adopted, not paused and nobody's. Fault `lifecycle.not-free`. */
  | { readonly do: "confirm-free"; readonly cluster?: { readonly namespace: string; readonly name: string } }
  | { readonly do: "operate"; readonly operation: PowerOperation }
  | { readonly do: "order"; readonly kind: AgentOrder; readonly id: string }
  /** Ends an operation that is not wanted any more. */
  | { readonly do: "withdraw"; readonly id: string }
  | { readonly do: "wake" }
  /** Takes the resource's owners away: whoever made it must not take it along. */
  | { readonly do: "disown" }
  | { readonly do: "tell"; readonly type: "Normal" | "Warning"; readonly reason: string; readonly message: string };

/** Why the machine does not go on; `waiting.ts` makes the status of it. Times are milliseconds since 1970. */
export interface Wait {
  /** One word in CamelCase: who waits for the same reason goes on waiting. */
  readonly reason: string;
  readonly waitingFor: string;
  /** Defaults to when waiting for this reason began. */
  readonly since?: number;
  readonly deadline?: number;
  readonly next?: string;
  readonly remedy?: string;
}

/** What one part of the life cycle makes of the machine. */
export interface Course {
  readonly phase: ServerPhase;
  readonly waiting?: Wait;
  /** On record before the effects run. */
  readonly intent?: Changes;
  readonly effects?: readonly LifecycleEffect[];
  /** On record once they have run. */
  readonly changes?: Changes;
  /** The resource may go. */
  readonly finalized?: boolean;
}
