/** A kind and a controller for proofs of the loop: a machine is brought to the power that its spec asks for, step by step. */
import { type Controller, controller, type Decision, type StatusOf, writing } from "#kube/controller.ts";
import { kind, type Resource } from "#schema/kind.ts";
import { array, object, string } from "#schema/kit.ts";
import type { Family } from "#schema/family.ts";
import { Fault } from "#std/fault.ts";

export const Machine = kind({
  group: "proof.example.org",
  version: "v1",
  kind: "Machine",
  plural: "machines",
  scope: "Namespaced",
  doc: "A machine of a proof.",
  spec: object({ power: string().required() }).required(),
  status: object({
    operation: object({ id: string().required(), power: string().required() }),
    power: string(),
    failure: string(),
    done: array(string()),
  }),
});
export type Machine = Resource<typeof Machine>;

export const machines: Family = {
  storage: Machine,
  older: [],
  labels: {},
  webhook: { namespace: "proof", service: "proof", certificate: "proof" },
};

export const FINALIZER = "proof.example.org/off";

export interface Step {
  readonly do: "prepare" | "switch" | "report";
  readonly id: string;
  readonly power: string;
}

export interface Observed {
  readonly machine: Machine;
}

/** The operation goes on record under an id of its own before the first step; when it is done it is in `done`. */
export function decide({ machine }: Observed): Decision<StatusOf<Machine>, Step> {
  const isLeaving = machine.metadata.deletionTimestamp !== undefined;
  const wanted = isLeaving ? "off" : machine.spec.power;
  const { operation, power = "off", done = [] } = machine.status ?? {};
  if (operation === undefined && power === wanted) return isLeaving ? { finalized: true } : { status: { failure: undefined } };
  const current = operation ?? { id: `${machine.metadata.name}-${machine.metadata.generation}-${done.length}`, power: wanted };
  const step = (what: Step["do"]): Step => ({ do: what, ...current });
  return {
    intent: { operation: current },
    effects: [step("prepare"), step("switch"), step("report")],
    status: { operation: undefined, power: current.power, done: [...done, current.id], failure: undefined },
  };
}

/** What the steps are done to. Doing one again under the same id changes nothing. */
export class Hardware {
  power = "off";
  /** In the order they first happened. */
  readonly steps: string[] = [];
  /** Called before and after each step; what it throws is what the controller sees. */
  onStep: (step: Step, when: "before" | "after") => void | Promise<void> = () => {};

  async perform(step: Step): Promise<void> {
    await this.onStep(step, "before");
    const name = `${step.do} ${step.id}`;
    if (!this.steps.includes(name)) {
      this.steps.push(name);
      if (step.do === "switch") this.power = step.power;
    }
    await this.onStep(step, "after");
  }
}

export function machineController(
  hardware: Hardware,
  rest: Partial<Controller<Machine, Observed, Step>> = {},
): Controller<Machine, Observed, Step> {
  return controller<Machine, Observed, Step>({
    name: "machine",
    kind: Machine,
    writes: [writing(Machine, "status")],
    finalizer: FINALIZER,
    observe: (_reader, _key, machine) => (machine === undefined ? undefined : { machine }),
    decide,
    act: (step) => hardware.perform(step),
    failed: (_observed, fault) => ({ failure: fault.message }),
    ...rest,
  });
}

export const broken = (retry: "soon" | "later" | "never", message = "broken"): Fault =>
  new Fault("bmc.failed", message, { fault: "peer", retry });
