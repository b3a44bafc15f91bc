/** The calls of our own agent while it sets its machine's BMC up. */
import type { ServiceImpl } from "@connectrpc/connect";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import { BmcStanding } from "#proto/sidero/agent/v1/machine_pb.js";
import type { Machine } from "#proto/sidero/agent/v1/machine_pb.js";
import type { BmcAccounts, Offered } from "./bmc.ts";
import type { Boot } from "./boots.ts";
import { refusal } from "./faults.ts";
import type { Guard } from "./guard.ts";
import { clean } from "./hardware.ts";
import type { Registry } from "./registry.ts";

export interface BmcCallsOptions {
  readonly guard: Guard;
  readonly registry: Registry;
  /** Undefined: nobody can log in at BMCs here, and no machine is asked to set one up. */
  readonly accounts: BmcAccounts | undefined;
  /** Name of the boot's Server. Fault `agent.not-registered`. */
  readonly serverOf: (boot: Boot) => string;
}

const STANDINGS: Readonly<Record<Offered["standing"], BmcStanding>> = {
  none: BmcStanding.NONE,
  works: BmcStanding.WORKS,
  denied: BmcStanding.DENIED,
  unreachable: BmcStanding.UNREACHABLE,
};
const LONGEST = 512;

export function createBmcCalls(options: BmcCallsOptions): Pick<ServiceImpl<typeof Machine>, "offerBmc" | "prepareBmc"> {
  const { guard, registry, accounts, serverOf } = options;

  async function own(boot: Boot): Promise<{ readonly server: Server; readonly accounts: BmcAccounts }> {
    if (accounts === undefined) throw refusal("agent.not-wanted", "nobody can log in at BMCs here");
    const name = serverOf(boot);
    const server = await registry.server(name);
    if (server === undefined) throw refusal("agent.not-registered", `there is no Server ${name}; call CreateServer first`);
    return { server, accounts };
  }

  return {
    offerBmc: guard.bootMethod(async ({ addresses, description }, boot) => {
      const { server, accounts: known } = await own(boot);
      const { standing, user, detail } = await known.offer(server, boot, addresses);
      const found = clean(description).slice(0, LONGEST);
      guard.saw(boot, { what: "agent.step", text: `bmc: ${found}; ${detail}` });
      return { standing: STANDINGS[standing], user, detail };
    }),
    prepareBmc: guard.bootMethod(async ({ user, pass }, boot) => {
      const { server, accounts: known } = await own(boot);
      await known.prepare(server, boot, { user, password: pass });
      return {};
    }),
  };
}
