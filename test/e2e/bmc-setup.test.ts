/** A real kernel's /dev/ipmi0, OpenIPMI's BMC behind it, and ipmitool outside: the agent makes an account, Sidero proves it, and changes its password. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import { bmcOf, describe } from "../../lab/description.ts";
import { inside, output } from "../../lab/command.ts";
import type { Machine } from "../../lab/machine.ts";
import type { Site } from "../../lab/site.ts";
import { recorded, siteFor, skip } from "./fixture.ts";

interface Account {
  readonly user: string;
  readonly password: string;
}

async function serverOf({ sidero }: Site, { description }: Machine): Promise<Server> {
  return JSON.parse(await sidero.kubectl("get", "server", description.uuid!, "-o", "json")) as Server;
}

async function accountOf({ sidero }: Site, { description }: Machine): Promise<Account> {
  const text = await sidero.kubectl("-n", "racks", "get", "secret", `${description.uuid!}-bmc`, "-o", "json");
  const { data } = JSON.parse(text) as { data: Record<string, string> };
  assert.deepEqual(Object.keys(data).toSorted(), ["pass", "user"], "nothing is left pending");
  return { user: atob(data["user"]!), password: atob(data["pass"]!) };
}

/** ipmitool from outside, as whoever it is; rejects when it cannot log in. */
function ask(site: Site, address: string, { user, password }: Account, ...words: string[]): Promise<string> {
  const session = ["-I", "lanplus", "-C", "3", "-N", "2", "-R", "1", "-H", address, "-U", user, "-P", password];
  return output(...inside(site.network.namespace, "ipmitool", [...session, ...words]));
}

async function until<T>(what: string, seconds: number, look: () => Promise<T | undefined>): Promise<T> {
  for (const deadline = performance.now() + seconds * 1000; performance.now() < deadline; await setTimeout(500)) {
    const found = await look();
    if (found !== undefined) return found;
  }
  throw new Error(`${what} does not come in ${seconds} s`);
}

test("an account is made from within the machine, proven from without, and gets another password", { skip }, async (context) => {
  const flags = { "auto-accept-servers": "true", "bmc-secret-namespace": "racks" };
  const site = await siteFor(context, "bmc-setup", { machines: [describe(1, { bmc: bmcOf(1) })], dhcp: "server", flags });
  const machine = site.machines[0]!;
  const bmc = site.bmcs.get(machine)!;
  await site.sidero.kubectl("create", "namespace", "racks");
  await machine.on();
  await recorded(site, machine, "its registration", 60, ({ status }) => status?.phase === "registered");
  const spec = await until("a way to its BMC", 120, async () => {
    const { spec: found } = await serverOf(site, machine);
    return found?.bmc === undefined ? undefined : found;
  });
  const from = (key: string) => ({ secretKeyRef: { namespace: "racks", name: `${machine.description.uuid!}-bmc`, key } });
  assert.deepEqual(spec.bmc, { endpoint: bmc.address, port: 623, userFrom: from("user"), passFrom: from("pass") });

  const account = await accountOf(site, machine);
  assert.equal(account.user, "sidero");
  assert.match(account.password, /^[A-Za-z2-9]{16}$/);
  assert.match(await ask(site, bmc.address, account, "chassis", "power", "status"), /Chassis Power is/);
  await assert.rejects(ask(site, bmc.address, { ...account, password: "wrong" }, "chassis", "power", "status"));
  const users = await bmc.ipmitool("user", "list", "1");
  assert.match(users, /^\d+\s+sidero\s+.*ADMINISTRATOR\s*$/m);
  assert.match(users, /^2\s+admin\s+/m, "the account of the people there stays");

  // From here on the fleet switches it with that account: wiped, it is off.
  await until("a clean machine that is off", 240, async () => {
    const { status } = await serverOf(site, machine);
    return (status?.phase === "Available" && status.power === "off") || undefined;
  });

  // A person asks for another password; the agent has to be there for it.
  const request = async (verb: string): Promise<string> => {
    const value = `${verb} ${++nonce}`;
    await site.sidero.kubectl(
      "annotate",
      "--overwrite",
      "server",
      machine.description.uuid!,
      `metal.sidero.dev/request=${value}`,
    );
    return until(`an answer to ${value}`, 60, async () => {
      const handled = (await serverOf(site, machine)).status?.request;
      return handled?.value === value ? handled.outcome : undefined;
    });
  };
  let nonce = 0;
  await request("power-on");
  await until("an agent to tell", 240, async () => (await request("rotate-bmc-password")) === "its agent was told" || undefined);
  const next = await until("another account", 120, async () => {
    const found = await accountOf(site, machine).catch(() => account);
    return found.password === account.password ? undefined : found;
  });
  assert.equal(next.user, "sidero2");
  assert.match(await ask(site, bmc.address, next, "chassis", "power", "status"), /Chassis Power is/);
  await until("the end of the old account", 60, () =>
    ask(site, bmc.address, account, "chassis", "power", "status").then(
      () => undefined,
      () => true,
    ),
  );
  for (const { password } of [account, next]) {
    assert.ok(!machine.serial.tail().includes(password), "no password on the machine's console");
    assert.ok(!site.sidero.child.log().includes(password), "nor in the log");
  }
});
