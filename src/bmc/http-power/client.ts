/**
 * The power API of virtual machines (upstream's `managementApi`, Talos' QEMU launcher): `POST /{poweron,poweroff,reboot,pxeboot}`, `GET /status`. For
 * tests, and with dice for them: calls that fail, and calls that claim to have done what they have not.
 */
import type { BmcCapabilities, BmcInventory, BootOnce, Health, PowerAction, PowerState, Sensor } from "#decide/power.ts";
import type { Clock } from "#io/clock.ts";
import type { Entropy } from "#io/entropy.ts";
import type { HttpResponse, OpenHttp } from "#io/http.ts";
import { readUint } from "#std/bytes.ts";
import { decode, flag } from "#wire/redfish/document.ts";
import type { Bmc, Console } from "../bmc.ts";
import { bmcFault, fromTransport } from "../fault.ts";

/** How often, from 0 to 1. */
export interface PowerDice {
  /** A call fails and says so (`--test-power-simulated-explicit-failure-prob`). */
  readonly explicit: number;
  /** A call does nothing and claims success (`--test-power-simulated-silent-failure-prob`). */
  readonly silent: number;
}

export interface HttpPowerOptions {
  /** `http://172.20.0.1:34791`, without a slash at the end; a path may follow. */
  readonly url: string;
  readonly open: OpenHttp;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly dice: PowerDice;
}

/** Milliseconds for one call, as upstream has it. */
const TIMEOUT = 10_000;
/** Bytes of an answer; `/status` has a few dozen. */
const MOST_BYTES = 64 * 1024;

const VERBS: Readonly<Partial<Record<PowerAction, string>>> = {
  on: "poweron",
  off: "poweroff",
  cycle: "reboot",
  reset: "reboot",
};

/** What it has taken shows in its power alone: that the next start is from the network cannot be read back. */
export function createHttpPowerBmc({ url, open, clock, entropy, dice }: HttpPowerOptions): Bmc {
  const transport = open({ server: url, connectTime: TIMEOUT, answerTime: TIMEOUT });

  /** One throw a call; at the edges never and always. */
  const thrown = (): "explicit" | "silent" | undefined => {
    if (dice.explicit <= 0 && dice.silent <= 0) return undefined;
    const draw = readUint(entropy.bytes(4), 0, 4) / 2 ** 32;
    if (draw < dice.explicit) return "explicit";
    return draw < dice.explicit + dice.silent ? "silent" : undefined;
  };

  const call = async (method: "GET" | "POST", verb: string, signal: AbortSignal): Promise<Uint8Array> => {
    const late = new AbortController();
    const timer = clock.after(TIMEOUT, () => late.abort(bmcFault("unreachable", `${url}: no answer to /${verb} within 10 s`)));
    const both = AbortSignal.any([signal, late.signal]);
    try {
      const answer = await transport.request({ method, target: `/${verb}`, signal: both });
      const bytes = await collect(answer.body);
      if (answer.status !== 200)
        throw bmcFault("refused", `${url}/${verb}: ${answer.status}`, { facts: { status: answer.status } });
      return bytes;
    } catch (error) {
      throw fromTransport(error, both);
    } finally {
      timer.cancel();
    }
  };

  const post = async (verb: string, signal: AbortSignal): Promise<void> => {
    const fate = thrown();
    if (fate === "explicit") throw simulated(verb);
    if (fate === undefined) await call("POST", verb, signal);
  };
  const cannot = (what: string): Error => bmcFault("unsupported", `the power API of virtual machines cannot ${what}`);

  return {
    protocol: "http",
    async capabilities(): Promise<BmcCapabilities> {
      const actions = Object.keys(VERBS) as PowerAction[];
      const can = { identify: false, sensors: false, console: false, virtualMedia: false };
      return { protocol: "http", actions, bootDevices: ["pxe"], ...can };
    },
    async inventory(): Promise<BmcInventory> {
      return {};
    },
    async power(signal): Promise<PowerState> {
      const fate = thrown();
      if (fate === "explicit") throw simulated("status");
      // As upstream's: something that may be wrong, and changes.
      if (fate === "silent") return Math.floor(clock.now() / 1000) % 2 === 0 ? "on" : "off";
      const isOn = flag(status(await call("GET", "status", signal), url), "PoweredOn");
      if (isOn === undefined) throw bmcFault("malformed", `${url}/status does not say PoweredOn`);
      return isOn ? "on" : "off";
    },
    async command(action, signal): Promise<void> {
      const verb = VERBS[action];
      if (verb === undefined) throw cannot(`do ${action}`);
      await post(verb, signal);
    },
    async bootOnce({ device }: BootOnce, signal): Promise<void> {
      if (device !== "pxe") throw cannot(`start a machine from ${device}`);
      await post("pxeboot", signal);
    },
    async identify(): Promise<void> {
      throw cannot("switch a light");
    },
    async health(): Promise<{ overall: Health; sensors: readonly Sensor[] }> {
      return { overall: "unknown", sensors: [] };
    },
    async console(): Promise<Console> {
      throw cannot("show a console");
    },
    async close(): Promise<void> {
      await transport.close().catch(() => {});
    },
  };
}

function simulated(verb: string): Error {
  return bmcFault("busy", `/${verb}: a failure that --test-power-simulated-explicit-failure-prob asks for`);
}

function status(bytes: Uint8Array, url: string): ReturnType<typeof decode> {
  try {
    return decode(bytes);
  } catch (cause) {
    throw bmcFault("malformed", `${url}/status: no JSON object`, { cause });
  }
}

async function collect(body: HttpResponse["body"]): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of body) {
    length += piece.length;
    if (length > MOST_BYTES) throw bmcFault("malformed", `an answer of more than ${MOST_BYTES} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
