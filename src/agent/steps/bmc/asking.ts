/** Asking the machine's own BMC: what it may refuse, and what is asked again because it was busy. */
import type { Clock } from "#io/clock.ts";
import { sleep } from "#io/clock.ts";
import type { IpmiDevice } from "#io/ipmi-device.ts";
import { Fault } from "#std/fault.ts";
import { call } from "#wire/ipmi/command.ts";
import type { Command } from "#wire/ipmi/command.ts";

/** Attempts at a command that finds the BMC busy (it writes its flash, or starts), and milliseconds before the second one; then doubled. */
const ATTEMPTS = 6;
const PAUSE = 250;

export interface Asking {
  /** Rejects with `ipmi.refused`, `ipmi.unsupported`, `ipmi.denied`, `ipmi.busy` or `ipmi.malformed`, or as {@link IpmiDevice.request} does. */
  ask<Question, Answer>(about: Command<Question, Answer>, question: Question): Promise<Answer>;
  /** The same of what a BMC need not know or do: undefined when it says no. */
  tryTo<Question, Answer>(about: Command<Question, Answer>, question: Question): Promise<Answer | undefined>;
}

export function createAsking(device: IpmiDevice, clock: Clock, signal: AbortSignal): Asking {
  const ask: Asking["ask"] = async (about, question) => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await call(device, about, question, signal);
      } catch (error) {
        if (!Fault.is(error, "ipmi.busy") || attempt === ATTEMPTS) throw error;
        await sleep(clock, PAUSE * 2 ** (attempt - 1), signal);
      }
    }
  };
  return {
    ask,
    tryTo: async (about, question) => {
      try {
        return await ask(about, question);
      } catch (error) {
        if (isRefusal(error)) return undefined;
        throw error;
      }
    },
  };
}

/** The BMC was asked and said no, or nothing that makes sense: the next question may well be answered. */
export function isRefusal(error: unknown): boolean {
  return Fault.is(error) && error.code.startsWith("ipmi.") && error.code !== "ipmi.unreachable";
}
