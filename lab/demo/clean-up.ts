/** Machines that have registered are accepted, and so wiped, each by the way there is to it, until all are clean and off. */
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import type { Bmc } from "../bmc/bmc.ts";
import { followServers, headline, isServerOf } from "../life.ts";
import { createLifeBoard, type Step } from "../life-board.ts";
import type { Machine } from "../machine.ts";
import type { Screen } from "../screen.ts";
import type { Sidero } from "../sidero.ts";
import type { Site } from "../site.ts";

/** Of one machine, when it is clean and off. */
export interface Cleaned {
  readonly machine: Machine;
  readonly server: Server;
  readonly steps: readonly Step[];
  /** Seconds from acceptance to being clean and off. */
  readonly seconds: number;
}

/** Tells Sidero of a BMC as people do who have its password: in a Secret, with the address on the Server. */
export async function configureBmc(sidero: Sidero, { description }: Machine, bmc: Bmc): Promise<void> {
  const { user, password } = bmc.description;
  const name = `${description.name}-bmc`;
  const key = (field: string): string => `{ secretKeyRef: { namespace: default, name: ${name}, key: ${field} } }`;
  await sidero.apply(`
apiVersion: v1
kind: Secret
metadata: { name: ${name}, namespace: default }
stringData: { user: ${user}, pass: ${password} }
`);
  const patch = `spec: { bmc: { endpoint: ${bmc.address}, userFrom: ${key("user")}, passFrom: ${key("pass")} } }`;
  await sidero.kubectl("patch", "server", description.uuid!, "--type=merge", "-p", patch);
}

export async function accept(sidero: Sidero, { description }: Machine): Promise<void> {
  await sidero.kubectl("patch", "server", description.uuid!, "--type=merge", "-p", "spec: { accepted: true }");
}

/** Accepts all and resolves when they are clean and off; throws when one is not after so many seconds, with what it waits for. */
export async function cleanUp({ sidero, machines }: Site, screen: Screen, seconds: number): Promise<readonly Cleaned[]> {
  const board = createLifeBoard(screen, machines);
  const servers = new Map<Machine, Server>();
  const watching = followServers(sidero, (server) => {
    const machine = machines.find((each) => isServerOf(server, each));
    if (machine !== undefined) servers.set(machine, server);
    board.take(server);
  });
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const states = machines.map((machine) => {
      const moment = board.moment(machine);
      return `  ${machine.description.name}: ${moment === undefined ? "no Server" : headline(moment)}`;
    });
    late.reject(new Error(`not all machines are clean and off within ${seconds} s:\n${states.join("\n")}`));
  }, seconds * 1000);
  try {
    for (const machine of machines) await accept(sidero, machine);
    const clean = machines.map(async (machine) => {
      const taken = await board.rested(machine);
      return { machine, server: servers.get(machine)!, steps: board.steps(machine), seconds: taken };
    });
    return await Promise.race([Promise.all(clean), late.promise]);
  } finally {
    clearTimeout(timer);
    board.close();
    await watching.stop();
  }
}
