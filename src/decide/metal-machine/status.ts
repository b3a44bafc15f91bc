/** What a MetalMachine tells of itself, in a form that both contracts of Cluster API read. */
import type { Condition } from "#kinds/condition.ts";
import type { MetalMachine } from "#kinds/infrastructure/v1alpha3/metal-machine.ts";
import type { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import { findCondition, removeCondition } from "#schema/condition.ts";
import { judged, type Verdict } from "../infrastructure-condition.ts";

export type Status = NonNullable<MetalMachine["status"]>;
/** Fields to write; undefined takes one away. */
export type StatusChange = { readonly [K in keyof Status]?: Status[K] | undefined };

export const SERVER_ALLOCATED = "ServerAllocated";
export const PROVIDER_SET = "ProviderSet";
/** Told by the machine itself, on its binding. In the order in which they come true. */
export const TALOS_CONDITIONS = ["TalosConfigLoaded", "TalosConfigValidated", "TalosInstalled"] as const;

/** failureReason of a machine whose Server was taken away from it: what was on it is gone. */
export const RELEASED = "ServerReleased";

/** It has held a Server, as our own status says. A move loses that; see {@link Owner.providerID}. */
export function wasAllocated({ status }: MetalMachine): boolean {
  return (
    status?.failureReason === RELEASED ||
    status?.initialization?.provisioned === true ||
    status?.ready === true ||
    findCondition(status?.conditions ?? [], SERVER_ALLOCATED)?.status === "True"
  );
}

/** The conditions as they are to be, from what they are; nothing is written when nothing changes. */
export class Conditions {
  readonly #machine: MetalMachine;
  readonly #now: number;
  #list: readonly Condition[];

  constructor(machine: MetalMachine, now: number) {
    this.#machine = machine;
    this.#now = now;
    this.#list = machine.status?.conditions ?? [];
  }

  get list(): Condition[] {
    return [...this.#list];
  }

  find(type: string): Condition | undefined {
    return findCondition(this.#list, type);
  }

  say(verdict: Verdict): this {
    this.#list = judged(this.#list, verdict, this.#machine.metadata.generation, this.#now);
    return this;
  }

  /** The binding's, as they are. */
  mirror(binding: ServerBinding): this {
    for (const type of TALOS_CONDITIONS) {
      const said = findCondition(binding.status?.conditions ?? [], type);
      const before = this.find(type);
      if (said === undefined) this.#list = removeCondition(this.#list, type);
      else if (before === undefined) this.#list = [...this.#list, said];
      else this.#list = this.#list.map((each) => (each.type === type ? said : each));
    }
    return this;
  }
}
