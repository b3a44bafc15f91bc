/** What the controller of control planes needs besides the API. */
import type { Seat, TalosFacts } from "#decide/talos-control-plane/machine.ts";
import type { TalosApi } from "#talos/api.ts";

/** How the machines of a cluster are spoken to: PEM, from the Secret `<cluster>-talosconfig`. */
export interface Credentials {
  readonly ca: string;
  readonly crt: string;
  readonly key: string;
}

/** What the Talos of machines say (`prober.ts`). Nothing here waits for a machine. */
export interface Talos {
  /**
   * The machines of a control plane, and the credentials there are for them; called with every look, cheap when nothing has changed. Machines
   * that are not named any more are forgotten.
   */
  follow(plane: string, seats: readonly Seat[], credentials: Credentials | undefined): void;
  /** By the uid of a Machine. */
  facts(uid: string): TalosFacts;
  /** The machines of a control plane are asked again at once: something was done to them. */
  poke(plane: string): void;
  /** For what changes a machine, or must be of this moment. Closed by whoever asked for it. Fault `talos.unreachable` for one without an address. */
  dial(seat: Seat, credentials: Credentials): TalosApi;
  /** Begins to ask; called with a control plane whose machines say something new. Returns what ends it all. */
  listen(listener: (plane: string) => void): () => void;
}
