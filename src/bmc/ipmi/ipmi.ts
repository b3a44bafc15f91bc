/** A BMC reached by IPMI. */
import type { BmcCapabilities, BmcInventory, BootOnce, Health, PowerAction, PowerState, Sensor } from "#decide/power.ts";
import type { Clock } from "#io/clock.ts";
import type { Crypto } from "#io/crypto.ts";
import type { Entropy } from "#io/entropy.ts";
import { Fault } from "#std/fault.ts";
import { getDeviceId } from "#wire/ipmi/app/device.ts";
import type { DeviceId } from "#wire/ipmi/app/device.ts";
import { getChassisStatus } from "#wire/ipmi/chassis/chassis.ts";
import { call } from "#wire/ipmi/command.ts";
import { PRIVILEGE, RMCP_PORT, THIS_CHANNEL } from "#wire/ipmi/constants.ts";
import type { IpmiChannel } from "#wire/ipmi/packet.ts";
import { getSolParameter, readSolEnable, SOL_PARAMETER } from "#wire/ipmi/transport/sol.ts";
import type { Bmc, Console, Credentials } from "../bmc.ts";
import { SELECTORS, setBootOnce } from "./boot.ts";
import type { ReadBack } from "./boot.ts";
import { Connection } from "./connection.ts";
import { openConsole } from "./console.ts";
import { asBmc } from "./fault.ts";
import { readHealth, readSensorList } from "./health.ts";
import type { SensorCatalog, SensorList } from "./health.ts";
import { optional, readInventory } from "./inventory.ts";
import { controlPower, readPower, switchLight } from "./power.ts";
import type { IpmiSockets } from "./sockets.ts";

/** What all BMCs of a process share. */
export interface IpmiDoors {
  readonly sockets: IpmiSockets;
  readonly catalog: SensorCatalog;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly crypto: Crypto;
  /** IP address of a host name; addresses as they are. */
  readonly resolve: (host: string) => Promise<string>;
}

export interface IpmiOptions {
  /** Name or IP address, without brackets. */
  readonly host: string;
  /** 0 and absent: 623. */
  readonly port?: number;
  readonly credentials: Credentials;
  /** `lanplus` is IPMI 2.0, `lan` 1.5. */
  readonly interface?: "lanplus" | "lan";
  /** As `spec.bmc.cipherSuite`: absent means 17, then 3; 0 is only used when it is written here. */
  readonly cipherSuite?: number;
  /** As in PRIVILEGE; administrator when absent. */
  readonly privilege?: number;
  /** UUID of the machine, lower case, when it is known: it tells in which order the BMC gives the bytes of its own. */
  readonly machine?: string;
  /** Called once for each thing this BMC does not do as others do, with a sentence about it. */
  readonly onQuirk?: (text: string) => void;
}

const READ_BACK: Readonly<Record<Exclude<ReadBack, "whole">, string>> = {
  "device-only":
    "it keeps the boot device and reads its flags back as not valid: whether a boot override was taken shows only when the machine starts",
  never: "it cannot be asked for the boot device: whether a boot override was taken shows only when the machine starts",
};
const ACTIONS: readonly PowerAction[] = ["on", "off", "soft-off", "cycle", "reset"];

export class IpmiBmc implements Bmc {
  readonly protocol = "ipmi";
  readonly #doors: IpmiDoors;
  readonly #options: IpmiOptions;
  readonly #connection: Connection;
  readonly #quirks = new Set<string>();
  #device: DeviceId | undefined;
  #sensors: SensorList | undefined;

  constructor(doors: IpmiDoors, options: IpmiOptions) {
    this.#doors = doors;
    this.#options = options;
    this.#connection = this.#connect();
  }

  /** For commands that {@link Bmc} has no words for (users, configuration). Faults are `ipmi.…`. */
  get channel(): IpmiChannel {
    return this.#connection;
  }

  /** What this BMC does not do as others do, as far as it has shown. */
  get quirks(): readonly string[] {
    return [...this.#quirks];
  }

  capabilities(signal: AbortSignal): Promise<BmcCapabilities> {
    return asBmc(this.#capabilities(signal));
  }

  inventory(signal: AbortSignal): Promise<BmcInventory> {
    return asBmc(this.#identity(signal).then((device) => readInventory(this.#connection, device, this.#options.machine, signal)));
  }

  power(signal: AbortSignal): Promise<PowerState> {
    return asBmc(readPower(this.#connection, signal));
  }

  command(action: PowerAction, signal: AbortSignal): Promise<void> {
    return asBmc(controlPower(this.#connection, action, signal));
  }

  bootOnce(boot: BootOnce, signal: AbortSignal): Promise<void> {
    return asBmc(this.#bootOnce(boot, signal));
  }

  identify(on: boolean, signal: AbortSignal): Promise<void> {
    return asBmc(switchLight(this.#connection, on, signal));
  }

  health(signal: AbortSignal): Promise<{ readonly overall: Health; readonly sensors: readonly Sensor[] }> {
    return asBmc(this.#health(signal));
  }

  console(signal: AbortSignal): Promise<Console> {
    return asBmc(this.#console(signal));
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  async #capabilities(signal: AbortSignal): Promise<BmcCapabilities> {
    // Asked anew: whoever asks for capabilities wants to know what it is now.
    this.#device = undefined;
    const { supports, hasDeviceSdrs } = await this.#identity(signal);
    const { identify } = await call(this.#connection, getChassisStatus, undefined, signal);
    return {
      protocol: "ipmi",
      actions: ACTIONS,
      bootDevices: Object.keys(SELECTORS) as BmcCapabilities["bootDevices"],
      identify: identify !== undefined,
      sensors: supports.sdrRepository || hasDeviceSdrs,
      console: await this.#hasConsole(signal),
      virtualMedia: false,
    };
  }

  async #hasConsole(signal: AbortSignal): Promise<boolean> {
    if (this.#options.interface === "lan") return false;
    const question = { channel: THIS_CHANNEL, parameter: SOL_PARAMETER.enable };
    return (await optional(call(this.#connection, getSolParameter, question, signal).then(readSolEnable))) ?? false;
  }

  async #bootOnce(boot: BootOnce, signal: AbortSignal): Promise<void> {
    const { manufacturer } = await this.#identity(signal);
    const readBack = await setBootOnce(this.#connection, boot, manufacturer, signal);
    if (readBack !== "whole") this.#tell(READ_BACK[readBack]);
  }

  async #health(signal: AbortSignal): Promise<{ readonly overall: Health; readonly sensors: readonly Sensor[] }> {
    const device = await this.#identity(signal);
    this.#sensors = await readSensorList(this.#connection, device, this.#doors.catalog, this.#sensors, signal);
    return readHealth(this.#connection, this.#sensors, signal);
  }

  async #console(signal: AbortSignal): Promise<Console> {
    if (this.#options.interface === "lan") {
      throw new Fault("bmc.unsupported", 'IPMI 1.5 ("lan") has no serial console', { fault: "peer", retry: "never" });
    }
    return openConsole(this.#connect(), this.#doors.clock, signal);
  }

  async #identity(signal: AbortSignal): Promise<DeviceId> {
    return (this.#device ??= await call(this.#connection, getDeviceId, undefined, signal));
  }

  #connect(): Connection {
    const { host, port = 0, credentials, cipherSuite, privilege = PRIVILEGE.administrator } = this.#options;
    return new Connection({
      ...this.#doors,
      address: () => this.#doors.resolve(host),
      port: port === 0 ? RMCP_PORT : port,
      user: credentials.user,
      password: credentials.password,
      interface: this.#options.interface ?? "lanplus",
      privilege,
      ...(cipherSuite === undefined ? {} : { cipherSuite }),
    });
  }

  #tell(quirk: string): void {
    if (this.#quirks.has(quirk)) return;
    this.#quirks.add(quirk);
    this.#options.onQuirk?.(quirk);
  }
}
