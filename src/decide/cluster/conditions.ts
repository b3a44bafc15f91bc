/** Building the conditions of a core object, in both styles, from what was said before. */
import type { ClusterCondition, Said } from "#schema/condition.ts";
import { setClusterCondition, setCondition } from "#schema/condition.ts";
import type { Condition } from "#schema/meta.ts";
import type { Condition as Loose } from "#kinds/condition.ts";
import type { Judgement } from "./external.ts";

/** RFC 3339, whole seconds. `now` is in milliseconds since 1970. */
export function timeOf(now: number): string {
  return `${new Date(now).toISOString().slice(0, 19)}Z`;
}

/** Conditions being said one after the other; the lists stay the very same while nothing changes. */
export class Conditions {
  readonly #now: string;
  readonly #generation: number | undefined;
  #list: readonly Condition[];
  #old: readonly ClusterCondition[];

  /** `generation`: of the object that is judged. */
  constructor(
    before: { readonly conditions?: readonly Loose[]; readonly deprecated?: { v1beta1?: { conditions?: readonly Loose[] } } },
    generation: number | undefined,
    now: number,
  ) {
    this.#now = timeOf(now);
    this.#generation = generation;
    this.#list = (before.conditions ?? []) as readonly Condition[];
    this.#old = (before.deprecated?.v1beta1?.conditions ?? []) as readonly ClusterCondition[];
  }

  get list(): readonly Condition[] {
    return this.#list;
  }
  /** Of contract v1beta1. */
  get old(): readonly ClusterCondition[] {
    return this.#old;
  }

  say(type: string, { status, reason, message }: Judgement): this {
    const generation = this.#generation === undefined ? {} : { observedGeneration: this.#generation };
    this.#list = setCondition<Condition>(this.#list, { type, status, reason, message, ...generation }, this.#now);
    return this;
  }

  /** In the older style: a good condition says nothing more, one that cannot be told counts as bad but not yet wrong. */
  sayOld(type: string, { status, reason, message }: Judgement): this {
    const bad = { type, status: "False", severity: "Info", reason, ...(message === "" ? {} : { message }) } as const;
    const said: Said<ClusterCondition> = status === "True" ? { type, status } : bad;
    this.#old = setClusterCondition(this.#old, said, this.#now);
    return this;
  }

  /** In both styles. */
  sayBoth(type: string, judgement: Judgement, old = type): this {
    return this.say(type, judgement).sayOld(old, judgement);
  }
}
