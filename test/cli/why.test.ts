/** `sidero why` and `sidero waiting` word for word, on Servers of an API server in this process. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { waiting, why } from "#cli/why.ts";
import { MetalMachine } from "#kinds/infrastructure/v1alpha3/metal-machine.ts";
import { BootRecord, MACHINE_LABEL } from "#kinds/metal/v1alpha2/boot-record.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import { Fault } from "#std/fault.ts";
import { startWorld, type World } from "../kube/world.ts";

const NOW = Date.UTC(2030, 0, 1, 12);
const A = "4c4c4544-0042-4810-8056-b4c04f395931";
const B = "4c4c4544-0043-4810-8056-b4c04f395932";
const at = (seconds: number): string => new Date(NOW - seconds * 1000).toISOString().replace(/\.\d+/, "");

let world: World;

before(async () => {
  world = await startWorld();
  const servers = world.client.for(Server);
  const hardware = { network: { interfaces: [{ name: "eth0", mac: "52:54:00:00:00:01" }] } };
  const a = await servers.create({ metadata: { name: A }, spec: { accepted: true, hostname: "rack1-07", hardware } });
  await servers.update(
    {
      ...a,
      status: {
        phase: "Wiping",
        power: "on",
        addresses: [{ type: "InternalIP", address: "10.77.0.11" }],
        waiting: {
          reason: "AgentStarting",
          waitingFor: "the agent to come up",
          since: at(90),
          deadline: at(-1110),
          next: "it is started again, attempt 2 of 5",
          remedy: "look at its console (sidero console)",
        },
        bmc: {
          way: "bmc",
          protocol: "ipmi",
          manufacturer: "Dell Inc.",
          breaker: "open",
          failures: 3,
          error: "no answer from 10.0.0.5:623 in 5 s",
          retryAt: at(-30),
        },
        action: { id: "o1", do: "boot-agent", because: "it is to be wiped", state: "running", startedAt: at(95), attempts: 2 },
        wipe: {
          id: "w1",
          reason: "it was accepted",
          by: "acceptance",
          orderedAt: at(100),
          state: "started",
          attempts: 2,
          disks: [
            { name: "nvme0n1", state: "done", method: "nvme-format-crypto", verified: true },
            { name: "sda", state: "wiping", percent: 40, method: "zeroes" },
            { name: "sdb", state: "failed", detail: "held by md0" },
          ],
        },
        request: { value: "wipe 7", outcome: "refused: it is being wiped already", at: at(60) },
      },
    },
    { subresource: "status" },
  );
  await servers.create({ metadata: { name: B }, spec: { accepted: false } });
  const machine = { metadata: { name: "m-1", namespace: "default" }, spec: { serverRef: { name: A } } };
  await world.client.for(MetalMachine).in("default").create(machine);
  const records = world.client.for(BootRecord);
  const metadata = { name: "mac-525400000009.20300101-115900", labels: { [MACHINE_LABEL]: "mac-525400000009" } };
  const record = await records.create({ metadata, spec: { machine: "mac-525400000009", macs: ["52:54:00:00:00:09"] } });
  const sightings = [{ time: at(60), what: "dhcp.discover", text: "BIOS asks for an address" }];
  await records.update(
    {
      ...record,
      status: { phase: "dhcp", startedAt: at(60), lastSeenAt: at(60), duration: "0s", sightings, next: "a boot program" },
    },
    { subresource: "status" },
  );
});
after(() => world.stop());

async function said(work: typeof waiting): Promise<string> {
  const lines: string[] = [];
  await work({ client: world.client, print: (line) => lines.push(line), style: (_how, text) => text, now: () => NOW });
  return lines.join("\n");
}

test("it says all that is known, by whatever the machine is called", async () => {
  const text = await said((terminal) => why(A, terminal));
  assert.equal(
    text,
    `
${A}  rack1-07
  state    Wiping
  waits    for the agent to come up, since 2030-01-01 11:58:30 (1m30s ago) (AgentStarting)
  until    2030-01-01 12:18:30, in 18m30s
  then     it is started again, attempt 2 of 5
  you can  look at its console (sidero console)
  power    on (read from its BMC)
  BMC      ipmi, Dell Inc.
           left alone until 2030-01-01 12:00:30, in 30 s; 3 failures in a row; no answer from 10.0.0.5:623 in 5 s
  last did boot-agent (it is to be wiped): running, begun 2030-01-01 11:58:25 (1m35s ago), 2 attempts
  wipe     started, ordered 2030-01-01 11:58:20 (1m40s ago), attempt 2: it was accepted
           nvme0n1 done by nvme-format-crypto, verified
           sda wiping 40 % by zeroes
           sdb failed: held by md0
  asked    wipe: refused: it is being wiped already (2030-01-01 11:59:00)
  boot     none is on record`.trimStart(),
  );
  for (const name of ["rack1-07", "52:54:00:00:00:01", "10.77.0.11", "4c4c4544-0042", "default/m-1"]) {
    assert.equal(await said((terminal) => why(name, terminal)), text, name);
  }
});

test("a Server that nobody has looked at, a machine without one, and names that fit none or several", async () => {
  assert.match(
    await said((terminal) => why(B, terminal)),
    /state +no phase yet, not accepted\n  waits +nobody has looked at it yet/,
  );
  assert.match(await said((terminal) => why("mac-525400000009", terminal)), /BIOS asks for an address\n  next: a boot program/);
  const refused = (name: string, code: string): Promise<void> =>
    assert.rejects(
      said((terminal) => why(name, terminal)),
      (fault) => Fault.is(fault, code),
    );
  await refused("rack9", "cli.not-found");
  await refused("4c4c4544", "cli.usage");
});

test("those that wait are listed, with what can be done", async () => {
  assert.equal(
    await said(waiting),
    `${A}  Wiping  waits for the agent to come up, since 2030-01-01T11:58:30Z\n    you can look at its console (sidero console)`,
  );
});
