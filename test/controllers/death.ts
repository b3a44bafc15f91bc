/** The process of a controller that dies at one of its writes, as often as there are points to die at. */
import { Fault } from "#std/fault.ts";
import { isWrite } from "../kube/world.ts";

export class Death {
  /** Writes so far, counted before and after each is done; Events do not count. */
  points = 0;
  isDead = false;
  readonly #at: number;

  /** `at`: the point at which it dies, from 1 on; 0: never. */
  constructor(at: number) {
    this.#at = at;
  }

  /** For `before` and `after` of a world: from its death on the process can do nothing, until it is `isDead` no more. */
  readonly hook = (request: string): void => {
    if (!isWrite(request) || request.includes("/events")) return;
    if (!this.isDead && ++this.points !== this.#at) return;
    this.isDead = true;
    throw new Fault("test.dead", "the process is dead", { fault: "world", retry: "soon" });
  };
}
