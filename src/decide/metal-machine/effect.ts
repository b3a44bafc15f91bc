/** What is done about a MetalMachine. Each is harmless when it has already happened. */
import type { ObjectReference } from "#kinds/reference.ts";
import type { MetalMachine } from "#kinds/infrastructure/v1alpha3/metal-machine.ts";
import type { Sealed } from "#std/sealed.ts";
import type { StatusChange } from "./status.ts";

export type InlineBmc = NonNullable<NonNullable<MetalMachine["spec"]>["bmc"]>;

export interface Target {
  readonly machine: { readonly namespace: string; readonly name: string; readonly uid: string };
  /** Of the MetalMachine that was decided about. */
  readonly resourceVersion: string;
}

export type MetalMachineEffect =
  /** Puts on record which Server of the class it is to be, before that is taken: of two processes that both lead for a moment, one gets it. */
  | (Target & { readonly do: "pick"; readonly server: string })
  /** Takes that back: somebody else was first. */
  | (Target & { readonly do: "unpick"; readonly server: string })
  /** Creates the ServerBinding, which is what makes the Server its own. Fault `allocation.taken`. */
  | (Target & {
      readonly do: "bind";
      readonly server: string;
      readonly serverClass?: ObjectReference;
      readonly labels: Readonly<Record<string, string>>;
      /** recovered: it had the Server before, and our own record of that was lost. */
      readonly how: "picked" | "given" | "recovered";
    })
  /** Puts into the spec what the binding says. */
  | (Target & { readonly do: "record"; readonly server: string })
  /** Puts into the binding what a move or a person has taken out of it. */
  | {
      readonly do: "amend";
      readonly binding: { readonly name: string; readonly resourceVersion: string };
      readonly machine: Target["machine"];
      readonly serverClass?: ObjectReference;
      readonly labels: Readonly<Record<string, string>>;
    }
  /** Tells a Server without a BMC of the one that an old manifest has in its MetalMachine. */
  | { readonly do: "introduce"; readonly server: string; readonly resourceVersion: string; readonly bmc: Sealed<InlineBmc> }
  /** Deletes the ServerBinding of this Server if it is its own now, whatever caches say. Fault `allocation.paused`. */
  | { readonly do: "release"; readonly machine: Target["machine"]; readonly server: string }
  | {
      readonly do: "set-provider";
      readonly cluster: { readonly namespace: string; readonly name: string };
      readonly node: string;
      readonly providerID: string;
    };

export interface MetalMachineDecision {
  readonly effects?: readonly MetalMachineEffect[];
  readonly status?: StatusChange;
  readonly finalized?: boolean;
  /** Milliseconds after which to look again. */
  readonly again?: number;
}

export function targetOf({ machine }: { readonly machine: MetalMachine }): Target {
  return { machine: identityOf(machine), resourceVersion: machine.metadata.resourceVersion ?? "" };
}

export function identityOf({ metadata: { namespace = "", name = "", uid = "" } }: MetalMachine): Target["machine"] {
  return { namespace, name, uid };
}
