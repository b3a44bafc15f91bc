/** Whether what a ServerBinding holds is there, and who holds it. */

export interface ObservedBinding {
  readonly name: string;
  readonly uid: string;
  /** There is a Server of the binding's name. */
  readonly hasServer: boolean;
  /** `namespace/name` of the MetalMachine. */
  readonly holder: string;
  /** Undefined where that cannot be told: its cluster is paused, as during a move. */
  readonly hasHolder: boolean | undefined;
}

export interface OrphanEffect {
  readonly do: "warn";
  readonly name: string;
  readonly uid: string;
  readonly message: string;
}

/**
 * A binding whose MetalMachine is gone is never taken away here: that would wipe a Server because something is missing. It is told, so that a person can.
 */
export function decideServerBinding({ name, uid, hasServer, holder, hasHolder }: ObservedBinding): {
  readonly status: { readonly ready: boolean };
  readonly effects: readonly OrphanEffect[];
} {
  const message = `MetalMachine ${holder}, which holds Server ${name}, is not there. If nothing on the Server is needed: kubectl delete serverbinding ${name}`;
  return { status: { ready: hasServer }, effects: hasHolder === false ? [{ do: "warn", name, uid, message }] : [] };
}
