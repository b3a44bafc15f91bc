/** What the fleet counts. The port is the registry's of the other parts, as far as it is used here. */
export interface FleetMetrics {
  counter(
    name: string,
    help: string,
    labels: readonly string[],
  ): { add(labels: Readonly<Record<string, string>>, amount?: number): void };
  gauge(
    name: string,
    help: string,
    labels: readonly string[],
  ): { set(labels: Readonly<Record<string, string>>, value: number): void };
  histogram(
    name: string,
    help: string,
    labels: readonly string[],
  ): { observe(labels: Readonly<Record<string, string>>, value: number): void };
}

export interface Meters {
  /** `result`: `ok` or the code of a Fault. */
  call(protocol: string, call: string, result: string, seconds: number): void;
  operation(result: string): void;
  machines(counts: Readonly<Record<MachineState, number>>): void;
}

/** How a machine's BMC is doing. */
export const MACHINE_STATES = ["answers", "fails", "left-alone", "unusable", "none"] as const;
export type MachineState = (typeof MACHINE_STATES)[number];

export function createMeters(metrics: FleetMetrics): Meters {
  const calls = metrics.counter("sidero_bmc_calls_total", "Calls of BMCs, by what came of them.", ["protocol", "call", "result"]);
  const seconds = metrics.histogram("sidero_bmc_call_duration_seconds", "How long calls of BMCs took.", ["protocol", "call"]);
  const operations = metrics.counter("sidero_bmc_operations_total", "Power operations, by what came of them.", ["result"]);
  const machines = metrics.gauge("sidero_bmc_machines", "Machines, by how their BMC is doing.", ["state"]);
  return {
    call(protocol, call, result, took) {
      calls.add({ protocol, call, result });
      seconds.observe({ protocol, call }, took);
    },
    operation: (result) => operations.add({ result }),
    machines(counts) {
      for (const state of MACHINE_STATES) machines.set({ state }, counts[state]);
    },
  };
}
