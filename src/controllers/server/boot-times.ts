/** How long machines of one model take from being switched on to their agent's first word: the longest of the last ones seen. */
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import type { Change } from "#kube/cache.ts";

/** Of one model. */
const REMEMBERED = 32;

export class BootTimes {
  readonly #byModel = new Map<string, number[]>();

  changed({ type, object, old }: Change<Server>): void {
    const seconds = object.status?.bootSeconds;
    const model = modelOf(object);
    if (type === "delete" || seconds === undefined || model === undefined || seconds === old?.status?.bootSeconds) return;
    const times = this.#byModel.get(model) ?? [];
    times.push(seconds);
    if (times.length > REMEMBERED) times.shift();
    this.#byModel.set(model, times);
  }

  /** Undefined when none was seen. */
  of(server: Server): number | undefined {
    const times = this.#byModel.get(modelOf(server) ?? "");
    return times === undefined ? undefined : Math.max(...times);
  }
}

function modelOf({ spec }: Server): string | undefined {
  const { manufacturer = "", productName = "" } = spec?.hardware?.system ?? {};
  return manufacturer === "" && productName === "" ? undefined : `${manufacturer}/${productName}`;
}
