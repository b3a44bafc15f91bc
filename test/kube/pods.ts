/** Pods of a workload cluster, which our API server does not have: as far as drains ask for them, with budgets. */
import type { WorkloadCluster } from "./workload-cluster.ts";

export interface TestPod {
  readonly namespace: string;
  readonly name: string;
  readonly node: string;
  readonly labels?: Readonly<Record<string, string>>;
  deleting?: true;
}

export class Pods {
  readonly list: TestPod[] = [];
  /** Names that may not be evicted now. */
  readonly protected = new Set<string>();
  /** Names in the order of their evictions; refused ones with a question mark. */
  readonly evictions: string[] = [];

  constructor(cluster: WorkloadCluster) {
    cluster.answer = (method, target, body) => this.#answer(method, target, body);
  }

  /** Those that are being deleted have ended. */
  end(): void {
    this.list.splice(0, this.list.length, ...this.list.filter(({ deleting }) => deleting !== true));
  }

  #answer(method: string, target: string, body: unknown) {
    const url = new URL(target, "http://x");
    if (method === "GET" && url.pathname === "/api/v1/pods") {
      const node = /^spec\.nodeName=(.*)$/.exec(url.searchParams.get("fieldSelector") ?? "")?.[1];
      const items = this.list.filter((pod) => pod.node === node).map(toObject);
      return { status: 200, json: { apiVersion: "v1", kind: "PodList", metadata: { resourceVersion: "1" }, items } };
    }
    const evicted = /^\/api\/v1\/namespaces\/([^/]+)\/pods\/([^/]+)\/eviction$/.exec(url.pathname);
    if (method !== "POST" || evicted === null) return undefined;
    const [, namespace, name] = evicted;
    const pod = this.list.find((each) => each.namespace === namespace && each.name === name);
    if ((body as { kind?: string }).kind !== "Eviction" || pod === undefined)
      return { status: 404, json: status("NotFound", 404, "not found") };
    if (this.protected.has(pod.name)) {
      this.evictions.push(`${pod.name}?`);
      const json = status("TooManyRequests", 429, "Cannot evict pod as it would violate the pod's disruption budget.");
      const causes = [
        { reason: "DisruptionBudget", message: "The disruption budget web needs 1 healthy pods and has 1 currently" },
      ];
      return { status: 429, json: { ...json, details: { causes, retryAfterSeconds: 10 } } };
    }
    this.evictions.push(pod.name);
    pod.deleting = true;
    return { status: 201, json: { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success" } };
  }
}

function status(reason: string, code: number, message: string) {
  return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", reason, code, message };
}

function toObject({ namespace, name, labels = {}, deleting }: TestPod) {
  const deletion = deleting === true ? { deletionTimestamp: "2024-01-01T00:00:00Z" } : {};
  return { metadata: { namespace, name, labels, ...deletion }, spec: {}, status: { phase: "Running" } };
}
