/** The serial console as a payload of the session (IPMI 2.0 §24). */
import { command, done } from "../command.ts";
import { APP, NET_FN, PAYLOAD } from "../constants.ts";

export interface ActivatePayload {
  /** 1 to 15. */
  readonly instance: number;
  readonly encrypted: boolean;
  readonly authenticated: boolean;
}

export interface ActivePayload {
  /** The most bytes of a payload to and from the BMC. */
  readonly inboundSize: number;
  readonly outboundSize: number;
  readonly port: number;
}

/** §24.1, for the serial console. */
export const activatePayload = command<ActivatePayload, ActivePayload>({
  name: "Activate Payload",
  netFn: NET_FN.app,
  command: APP.activatePayload,
  ask: ({ instance, encrypted, authenticated }) => [
    PAYLOAD.sol,
    instance,
    // Serial alerts fail while the console is open.
    (encrypted ? 0x80 : 0) | (authenticated ? 0x40 : 0),
    0,
    0,
    0,
  ],
  read: (reader) => {
    reader.skip(4);
    return { inboundSize: reader.uint(2), outboundSize: reader.uint(2), port: reader.uint(2) };
  },
  completions: {
    0x80: ["busy", "another session has the console"],
    0x81: ["unsupported", "the console is disabled"],
    0x82: ["busy", "as many consoles are open as it can have"],
    0x83: ["refused", "it does not encrypt the console"],
    0x84: ["refused", "it has the console encrypted only"],
  },
});

/** §24.2 */
export const deactivatePayload = command<{ readonly instance: number }, void>({
  name: "Deactivate Payload",
  netFn: NET_FN.app,
  command: APP.deactivatePayload,
  ask: ({ instance }) => [PAYLOAD.sol, instance, 0, 0, 0, 0],
  read: done,
  completions: {
    0x80: ["refused", "the console is not open"],
    0x81: ["unsupported", "the console is disabled"],
  },
});
