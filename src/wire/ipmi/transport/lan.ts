/** How the BMC is on the network: reading and setting LAN configuration parameters (IPMI 2.0 §23.1, §23.2). */
import { command, done } from "../command.ts";
import type { CompletionTexts } from "../completion.ts";
import { NET_FN, TRANSPORT } from "../constants.ts";

export const CONFIGURATION_COMPLETIONS: CompletionTexts = {
  0x80: ["unsupported", "it does not know the parameter"],
  0x81: ["busy", "somebody else is setting parameters"],
  0x82: ["refused", "the parameter can only be read"],
  0x83: ["refused", "the parameter can only be written"],
};

export interface ParameterQuestion {
  readonly channel: number;
  /** As in LAN_PARAMETER or SOL_PARAMETER. */
  readonly parameter: number;
  /** Which of several, such as the number of an IPv6 address. */
  readonly set?: number;
  readonly block?: number;
}

/** Resolves to the parameter's value; `lan-parameter.ts` reads it. */
export const getLanParameter = command<ParameterQuestion, Uint8Array>({
  name: "Get LAN Configuration Parameters",
  netFn: NET_FN.transport,
  command: TRANSPORT.getLanConfiguration,
  ask: ({ channel, parameter, set = 0, block = 0 }) => [channel, parameter, set, block],
  read: (reader) => {
    reader.skip(1);
    return reader.rest();
  },
  completions: CONFIGURATION_COMPLETIONS,
});

export interface ParameterValue {
  readonly channel: number;
  readonly parameter: number;
  readonly data: Iterable<number>;
}

export const setLanParameter = command<ParameterValue, void>({
  name: "Set LAN Configuration Parameters",
  netFn: NET_FN.transport,
  command: TRANSPORT.setLanConfiguration,
  ask: ({ channel, parameter, data }) => [channel, parameter, ...data],
  read: done,
  completions: CONFIGURATION_COMPLETIONS,
});
