/** Everything that a decision about a MetalMachine rests on. */
import type { MetalMachine } from "#kinds/infrastructure/v1alpha3/metal-machine.ts";
import type { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import type { Census, Exclusion } from "../allocation/exclusion.ts";
import type { Wish } from "../allocation/choose.ts";

/** Its Machine. */
export interface Owner {
  readonly name: string;
  /** The configuration is there. */
  readonly hasData: boolean;
  /** Cluster API sets it once we have said that the machine is there: unlike our status it moves with the cluster. */
  readonly providerID: string | undefined;
  readonly failureDomain: string | undefined;
}

/** The Server that is held, or named in spec.serverRef. */
export interface SeenServer {
  readonly name: string;
  readonly isThere: boolean;
  /** Of the object; undefined when something is said of how it is switched already. */
  readonly withoutBmc: { readonly resourceVersion: string } | undefined;
  readonly failureDomain: string | undefined;
  /** What keeps it from being allocated, if it is not held yet. */
  readonly refusal: Exclusion | undefined;
  /** Nobody holds it any more, and what was installed on it has neither been stopped nor made way for the agent. */
  readonly mayRun: boolean;
  /** An order to wipe it has not been carried out. */
  readonly isToBeWiped: boolean;
}

/** Nodes of the workload cluster that say they run on the Server. */
export interface SeenNodes {
  /** Why nothing is known of them now. */
  readonly problem: string | undefined;
  /** Undefined until they have been seen once. */
  readonly nodes: readonly { readonly name: string; readonly providerID: string | undefined }[] | undefined;
}

/** What is there before a Server is asked for. */
export interface Surroundings {
  readonly machine: MetalMachine;
  /** Why nothing is to be done. */
  readonly paused: string | undefined;
  readonly owner: Owner | undefined;
  readonly cluster: { readonly name: string; readonly isProvisioned: boolean } | undefined;
  /** Bindings that name it, its own and those of earlier machines of its name. */
  readonly bindings: readonly ServerBinding[];
  readonly server: SeenServer | undefined;
  /** Undefined where workload clusters are none of ours. */
  readonly nodes: SeenNodes | undefined;
}

/** What the pool of a class has to say to a {@link Wish}. */
export type Offered =
  | { readonly server: string }
  | { readonly census: Census }
  | { readonly problem: string; readonly isMissing: boolean };

export interface ObservedMetalMachine extends Surroundings {
  /** To the wish, if there is one. */
  readonly offer: Offered | undefined;
}

export type { Wish };
