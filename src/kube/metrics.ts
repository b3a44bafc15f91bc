/**
 * The port to a metrics registry (`main` puts prom-client behind it). Names and labels follow Prometheus' conventions:
 * base units (seconds), `_total` for counters. Label sets are closed: never an object's name.
 */
export type Labels = Readonly<Record<string, string>>;

export interface Metrics {
  /** Asking twice for one name gives the same metric. */
  counter(name: string, help: string, labels: readonly string[]): { add(labels: Labels, amount?: number): void };
  gauge(name: string, help: string, labels: readonly string[]): { set(labels: Labels, value: number): void };
  histogram(name: string, help: string, labels: readonly string[]): { observe(labels: Labels, value: number): void };
}

export const silentMetrics: Metrics = {
  counter: () => ({ add: () => {} }),
  gauge: () => ({ set: () => {} }),
  histogram: () => ({ observe: () => {} }),
};
