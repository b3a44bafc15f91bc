/** The resources of a simulated service, made when they are asked for: nothing is kept of them. */
import type { BootOnce, Sensor } from "#decide/power.ts";
import type { JsonObject } from "#std/json.ts";
import type { RedfishMachine } from "./machine.ts";

const ROOT = "/redfish/v1";
export const SYSTEM = `${ROOT}/Systems/1`;
const CONTROLLER = `${ROOT}/Managers/1`;
const CHASSIS = `${ROOT}/Chassis/1`;
export const SESSIONS = `${ROOT}/SessionService/Sessions`;
export const RESET = `${SYSTEM}/Actions/ComputerSystem.Reset`;
const DRIVE = `${SYSTEM}/VirtualMedia/Cd`;
export const INSERT = `${DRIVE}/Actions/VirtualMedia.InsertMedia`;
export const EJECT = `${DRIVE}/Actions/VirtualMedia.EjectMedia`;

export const RESET_TYPES = {
  On: "on",
  ForceOff: "off",
  GracefulShutdown: "soft-off",
  PowerCycle: "cycle",
  ForceRestart: "reset",
} as const;
export const TARGETS = { Pxe: "pxe", UefiHttp: "http", Hdd: "disk", Cd: "cd" } as const;

type Make = (machine: RedfishMachine) => JsonObject;

/** By path without a slash at the end. */
export const DOCUMENTS: Readonly<Record<string, Make>> = {
  [ROOT]: ({ uuid }) => ({
    ...type("ServiceRoot", "v1_16_0"),
    RedfishVersion: "1.18.0",
    UUID: uuid,
    Vendor: "Sidero",
    Product: "Simulated machine",
    ProtocolFeaturesSupported: { ExpandQuery: { NoLinks: true, Levels: false, ExpandAll: false } },
    ...links({ Systems: `${ROOT}/Systems`, Managers: `${ROOT}/Managers`, Chassis: `${ROOT}/Chassis` }),
    ...links({ SessionService: `${ROOT}/SessionService` }),
    Links: links({ Sessions: SESSIONS }),
  }),
  [`${ROOT}/Systems`]: () => collection("ComputerSystem", [SYSTEM]),
  [`${ROOT}/Managers`]: () => collection("Manager", [CONTROLLER]),
  [`${ROOT}/Chassis`]: () => collection("Chassis", [CHASSIS]),
  [SYSTEM]: system,
  [`${SYSTEM}/EthernetInterfaces`]: ({ macs }) =>
    collection(
      "EthernetInterface",
      macs.map((_mac, i) => `${SYSTEM}/EthernetInterfaces/${i}`),
    ),
  [`${SYSTEM}/VirtualMedia`]: () => collection("VirtualMedia", [DRIVE]),
  [DRIVE]: (machine) => ({
    ...type("VirtualMedia", "v1_6_0"),
    MediaTypes: ["CD", "DVD"],
    Image: machine.media() ?? null,
    Inserted: machine.media() !== undefined,
    ConnectedVia: machine.media() === undefined ? "NotConnected" : "URI",
    WriteProtected: true,
    Actions: { "#VirtualMedia.InsertMedia": { target: INSERT }, "#VirtualMedia.EjectMedia": { target: EJECT } },
  }),
  [CONTROLLER]: ({ firmwareVersion }) => ({
    ...type("Manager", "v1_19_0"),
    ManagerType: "BMC",
    Model: "Simulated controller",
    Links: { ManagerForServers: [{ "@odata.id": SYSTEM }] },
    FirmwareVersion: firmwareVersion,
    SerialConsole: { ServiceEnabled: true, ConnectTypesSupported: ["IPMI"] },
    Status: { State: "Enabled", Health: "OK" },
  }),
  [CHASSIS]: () => ({
    ...type("Chassis", "v1_25_0"),
    ChassisType: "RackMount",
    Status: { State: "Enabled", Health: "OK" },
    Links: { ComputerSystems: [{ "@odata.id": SYSTEM }], ManagedBy: [{ "@odata.id": CONTROLLER }] },
    ...links({ Thermal: `${CHASSIS}/Thermal`, Power: `${CHASSIS}/Power` }),
  }),
  [`${CHASSIS}/Thermal`]: (machine) => ({
    ...type("Thermal", "v1_7_1"),
    Temperatures: readings(machine, "°C", "ReadingCelsius"),
    Fans: readings(machine, "RPM", "Reading"),
  }),
  [`${CHASSIS}/Power`]: (machine) => ({
    ...type("Power", "v1_7_1"),
    Voltages: readings(machine, "V", "ReadingVolts"),
    PowerControl: readings(machine, "W", "PowerConsumedWatts"),
  }),
};

/** Of one network interface; undefined: there is no such. */
export function interfaceAt(machine: RedfishMachine, path: string): JsonObject | undefined {
  const mac = machine.macs[Number(/\/EthernetInterfaces\/(\d{1,3})$/.exec(path)?.[1] ?? -1)];
  return mac === undefined
    ? undefined
    : {
        ...type("EthernetInterface", "v1_11_0"),
        MACAddress: mac,
        PermanentMACAddress: mac,
        Status: { State: "Enabled", Health: "OK" },
      };
}

function system(machine: RedfishMachine): JsonObject {
  const { uuid, manufacturer, model, serial } = machine;
  return {
    ...type("ComputerSystem", "v1_22_0"),
    SystemType: "Physical",
    UUID: uuid,
    Manufacturer: manufacturer,
    Model: model,
    SerialNumber: serial,
    PowerState: machine.power() === "on" ? "On" : "Off",
    Status: { State: "Enabled", Health: "OK", HealthRollup: rollup(machine.sensors()) },
    LocationIndicatorActive: machine.light(),
    Boot: boot(machine.bootOnce()),
    ...links({ EthernetInterfaces: `${SYSTEM}/EthernetInterfaces`, VirtualMedia: `${SYSTEM}/VirtualMedia` }),
    Links: { ManagedBy: [{ "@odata.id": CONTROLLER }], Chassis: [{ "@odata.id": CHASSIS }] },
    Actions: { "#ComputerSystem.Reset": { target: RESET, "ResetType@Redfish.AllowableValues": Object.keys(RESET_TYPES) } },
  };
}

function boot(once: BootOnce | undefined): JsonObject {
  const target = Object.entries(TARGETS).find(([, device]) => device === once?.device)?.[0];
  return {
    BootSourceOverrideEnabled: target === undefined ? "Disabled" : "Once",
    BootSourceOverrideTarget: target ?? "None",
    BootSourceOverrideMode: once?.firmware === "bios" ? "Legacy" : "UEFI",
    HttpBootUri: once?.url ?? "",
    "BootSourceOverrideTarget@Redfish.AllowableValues": ["None", ...Object.keys(TARGETS)],
    "BootSourceOverrideMode@Redfish.AllowableValues": ["UEFI", "Legacy"],
  };
}

function readings(machine: RedfishMachine, unit: string, key: string): JsonObject[] {
  const all = machine.sensors().filter((sensor) => sensor.unit === unit);
  return all.map(({ name, value, health }, i) => ({
    MemberId: String(i),
    Name: name,
    [key]: value ?? null,
    ...(unit === "RPM" ? { ReadingUnits: "RPM" } : {}),
    Status: { State: "Enabled", Health: WORDS[health] },
  }));
}

const WORDS = { ok: "OK", warning: "Warning", critical: "Critical", unknown: null } as const;

function rollup(sensors: readonly Sensor[]): string {
  if (sensors.some(({ health }) => health === "critical")) return "Critical";
  return sensors.some(({ health }) => health === "warning") ? "Warning" : "OK";
}

function links(paths: Readonly<Record<string, string>>): JsonObject {
  return Object.fromEntries(Object.entries(paths).map(([name, path]) => [name, { "@odata.id": path }]));
}

/** Clients go by it (DSP0266 §9.6). */
function type(name: string, version: string): JsonObject {
  return { "@odata.type": `#${name}.${version}.${name}` };
}

function collection(of: string, paths: readonly string[]): JsonObject {
  return {
    "@odata.type": `#${of}Collection.${of}Collection`,
    Members: paths.map((path) => ({ "@odata.id": path })),
    "Members@odata.count": paths.length,
  };
}
