/** What a TalosConfig tells of itself, in the words of both contracts at once (facts §3.2). */
import type { TalosConfig } from "#kinds/bootstrap/v1beta1/talos-config.ts";
import type { Condition } from "#kinds/condition.ts";
import { setClusterCondition, setCondition } from "#schema/condition.ts";
import type { ClusterCondition, Said } from "#schema/condition.ts";

type Status = NonNullable<TalosConfig["status"]>;

/** Fields to write. */
export type StatusChange = { readonly [K in keyof Status]?: Status[K] | undefined };

/** A condition in both styles: `older` is the reason where contract v1beta1 has a word of its own. */
interface Verdict {
  readonly type: string;
  readonly status: "True" | "False";
  readonly reason: string;
  readonly message?: string;
  readonly older?: string;
  readonly severity?: "Error" | "Info";
}

const DATA = "DataSecretAvailable";
const CLIENT = "ClientConfigAvailable";

/** How the status changes from `config`'s; `now` in milliseconds since 1970. */
export class Teller {
  readonly #config: TalosConfig;
  readonly #hasClient: boolean;
  readonly #now: string;

  constructor(config: TalosConfig, hasClient: boolean, now: number) {
    this.#config = config;
    this.#hasClient = hasClient;
    this.#now = `${new Date(now).toISOString().slice(0, 19)}Z`;
  }

  /** Nothing is said but that nothing is done. */
  paused(because: string): StatusChange {
    const { conditions = [] } = this.#config.status ?? {};
    return { conditions: this.#set(conditions, { type: "Paused", status: "True", reason: "Paused", message: because }) };
  }

  available(dataSecretName: string): StatusChange {
    return {
      initialization: { dataSecretCreated: true },
      dataSecretName,
      observedGeneration: this.#config.metadata.generation ?? 1,
      ...this.#judge([{ type: DATA, status: "True", reason: "Available" }, ...this.#client()]),
    };
  }

  waiting(older: string, message: string): StatusChange {
    return this.#judge([{ type: DATA, status: "False", reason: "NotAvailable", message, older, severity: "Info" }]);
  }

  failed(message: string): StatusChange {
    const older = "DataSecretGenerationFailed";
    return this.#judge([{ type: DATA, status: "False", reason: "InternalError", message, older, severity: "Error" }]);
  }

  /** Whoever can be bootstrapped has to be reached with it. */
  #client(): Verdict[] {
    const type = this.#config.spec?.generateType;
    if (type !== "controlplane" && type !== "init") return [];
    if (this.#hasClient) return [{ type: CLIENT, status: "True", reason: "Available" }];
    const message = "the cluster's talosconfig is being made";
    return [
      { type: CLIENT, status: "False", reason: "NotAvailable", message, older: "WaitingForClientConfig", severity: "Info" },
    ];
  }

  #judge(verdicts: readonly Verdict[]): StatusChange {
    const { conditions: before = [], deprecated } = this.#config.status ?? {};
    let conditions = before;
    let older = (deprecated?.v1beta?.conditions ?? []) as readonly ClusterCondition[];
    for (const verdict of [summary(verdicts[0]!), ...verdicts]) {
      conditions = this.#set(conditions, verdict);
      older = setClusterCondition(older, olderOf(verdict), this.#now);
    }
    conditions = this.#set(conditions, { type: "Paused", status: "False", reason: "NotPaused" });
    return {
      conditions,
      deprecated: { ...deprecated, v1beta: { ...deprecated?.v1beta, conditions: [...older] as Condition[] } },
    };
  }

  #set(conditions: Condition[], { type, status, reason, message = "" }: Verdict): Condition[] {
    const { generation } = this.#config.metadata;
    const said = { type, status, reason, message, ...(generation === undefined ? {} : { observedGeneration: generation }) };
    return [...setCondition<Condition>(conditions, said, this.#now)];
  }
}

/** Ready is what its one part is. */
function summary({ type, status, reason, message, ...rest }: Verdict): Verdict {
  if (status === "True") return { type: "Ready", status, reason: "Ready" };
  return {
    ...rest,
    older: rest.older ?? reason,
    type: "Ready",
    status,
    reason: "NotReady",
    message: `* ${type}: ${message ?? ""}`,
  };
}

/** Contract v1beta1 gives reasons only for what is not so. */
function olderOf({ type, status, reason, message = "", older, severity }: Verdict): Said<ClusterCondition> {
  if (status === "True") return { type, status };
  const said = type === "Ready" ? message.replace(/^\* [A-Za-z]+: /, "") : message;
  return { type, status, reason: older ?? reason, message: said, ...(severity === undefined ? {} : { severity }) };
}
