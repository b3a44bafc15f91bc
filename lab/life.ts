/** The life of a Server as people follow it: what it is at, which disks are being wiped, and what it waits for. */
import { Server, type Server as Resource, type WipedDisk } from "#kinds/metal/v1alpha2/server.ts";
import type { Machine } from "./machine.ts";
import type { Sidero } from "./sidero.ts";
import { watch, type Watch } from "./watch.ts";

/** Calls `see` with every Server that there is, and with each as it changes, until `stop`. */
export function followServers(sidero: Sidero, see: (server: Resource) => void): Watch {
  const { plural, group } = Server;
  return watch(sidero, `${plural}.${group}`, see);
}

export function isServerOf({ metadata }: Resource, { description }: Machine): boolean {
  return metadata.name === description.uuid;
}

export interface Moment {
  readonly phase: string;
  readonly power: string;
  /** What is done to it or waited for; empty when it is where it should be. */
  readonly text: string;
  /** It has been wiped, is off, and nothing is to be done. */
  readonly isAtRest: boolean;
}

export function momentOf({ status }: Resource): Moment {
  const { phase = "", power = "unknown", waiting, wipe, isClean } = status ?? {};
  const disks = wipe?.state === "started" ? (wipe.disks ?? []).map(diskText).join(", ") : "";
  const wait = waiting === undefined ? "" : `waits for ${waiting.waitingFor}`;
  return {
    phase,
    power,
    text: [disks, wait].filter((part) => part !== "").join("; "),
    isAtRest: phase === "Available" && isClean === true && power === "off" && waiting === undefined,
  };
}

function diskText({ name, state, method, percent }: WipedDisk): string {
  return [name, method ?? "", state === "wiping" ? `${percent ?? 0} %` : state].filter((part) => part !== "").join(" ");
}

/** What can be said of a moment in a line that is not said twice: percentages are left out. */
export function headline({ phase, power, text }: Moment): string {
  return `${phase || "new"}, ${power}${text && `: ${text.replace(/ \d+ %/g, "")}`}`;
}
