/** What a BMC says, as people read it. */
import type { BmcCapabilities, BmcInventory, Health, PowerState, Sensor } from "#decide/power.ts";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import { Fault } from "#std/fault.ts";
import type { Style } from "./boot-text.ts";

/** Each part, or why it could not be read. */
export interface BmcLook {
  readonly address: string;
  readonly power: PowerState | Fault;
  readonly inventory: BmcInventory | Fault;
  readonly capabilities: BmcCapabilities | Fault;
  readonly health: { readonly overall: Health; readonly sensors: readonly Sensor[] } | Fault;
}

const WIDTH = 12;

export function bmcLines(server: Server, look: BmcLook, style: Style): string[] {
  const line = (name: string, text: string): string => `  ${style("dim", name.padEnd(WIDTH))}${text}`;
  const part = <T extends object | string>(name: string, value: T | Fault, lines: (value: T) => string[]): string[] =>
    value instanceof Fault ? [line(name, style("red", oneLine(value.message)))] : lines(value);
  return [
    style("bold", [server.metadata.name, server.spec?.hostname].filter(Boolean).join("  ")),
    line("BMC", look.address),
    ...ownLines(server).map((text) => line("Sidero", style("yellow", text))),
    ...part("power", look.power, (power) => [line("power", power)]),
    ...part("machine", look.inventory, (inventory) => inventoryLines(inventory).map(([name, text]) => line(name, text))),
    ...part("can", look.capabilities, (capabilities) =>
      abilityLines(capabilities).map((text, i) => line(i === 0 ? "can" : "", text)),
    ),
    ...part("health", look.health, ({ overall, sensors }) => [
      line("health", marked(overall, overall, style)),
      ...sensorLines(sensors, style),
    ]),
  ];
}

/** What the running Sidero has to say of it. */
function ownLines({ status }: Server): string[] {
  const { breaker, retryAt, error, problem } = status?.bmc ?? {};
  if (problem !== undefined) return [oneLine(problem)];
  if (breaker !== "open") return [];
  return [`leaves it alone until ${retryAt ?? "later"}: ${oneLine(error ?? "it failed")}`];
}

function inventoryLines({ manufacturer, model, serial, uuid, firmwareVersion, macs = [] }: BmcInventory): [string, string][] {
  const machine = [manufacturer, model, serial === undefined ? undefined : `serial ${serial}`].filter(
    (each) => each !== undefined,
  );
  const all: [string, string][] = [
    ["machine", machine.map(oneLine).join(", ")],
    ["UUID", oneLine(uuid ?? "")],
    ["firmware", oneLine(firmwareVersion ?? "")],
    ["MAC", macs.map(oneLine).join(", ")],
  ];
  return all.filter(([, text]) => text !== "");
}

function abilityLines({ actions, bootDevices, identify, console, virtualMedia, secureBoot }: BmcCapabilities): string[] {
  const others = [identify ? "identify" : "", console ? "serial console" : "", virtualMedia ? "virtual media" : ""].filter(
    Boolean,
  );
  return [
    `power: ${actions.join(", ") || "nothing"}`,
    `start from: ${bootDevices.join(", ") || "nothing of our choice"}`,
    ...(others.length === 0 ? [] : [others.join(", ")]),
    ...(secureBoot === undefined ? [] : [`secure boot is ${secureBoot ? "on" : "off"}`]),
  ];
}

function sensorLines(sensors: readonly Sensor[], style: Style): string[] {
  const rows = sensors.map(({ name, value, unit = "", text = "", health }) => {
    const shown = value === undefined ? oneLine(text) : `${value}${unit === "" ? "" : ` ${unit}`}`;
    return { name: oneLine(name), shown, health };
  });
  const [names, values] = [
    Math.max(0, ...rows.map(({ name }) => name.length)),
    Math.max(0, ...rows.map(({ shown }) => shown.length)),
  ];
  return rows.map(
    ({ name, shown, health }) => `    ${name.padEnd(names)}  ${shown.padStart(values)}  ${marked(health, health, style)}`,
  );
}

function marked(health: Health, text: string, style: Style): string {
  if (health === "ok") return style("green", text);
  return health === "unknown" ? style("dim", text) : style(health === "critical" ? "red" : "yellow", text);
}

/** BMCs say what they like; nothing of it moves the cursor. */
function oneLine(text: string): string {
  return text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, "\ufffd");
}
