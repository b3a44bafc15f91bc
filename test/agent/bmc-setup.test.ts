/** The BMC is set up from within its machine, whatever its maker's habits are; and whenever it is interrupted, nobody is locked out. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Fault } from "#std/fault.ts";
import { BmcModel } from "./bmc-model.ts";
import type { Habits } from "./bmc-model.ts";
import { Killed, Rig } from "./bmc-rig.ts";

const MAKERS: Readonly<Record<string, Partial<Habits>>> = {
  "a plain one": {},
  "HPE iLO 5: names of free users are text": { manufacturer: 47196, empty: "text", users: 13 },
  "Dell iDRAC: the first two users are fixed": { manufacturer: 674, fixedNames: 2, users: 16, rule: /[-_.]/ },
  "locked numbers that do not say so": { locked: [3, 4] },
  "names that it refuses to tell": { empty: "refusal", manufacturer: 20974 },
  "a fresh flash": { empty: "ff" },
  "all classes wanted, of an unknown maker": { manufacturer: 9, rule: /[-_.]/ },
  "busy every third time": { busyEvery: 3 },
  "no payloads, no channel access, no LAN parameters to set": { unknown: ["6 76", "6 64", "6 65"] },
  "special characters are lost in storing, which it tells": {
    manufacturer: 674,
    store: (password) => password.replace(/[-_.]/g, ""),
  },
  "twenty characters wanted": { manufacturer: 9, rule: /^.{20}$/ },
};

for (const [name, habits] of Object.entries(MAKERS)) {
  test(`set up, kept, changed and set up again: ${name}`, async () => {
    const rig = new Rig(new BmcModel(habits));
    assert.match(await rig.attempt(), /the account sidero was made, and the server has logged in with it at 10\.0\.0\.9/);
    assert.ok(await rig.isDone());
    const { pass } = rig.secret!;
    assert.deepEqual(Object.keys(rig.secret!).toSorted(), ["pass", "user"]);
    assert.deepEqual(rig.server.spec?.bmc, {
      endpoint: "10.0.0.9",
      port: 623,
      userFrom: { secretKeyRef: { namespace: "default", name: `${rig.server.metadata.name}-bmc`, key: "user" } },
      passFrom: { secretKeyRef: { namespace: "default", name: `${rig.server.metadata.name}-bmc`, key: "pass" } },
    });
    // Another boot: nothing is changed.
    rig.bmc.requests.length = 0;
    assert.equal(await rig.attempt(), "the account sidero works");
    assert.deepEqual(rig.secret, { user: "sidero", pass });
    assert.ok(!rig.bmc.requests.includes("6 71"), "no password was touched");
    assert.match(await rig.attempt(true), /the account sidero2 was made/);
    assert.ok((await rig.isDone()) && rig.secret["pass"] !== pass);
    assert.deepEqual(rig.bmc.open, ["ADMIN", "sidero2"], "the old account is closed");
    // Somebody resets the BMC.
    for (const user of rig.bmc.users.slice(3)) user.isEnabled = false;
    assert.match(await rig.attempt(), /was made/);
    assert.ok(await rig.isDone());
    assert.ok(!rig.lines.join().includes(pass!) && !rig.events.join().includes(pass!));
  });
}

test("room for one account only: its password is changed in place", async () => {
  const rig = new Rig(new BmcModel({ users: 3 }));
  await rig.attempt();
  const { pass } = rig.secret!;
  assert.match(await rig.attempt(true), /the account sidero was made/);
  assert.ok((await rig.isDone()) && rig.secret!["pass"] !== pass);
  assert.deepEqual(Object.keys(rig.secret!).toSorted(), ["pass", "user"]);
});

test("no room at all is said, and nobody's account is taken", async () => {
  const bmc = new BmcModel({ users: 3 });
  bmc.put(3, "alice", "hers");
  const rig = new Rig(bmc);
  await assert.rejects(rig.attempt(), /no room for another user \(2 besides the anonymous one\)/);
  assert.deepEqual(bmc.open, ["ADMIN", "alice"]);
  assert.equal(rig.server.spec?.bmc, undefined);
});

test("DHCP that takes its time is waited for; none at all is said", async () => {
  const slow = new Rig(new BmcModel({ addressAfter: 3 }));
  assert.match(await slow.attempt(), /was made/);
  const never = new Rig(new BmcModel({ addressAfter: 1e9 }));
  await assert.rejects(never.attempt(), /the BMC has no address: channel 1 \(02:00:00:00:00:01\) waits for DHCP/);
  assert.equal(never.server.spec?.bmc, undefined);
});

test("the address that the server gets through to is the one, whichever channel it is of", async () => {
  const rig = new Rig(
    new BmcModel({}, [
      [1, "10.0.0.9"],
      [8, "192.168.7.9"],
    ]),
  );
  rig.bmc.reachable = new Set(["192.168.7.9"]);
  await rig.attempt();
  assert.equal(rig.server.spec?.bmc?.endpoint, "192.168.7.9");
});

test("an account that the server cannot log in with counts for nothing, and is found when it can", async () => {
  const rig = new Rig(new BmcModel());
  rig.bmc.reachable = new Set();
  await assert.rejects(rig.attempt(), (fault) => Fault.is(fault, "agent.bmc") && /no answer/.test(fault.message));
  assert.equal(rig.server.spec?.bmc, undefined);
  assert.ok(!(await rig.isDone()));
  rig.bmc.reachable = undefined;
  rig.bmc.requests.length = 0;
  assert.equal(await rig.attempt(), "the account sidero works");
  assert.ok(await rig.isDone());
  assert.ok(!rig.bmc.requests.includes("6 71"), "the password was on record, and is not set again");
});

test("a password is not changed while the server does not reach the BMC: it could not prove the new one", async () => {
  const rig = new Rig(new BmcModel());
  await rig.attempt();
  const before = { ...rig.secret };
  rig.bmc.reachable = new Set();
  await assert.rejects(rig.attempt(true), /does not reach the BMC/);
  assert.deepEqual(rig.secret, before);
  rig.bmc.reachable = undefined;
  assert.ok(await rig.isDone());
});

test("a closed channel and closed cipher suites are opened, others' suites stay", async () => {
  const rig = new Rig(new BmcModel());
  rig.bmc.access.set(1, [0x00, 2]);
  await rig.attempt();
  assert.deepEqual(rig.bmc.levels.slice(0, 3), [0, 4, 4]);
  assert.deepEqual(
    rig.bmc.access.get(1)?.map((byte) => byte & 0x07),
    [2, 4],
  );
  assert.ok(rig.bmc.users.find(({ name }) => Buffer.from(name).toString().startsWith("sidero"))?.sol);
});

test("a machine without a BMC is no failure", async () => {
  const rig = new Rig(new BmcModel({}, []));
  await assert.rejects(rig.attempt(), (fault) => Fault.is(fault, "agent.bmc") && fault.retry === "never");
});

/** First set-up, then a new password, on a BMC with room for two and on one with room for one: killed before and after every single effect. */
for (const users of [10, 3]) {
  for (const rotate of [false, true]) {
    const what = `${rotate ? "a new password" : "the first account"}, room for ${users - 2}`;
    test(`killed anywhere, nobody is locked out, and the next attempt ends well: ${what}`, async () => {
      const prepared = async (): Promise<Rig> => {
        const rig = new Rig(new BmcModel({ users }));
        if (rotate) await rig.attempt();
        rig.effects = 0;
        return rig;
      };
      const whole = await prepared();
      await whole.attempt(rotate);
      assert.ok(whole.effects > 20, `${whole.effects} effects`);
      for (let effect = 0; effect < whole.effects; effect++) {
        for (const [when, heals] of [
          ["before", false],
          ["before", true],
          ["after", false],
          ["after", true],
        ] as const) {
          const rig = await prepared();
          const at = `${when} effect ${effect} of ${whole.effects}`;
          rig.killAt = { effect, when };
          await assert.rejects(rig.attempt(rotate), (error) => error instanceof Killed || Fault.is(error, "agent.bmc"), at);
          rig.killAt = undefined;
          if (rotate) assert.ok((await rig.working("10.0.0.9")).length > 0, `${at}: nothing on record logs in`);
          // The server alone mends it: the machine need not come back for its power to be in hand.
          if (heals) await rig.heal();
          if (heals && rotate) assert.ok(await rig.isDone(), `${at}: not mended`);
          if (rig.server.spec?.bmc !== undefined)
            assert.ok((await rig.working("10.0.0.9")).length > 0, `${at}: the way does not work`);
          await rig.attempt(rotate);
          assert.ok(await rig.isDone(), `${at}: the next attempt`);
          assert.deepEqual(Object.keys(rig.secret!).toSorted(), ["pass", "user"], at);
          assert.deepEqual(rig.bmc.open, ["ADMIN", rig.secret!["user"]], `${at}: one account of ours`);
        }
      }
    });
  }
}
