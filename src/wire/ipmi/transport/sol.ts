/** How the serial console is set up (IPMI 2.0 §26.2, §26.3). */
import { command, done } from "../command.ts";
import { NET_FN, TRANSPORT } from "../constants.ts";
import { Reader } from "../reader.ts";
import { CONFIGURATION_COMPLETIONS } from "./lan.ts";
import type { ParameterQuestion, ParameterValue } from "./lan.ts";

/** §26.3, table 26-5 */
export const SOL_PARAMETER = {
  setInProgress: 0,
  enable: 1,
  authentication: 2,
  accumulation: 3,
  retry: 4,
  storedBitRate: 5,
  volatileBitRate: 6,
  channel: 7,
  port: 8,
} as const;

export const getSolParameter = command<ParameterQuestion, Uint8Array>({
  name: "Get SOL Configuration Parameters",
  netFn: NET_FN.transport,
  command: TRANSPORT.getSolConfiguration,
  ask: ({ channel, parameter, set = 0, block = 0 }) => [channel, parameter, set, block],
  read: (reader) => {
    reader.skip(1);
    return reader.rest();
  },
  completions: CONFIGURATION_COMPLETIONS,
});

export const setSolParameter = command<ParameterValue, void>({
  name: "Set SOL Configuration Parameters",
  netFn: NET_FN.transport,
  command: TRANSPORT.setSolConfiguration,
  ask: ({ channel, parameter, data }) => [channel, parameter, ...data],
  read: done,
  completions: CONFIGURATION_COMPLETIONS,
});

export interface SolAuthentication {
  readonly forcesEncryption: boolean;
  readonly forcesAuthentication: boolean;
  /** The least that opens the console. */
  readonly privilege: number;
}

/** Parameter 2. */
export function readSolAuthentication(data: Uint8Array): SolAuthentication {
  const byte = new Reader(data, "SOL parameter (authentication)").byte();
  return { forcesEncryption: (byte & 0x80) !== 0, forcesAuthentication: (byte & 0x40) !== 0, privilege: byte & 0x0f };
}

/** Parameter 1. */
export function readSolEnable(data: Uint8Array): boolean {
  return (new Reader(data, "SOL parameter (enable)").byte() & 0x01) !== 0;
}
