/**
 * Passwords that were on their way to a BMC when somebody died: its agent, its power, or this process. The machine may have the new one by now, and what its
 * Server refers to may not work any more. Whatever is on record is tried, and what works becomes the Server's way, without the machine having to come back.
 */
import type { Clock } from "#io/clock.ts";
import type { Log } from "#io/log.ts";
import { Fault } from "#std/fault.ts";
import type { BmcAccounts } from "./bmc.ts";
import type { Registry } from "./registry.ts";

/** Milliseconds after which an agent that said nothing more is taken for gone, and between two attempts to reach a BMC. */
const LATER = 300_000;
/** Then a person, or the machine's next boot, has to do it. */
const ATTEMPTS = 12;

export interface BmcHealerOptions {
  readonly registry: Registry;
  readonly accounts: Pick<BmcAccounts, "heal">;
  readonly namespace: string;
  readonly clock: Clock;
  readonly log: Log;
}

export interface BmcHealer {
  /** A password of this Server's BMC is under way: looks in a while whether it has arrived. */
  watch(server: string): void;
  /** Begins with what an earlier process has left. Never rejects. */
  start(): Promise<void>;
}

export function createBmcHealer({ registry, accounts, namespace, clock, log }: BmcHealerOptions): BmcHealer {
  const watched = new Set<string>();

  async function heal(name: string, attempt: number): Promise<void> {
    try {
      const server = await registry.server(name);
      if (server === undefined) return;
      const outcome = await accounts.heal(server);
      if (outcome === "healed") log.info("a BMC has the password that was on its way to it", { server: name });
      if (outcome === "denied") log.warn("a BMC takes no password that is on record; its machine has to boot", { server: name });
      if (outcome === "unreachable") again(name, attempt + 1);
    } catch (error) {
      log.warn("cannot look after a BMC's password", { server: name, because: Fault.from(error).message });
      again(name, attempt + 1);
    }
  }

  function again(name: string, attempt: number): void {
    if (watched.has(name) || attempt > ATTEMPTS) return;
    watched.add(name);
    clock.after(LATER, () => {
      watched.delete(name);
      void heal(name, attempt);
    });
  }

  return {
    watch: (name) => again(name, 1),
    async start() {
      try {
        for (const name of await registry.pendingAccounts(namespace)) await heal(name, 1);
      } catch (error) {
        log.warn("cannot look for BMCs whose password was being changed", { namespace, because: Fault.from(error).message });
        clock.after(LATER, () => void this.start());
      }
    },
  };
}
