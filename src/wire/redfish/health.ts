/** Status of resources, and the readings of a chassis: Thermal and Power (until 2020), or Sensors (DSP0268). */
import { type Document, items, number, section, text } from "./document.ts";
import { defined } from "./root.ts";
import type { Health, Reading } from "./word.ts";

const WORDS: Readonly<Record<string, Health>> = { ok: "ok", warning: "warning", critical: "critical" };

/** Of a resource and what belongs to it. */
export function readHealth(document: Document): Health {
  const status = section(document, "Status");
  // iLO 4 wrote HealthRollUp.
  const said = text(status, "HealthRollup") ?? text(status, "HealthRollUp") ?? text(status, "Health");
  return WORDS[said?.toLowerCase() ?? ""] ?? "unknown";
}

const RANK: readonly Health[] = ["unknown", "ok", "warning", "critical"];

export function worst(all: readonly Health[]): Health {
  return all.reduce((a, b) => (RANK.indexOf(a) >= RANK.indexOf(b) ? a : b), "unknown");
}

/** False for what the vendor lists and the machine has not. */
function isPresent(document: Document): boolean {
  const state = text(section(document, "Status"), "State");
  return state !== "Absent" && state !== "Disabled" && state !== "UnavailableOffline";
}

export function readThermal(document: Document): Reading[] {
  const fans = items(document, "Fans").map((fan) =>
    reading(fan, text(fan, "Name") ?? text(fan, "FanName"), "Reading", text(fan, "ReadingUnits") === "Percent" ? "%" : "RPM"),
  );
  return present([
    ...items(document, "Temperatures").map((one) => reading(one, text(one, "Name"), "ReadingCelsius", "°C")),
    ...fans,
  ]);
}

export function readPowerSupplies(document: Document): Reading[] {
  return present([
    ...items(document, "Voltages").map((one) => reading(one, text(one, "Name"), "ReadingVolts", "V")),
    ...items(document, "PowerControl").map((one) =>
      reading(one, text(one, "Name") ?? "Power consumption", "PowerConsumedWatts", "W"),
    ),
    ...items(document, "PowerSupplies").map((one) =>
      reading(
        one,
        text(one, "Name") ?? "Power supply",
        number(one, "PowerOutputWatts") === undefined ? "LastPowerOutputWatts" : "PowerOutputWatts",
        "W",
      ),
    ),
  ]);
}

const UNITS: Readonly<Record<string, string>> = { Cel: "°C", RPM: "RPM", V: "V", W: "W", A: "A", "%": "%", "{rev}/min": "RPM" };

/** One Sensor (DSP0268, since 2019); units in UCUM. */
export function readSensor(document: Document): Reading | undefined {
  const unit = text(document, "ReadingUnits");
  return present([
    reading(document, text(document, "Name"), "Reading", unit === undefined ? undefined : (UNITS[unit] ?? unit)),
  ])[0];
}

function reading(document: Document, name: string | undefined, key: string, unit: string | undefined): Reading | undefined {
  if (name === undefined || !isPresent(document)) return undefined;
  const value = number(document, key);
  const state = text(section(document, "Status"), "State");
  return defined<Reading>({
    name,
    health: readHealth(document),
    value,
    unit: value === undefined ? undefined : unit,
    text: value === undefined ? state : undefined,
  });
}

function present(readings: readonly (Reading | undefined)[]): Reading[] {
  return readings.filter((one) => one !== undefined);
}
