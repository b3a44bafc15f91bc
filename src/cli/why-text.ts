/** A Server as people ask about it: where it is, what it waits for, until when, and what they can do. */
import type { BootRecord } from "#kinds/metal/v1alpha2/boot-record.ts";
import type { Server, ServerStatus } from "#kinds/metal/v1alpha2/server.ts";
import { outlookLines, spanText, type Style } from "./boot-text.ts";

/** `record` is its newest boot, `now` in milliseconds since 1970. */
export function whyLines(server: Server, record: BootRecord | undefined, now: number, style: Style): string[] {
  const { metadata, spec, status = {} } = server;
  const hostname = spec?.hostname === undefined ? "" : `  ${spec.hostname}`;
  const marks = [
    spec?.accepted === true ? "" : "not accepted",
    spec?.cordoned === true ? "cordoned" : "",
    spec?.adopt === true ? "adopted" : "",
  ];
  const facts = [status.phase ?? "no phase yet", ...marks, status.isClean === true ? "clean" : ""].filter((fact) => fact !== "");
  return [
    style("bold", metadata.name ?? "") + hostname,
    line("state", facts.join(", ")),
    ...waitingLines(status, now, style),
    line("power", powerText(status)),
    ...bmcLines(status, now, style),
    ...actionLines(status, now, style),
    ...holderLines(status, now),
    ...wipeLines(status, now, style),
    ...requestLines(status),
    ...bootLines(record, now, style),
  ];
}

const WIDTH = 9;
/** Disks that are listed; more are counted. */
const MOST_DISKS = 16;

function line(what: string, text: string): string {
  return `  ${what.padEnd(WIDTH)}${text}`;
}

function waitingLines({ waiting, phase }: ServerStatus, now: number, style: Style): string[] {
  if (waiting === undefined)
    return [line("waits", phase === undefined ? "nobody has looked at it yet: is Sidero running?" : "for nothing")];
  const { waitingFor, reason, since, deadline, next, remedy } = waiting;
  const late = deadline !== undefined && Date.parse(deadline) < now;
  return [
    line("waits", style(late ? "red" : "yellow", `for ${waitingFor}, since ${ago(since, now)} (${reason})`)),
    ...(deadline === undefined
      ? []
      : [line("until", `${clock(deadline)}, ${late ? "which is over" : `in ${spanText(Date.parse(deadline) - now)}`}`)]),
    ...(next === undefined ? [] : [line("then", next)]),
    ...(remedy === undefined ? [] : [line("you can", style("bold", remedy))]),
  ];
}

function powerText({ power = "unknown", bmc }: ServerStatus): string {
  const whence = { bmc: "read from its BMC", none: "it has no BMC", unusable: "its BMC cannot be used" };
  return bmc === undefined ? power : `${power} (${whence[bmc.way]})`;
}

function bmcLines({ bmc }: ServerStatus, now: number, style: Style): string[] {
  if (bmc === undefined || bmc.way === "none") return [];
  const { protocol, manufacturer, model, firmwareVersion, health, breaker, failures = 0, error, retryAt, problem } = bmc;
  const product = [manufacturer, model, firmwareVersion].filter(Boolean).join(" ");
  const facts = [protocol, product, health === undefined ? "" : `health ${health}`].filter(Boolean).join(", ");
  const open =
    breaker === "open" ? `left alone${retryAt === undefined ? "" : ` until ${clock(retryAt)}, ${until(retryAt, now)}`}` : "";
  const trouble = [problem, open, failures === 0 ? "" : `${failures} failures in a row`, error].filter(Boolean).join("; ");
  return [line("BMC", facts || "nothing is known of it yet"), ...(trouble === "" ? [] : [line("", style("red", trouble))])];
}

function actionLines({ action }: ServerStatus, now: number, style: Style): string[] {
  if (action === undefined) return [];
  const { because, state, attempts = 1, startedAt, error, retryAt } = action;
  const why = because === undefined ? "" : ` (${because})`;
  const tries = attempts > 1 ? `, ${attempts} attempts` : "";
  const again = retryAt === undefined ? "" : `; again at ${clock(retryAt)}, ${until(retryAt, now)}`;
  const text = `${action.do}${why}: ${state}, begun ${ago(startedAt, now)}${tries}${again}`;
  return [line("last did", text), ...(error === undefined || state === "done" ? [] : [line("", style("red", error))])];
}

function holderLines({ allocation }: ServerStatus, now: number): string[] {
  if (allocation === undefined) return [];
  const { namespace, metalMachine, cluster, since } = allocation;
  const machine = metalMachine === undefined ? "a ServerBinding" : `MetalMachine ${namespace ?? ""}/${metalMachine}`;
  return [line("held by", `${machine}${cluster === undefined ? "" : ` of cluster ${cluster}`}, since ${ago(since, now)}`)];
}

function wipeLines({ wipe }: ServerStatus, now: number, style: Style): string[] {
  if (wipe === undefined) return [];
  const { state, reason, orderedAt, attempts, disks = [], detail, finishedAt } = wipe;
  const tries = attempts === undefined || attempts < 2 ? "" : `, attempt ${attempts}`;
  const when = finishedAt === undefined ? `ordered ${ago(orderedAt, now)}` : ago(finishedAt, now);
  const listed = disks.slice(0, MOST_DISKS).map((disk) => {
    const progress = disk.state === "wiping" && disk.percent !== undefined ? ` ${disk.percent} %` : "";
    const method = disk.method === undefined || disk.method === "" ? "" : ` by ${disk.method}`;
    const text = `${disk.name} ${disk.state}${progress}${method}${disk.verified === true ? ", verified" : ""}`;
    const why = disk.detail === undefined || disk.detail === "" ? "" : `: ${disk.detail}`;
    return line("", disk.state === "failed" ? style("red", text + why) : text + why);
  });
  const more = disks.length > MOST_DISKS ? [line("", `and ${disks.length - MOST_DISKS} more`)] : [];
  const trouble = detail === undefined || detail === "" ? [] : [line("", style("red", detail))];
  return [line("wipe", `${state}, ${when}${tries}: ${reason}`), ...trouble, ...listed, ...more];
}

function requestLines({ request }: ServerStatus): string[] {
  return request === undefined
    ? []
    : [line("asked", `${request.value.split(" ", 1)[0]}: ${request.outcome} (${clock(request.at)})`)];
}

function bootLines(record: BootRecord | undefined, now: number, style: Style): string[] {
  const [last] = record?.status?.sightings?.slice(-1) ?? [];
  if (record === undefined || last === undefined) return [line("boot", "none is on record")];
  return [
    line("boot", `reached ${record.status?.phase}; last seen ${ago(last.until ?? last.time, now)}: ${last.text}`),
    ...outlookLines(record, now, style).map((text) => line("", text.trim())),
  ];
}

function ago(time: string, now: number): string {
  return `${clock(time)} (${spanText(now - Date.parse(time))} ago)`;
}

function until(time: string, now: number): string {
  const left = Date.parse(time) - now;
  return left <= 0 ? "which is now" : `in ${spanText(left)}`;
}

/** `03:10:02`, with its date when it is another day's. */
function clock(time: string): string {
  return `${time.slice(0, 10)} ${time.slice(11, 19)}`;
}
