/** A ComputerSystem (DSP0268), as far as switching it on and off, starting it and telling what it is needs it. */
import type { Health, PowerState } from "./word.ts";
import { type BootSettings, readBoot } from "./boot.ts";
import { type Document, etagOf, flag, link, links, pathOf, section, text, texts } from "./document.ts";
import { readHealth } from "./health.ts";
import { defined } from "./root.ts";

export interface System {
  readonly manufacturer?: string;
  readonly model?: string;
  readonly serial?: string;
  /** Dell's service tag, which its firmware shows as the serial number. */
  readonly sku?: string;
  readonly uuid?: string;
  readonly systemType?: string;
  readonly biosVersion?: string;
  /** Undefined: it does not say. Only what is Off is off; on its way down it still is on. */
  readonly power?: PowerState;
  readonly health: Health;
  readonly boot: BootSettings;
  /** Where changes are to be made instead (`@Redfish.Settings`, DSP0266 §9.10). */
  readonly settings?: string;
  readonly reset?: ResetAction;
  /** The light that shows which machine it is, and how it is switched. */
  readonly light?: { readonly property: "LocationIndicatorActive" | "IndicatorLED"; readonly isOn: boolean };
  readonly controllers: readonly string[];
  readonly chassis: readonly string[];
  readonly media?: string;
  readonly interfaces?: string;
  readonly secureBoot?: string;
  readonly etag?: string;
}

export interface ResetAction {
  readonly target: string;
  /** Empty: it does not say. */
  readonly allowed: readonly string[];
  /** Where else it may say (`@Redfish.ActionInfo`). */
  readonly info?: string;
}

export function readSystem(document: Document): System {
  const listed = section(document, "Links");
  return defined<System>({
    manufacturer: text(document, "Manufacturer"),
    model: text(document, "Model"),
    serial: text(document, "SerialNumber"),
    sku: text(document, "SKU"),
    uuid: text(document, "UUID")?.toLowerCase(),
    systemType: text(document, "SystemType"),
    biosVersion: text(document, "BiosVersion"),
    power: readPower(document),
    health: readHealth(document),
    boot: readBoot(section(document, "Boot")),
    settings: link(section(document, "@Redfish.Settings"), "SettingsObject"),
    reset: readAction(document, "#ComputerSystem.Reset", "ResetType"),
    light: readLight(document),
    controllers: links(listed, "ManagedBy"),
    chassis: links(listed, "Chassis"),
    media: link(document, "VirtualMedia"),
    interfaces: link(document, "EthernetInterfaces"),
    secureBoot: link(document, "SecureBoot"),
    etag: etagOf(document),
  });
}

function readPower(document: Document): PowerState | undefined {
  const state = text(document, "PowerState");
  return state === undefined ? undefined : state.toLowerCase() === "off" ? "off" : "on";
}

/** An action with one parameter of fixed values. */
export function readAction(document: Document, name: string, parameter: string): ResetAction | undefined {
  const action = section(section(document, "Actions"), name);
  const target = pathOf(action["target"]);
  if (target === undefined) return undefined;
  return defined<ResetAction>({
    target,
    allowed: texts(action, `${parameter}@Redfish.AllowableValues`),
    info: pathOf(action["@Redfish.ActionInfo"]),
  });
}

/** The values that an ActionInfo allows `parameter` to have. */
export function readActionInfo(document: Document, parameter: string): string[] {
  const parameters = document["Parameters"];
  for (const entry of Array.isArray(parameters) ? parameters.slice(0, 32) : []) {
    if (typeof entry !== "object" || entry === null || Array.isArray(entry)) continue;
    if (text(entry, "Name") === parameter) return texts(entry, "AllowableValues");
  }
  return [];
}

/** `LocationIndicatorActive` took the place of `IndicatorLED` in ComputerSystem 1.12. */
export function readLight(document: Document): System["light"] {
  const isActive = flag(document, "LocationIndicatorActive");
  if (isActive !== undefined) return { property: "LocationIndicatorActive", isOn: isActive };
  const led = text(document, "IndicatorLED");
  return led === undefined ? undefined : { property: "IndicatorLED", isOn: led === "Lit" || led === "Blinking" };
}
