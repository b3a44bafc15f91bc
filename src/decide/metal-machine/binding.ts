/** Which ServerBindings are a MetalMachine's own. */
import type { MetalMachine } from "#kinds/infrastructure/v1alpha3/metal-machine.ts";
import type { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";

const SCHEME = "sidero://";

export function providerIdOf(server: string): string {
  return SCHEME + server;
}

/** The Server's name; undefined for one that is not ours. */
export function serverOf(providerID: string | undefined): string | undefined {
  return providerID?.startsWith(SCHEME) === true ? providerID.slice(SCHEME.length) : undefined;
}

/**
 * True for bindings made for this very object, and for one from before a move (`clusterctl move`, a backup), which gives every object another
 * uid: then the MetalMachine says itself, in what has moved with it, which Server it has. A binding of an earlier MetalMachine of
 * the same name is not its own: who takes it would take over what that one has installed.
 */
export function isOwn({ metadata, spec }: MetalMachine, binding: ServerBinding): boolean {
  const { uid, name, namespace } = binding.spec?.metalMachineRef ?? {};
  if (name !== metadata.name || namespace !== metadata.namespace) return false;
  return uid === undefined || uid === "" || uid === metadata.uid || serverOf(spec?.providerID) === binding.metadata.name;
}

/** The binding that counts: of its very uid before moved ones; the Server on record before others; then the oldest. */
export function ownBinding(machine: MetalMachine, bindings: readonly ServerBinding[]): ServerBinding | undefined {
  const { spec, metadata } = machine;
  const rank = (binding: ServerBinding): string => {
    const { name, creationTimestamp = "" } = binding.metadata;
    const isExact = binding.spec?.metalMachineRef.uid === metadata.uid;
    const isOnRecord = name === serverOf(spec?.providerID);
    const isNamed = name === spec?.serverRef?.name;
    return [isOnRecord ? 0 : 1, isNamed ? 0 : 1, isExact ? 0 : 1, creationTimestamp, name].join("/");
  };
  const own = bindings.filter((binding) => isOwn(machine, binding)).map((binding) => [rank(binding), binding] as const);
  return own.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))[0]?.[1];
}
