/** What a machine made from a template will have at least: autoscalers ask before there is one (contract: autoscaling from zero). */
import type { MetalMachineTemplate } from "#kinds/infrastructure/v1alpha3/metal-machine-template.ts";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";

type Status = NonNullable<MetalMachineTemplate["status"]>;

/** What one Server has, as far as it is known: hardware threads, MiB. */
export interface Capacity {
  readonly threads: number;
  readonly mebibytes: number;
  readonly architecture: "amd64" | "arm64" | undefined;
}

/** Undefined: nothing is known of its hardware. */
export function capacityOf({ spec }: Server): Capacity | undefined {
  const { compute, memory, architecture } = spec?.hardware ?? {};
  const threads = compute?.totalThreadCount ?? compute?.totalCoreCount ?? 0;
  const modules = (memory?.modules ?? []).reduce((sum, { size = 0 }) => sum + size, 0);
  const mebibytes = modules > 0 ? modules : Number(/^(\d{1,9}) GB$/.exec(memory?.totalSize ?? "")?.[1] ?? 0) * 1024;
  return threads === 0 && mebibytes === 0 ? undefined : { threads, mebibytes, architecture };
}

/**
 * The least of each of the class's Servers: who scales by it never counts on more than comes. Memory is what is built in; what the node's
 * kernel and Talos keep of it is left to the autoscaler, as with every provider.
 */
export function decideMetalMachineTemplate(capacities: readonly Capacity[]): {
  readonly status: { readonly [K in keyof Status]?: Status[K] | undefined };
} {
  if (capacities.length === 0) return { status: { capacity: undefined, nodeInfo: undefined } };
  const least = (values: readonly number[]): number => Math.min(...values.filter((value) => value > 0));
  const threads = least(capacities.map((each) => each.threads));
  const mebibytes = least(capacities.map((each) => each.mebibytes));
  const architectures = new Set(capacities.map((each) => each.architecture));
  const [architecture] = architectures;
  return {
    status: {
      capacity: {
        ...(Number.isFinite(threads) && { cpu: `${threads}` }),
        ...(Number.isFinite(mebibytes) && { memory: `${mebibytes}Mi` }),
      },
      nodeInfo: { ...(architectures.size === 1 && architecture !== undefined && { architecture }), operatingSystem: "linux" },
    },
  };
}
