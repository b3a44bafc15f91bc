/** What Kubernetes' node controller writes about a node whose kubelet says nothing any more. */
type Condition = {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
};

/** A node's conditions once its kubelet is silent; undefined when that is already said. `now` is RFC 3339. */
export function silenced(conditions: readonly Condition[] = [], now: string): Condition[] | undefined {
  const ready = conditions.find(({ type }) => type === "Ready");
  if (ready?.status === "Unknown") return undefined;
  const lost = {
    status: "Unknown",
    reason: "NodeStatusUnknown",
    message: "Kubelet stopped posting node status.",
    lastTransitionTime: now,
  };
  if (ready !== undefined) return conditions.map((each) => (each === ready ? { ...each, ...lost } : each));
  return [
    ...conditions,
    { ...lost, type: "Ready", reason: "NodeStatusNeverUpdated", message: "Kubelet never posted node status." },
  ];
}
