/** The metrics port on prom-client: one registry a process, with node's own figures (event-loop delay, memory) beside ours. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Metrics } from "#kube/metrics.ts";

/** Seconds: a reconciliation takes anything from 100 µs to a BMC's time-out. */
const BUCKETS = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60];

export interface MetricsRegistry extends Metrics {
  /** Prometheus' text format. */
  text(): Promise<string>;
  readonly contentType: string;
}

export function createMetrics(): MetricsRegistry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const metrics = new Map<string, unknown>();
  const once = <M>(name: string, make: () => M): M => {
    const metric = (metrics.get(name) as M | undefined) ?? make();
    metrics.set(name, metric);
    return metric;
  };
  const options = (name: string, help: string, labels: readonly string[]) => ({
    name,
    help,
    labelNames: [...labels],
    registers: [registry],
  });
  return {
    counter(name, help, labels) {
      const counter = once(name, () => new Counter(options(name, help, labels)));
      return { add: (values, amount = 1) => counter.inc({ ...values }, amount) };
    },
    gauge(name, help, labels) {
      const gauge = once(name, () => new Gauge(options(name, help, labels)));
      return { set: (values, value) => gauge.set({ ...values }, value) };
    },
    histogram(name, help, labels) {
      const histogram = once(name, () => new Histogram({ ...options(name, help, labels), buckets: BUCKETS }));
      return { observe: (values, value) => histogram.observe({ ...values }, value) };
    },
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}
