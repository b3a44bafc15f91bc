/** A machine's BMC by Redfish (DSP0266, DSP0268). */
import type { BmcCapabilities, BmcInventory, BootOnce, PowerAction, PowerState } from "#decide/power.ts";
import type { Clock } from "#io/clock.ts";
import type { OpenHttp } from "#io/http.ts";
import type { Log } from "#io/log.ts";
import type { SecureBoot } from "#wire/redfish/secure-boot.ts";
import type { Bmc, Console, Credentials } from "../bmc.ts";
import { bootOnce } from "./boot.ts";
import { type Subscription, subscribe } from "./events.ts";
import { createExchange } from "./exchange.ts";
import { bmcFault } from "../fault.ts";
import { identify } from "./light.ts";
import { explore, type ServiceMap } from "./map.ts";
import { ejectMedia, insertMedia } from "./media.ts";
import { createPin } from "./pin.ts";
import { command, readPower } from "./power.ts";
import { readCapabilities, readHealth, readInventory } from "./reading.ts";
import { Resources } from "./resources.ts";
import { secureBoot, setSecureBoot } from "./secure-boot.ts";
import { Session } from "./session.ts";

export interface RedfishOptions {
  /** `https://192.0.2.1` or `http://[2001:db8::1]:8000`: without a path. */
  readonly server: string;
  /** `/redfish/v1/Systems/1`; absent: the only one there is. */
  readonly system?: string | undefined;
  /** Who made it, as far as its address says (`idrac-redfish://…`). */
  readonly vendor?: "dell" | "hpe" | undefined;
  /** Absent: the service asks for none. */
  readonly credentials?: Credentials | undefined;
  /** SHA-256 of the certificate it must show (`spec.bmc.fingerprint`), lower-case hexadecimal. */
  readonly expected?: string | undefined;
  /** The one that was taken when it was first seen (`status.bmc.fingerprint`). */
  readonly known?: string | undefined;
  readonly onPin?: ((fingerprint: string) => void) | undefined;
  /** PEM of the authorities that may have signed it; absent: the system's. */
  readonly ca?: string | undefined;
  readonly open: OpenHttp;
  readonly clock: Clock;
  readonly log: Log;
  /** Milliseconds for one request and its whole answer. Default 30 s: controllers are slow. */
  readonly timeout?: number;
}

/** What Redfish can besides what all BMCs can. Media is `bootOnce` with `cd` and a URL as well. */
export interface RedfishBmc extends Bmc {
  secureBoot(signal: AbortSignal): Promise<SecureBoot>;
  setSecureBoot(on: boolean, signal: AbortSignal): Promise<void>;
  insertMedia(image: string, signal: AbortSignal): Promise<void>;
  ejectMedia(signal: AbortSignal): Promise<void>;
  /** Path of the subscription, to end it with. */
  subscribe(subscription: Subscription, signal: AbortSignal): Promise<string>;
  unsubscribe(subscription: string, signal: AbortSignal): Promise<void>;
}

const VENDORS = { dell: "Dell", hpe: "HPE" } as const;
const TIMEOUT = 30_000;
const CONNECT_TIME = 10_000;
/** Milliseconds that ending the session may take. */
const CLOSE_TIME = 5000;
/** Milliseconds for which it is known where everything is. */
const MAP_AGE = 3_600_000;

/** Nothing is asked before the first call; what is where is then found once. */
export function createRedfishBmc(options: RedfishOptions): RedfishBmc {
  const { server, system, credentials, expected, known, onPin, ca, open, clock, log, timeout = TIMEOUT } = options;
  const vendor = options.vendor && VENDORS[options.vendor];
  const transport = open({
    server,
    judge: createPin({ name: server, expected, known, log, onPin }),
    connectTime: CONNECT_TIME,
    answerTime: timeout,
    ...(ca === undefined ? {} : { ca }),
  });
  const exchange = createExchange({ server, transport, clock, timeout });
  const session = new Session(exchange, credentials);
  const resources = new Resources(exchange, session, clock);
  let map: ServiceMap | undefined;
  let exploredAt = 0;

  /** One call at a time, so that two never explore at once. */
  const explored = async (signal: AbortSignal): Promise<ServiceMap> => {
    if (map !== undefined) return map;
    exploredAt = clock.monotonic();
    return (map = await explore(resources, session, { server, system, vendor }, signal));
  };

  return {
    protocol: "redfish",
    async capabilities(signal): Promise<BmcCapabilities> {
      // Whoever asks for them wants to know what it is now; its firmware may be another one.
      if (clock.monotonic() - exploredAt > MAP_AGE) map = undefined;
      return readCapabilities(resources, await explored(signal), signal);
    },
    async inventory(signal): Promise<BmcInventory> {
      return readInventory(resources, await explored(signal), signal);
    },
    async power(signal): Promise<PowerState> {
      return readPower(resources, await explored(signal), signal);
    },
    async command(action: PowerAction, signal): Promise<void> {
      await command(resources, await explored(signal), clock, action, signal);
    },
    async bootOnce(boot: BootOnce, signal): Promise<void> {
      await bootOnce(resources, await explored(signal), clock, boot, signal);
    },
    async identify(on, signal): Promise<void> {
      await identify(resources, await explored(signal), clock, on, signal);
    },
    async health(signal) {
      return readHealth(resources, await explored(signal), signal);
    },
    async console(signal): Promise<Console> {
      const ways = (await explored(signal)).controllers.flatMap(({ controller }) => controller.console);
      const offered = ways.length === 0 ? "its controller offers none" : `its controller offers ${ways.join(", ")}`;
      throw bmcFault("unsupported", `Redfish has no serial console of its own: ${offered}`, { facts: { ways } });
    },
    async secureBoot(signal) {
      return secureBoot(resources, await explored(signal), signal);
    },
    async setSecureBoot(on, signal) {
      await setSecureBoot(resources, await explored(signal), on, signal);
    },
    async insertMedia(image, signal) {
      await insertMedia(resources, await explored(signal), clock, image, signal);
    },
    async ejectMedia(signal) {
      await ejectMedia(resources, await explored(signal), signal);
    },
    async subscribe(subscription, signal) {
      return subscribe(resources, await explored(signal), subscription, signal);
    },
    async unsubscribe(subscription, signal) {
      await explored(signal);
      await resources.delete(subscription, signal);
    },
    async close(): Promise<void> {
      const late = new AbortController();
      const timer = clock.after(CLOSE_TIME, () => late.abort(bmcFault("unreachable", "the session was not ended in time")));
      try {
        await session.close(late.signal);
      } catch (error) {
        log.debug("a session of a BMC was left to expire", { bmc: server, error });
      } finally {
        timer.cancel();
        await transport.close().catch(() => {});
      }
    },
  };
}
