/** `bin/sidero timeline` as a process, against `sidero up`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock as clock } from "#io/node/clock.ts";
import { systemEntropy as entropy } from "#io/node/entropy.ts";
import { createHttpClient } from "#io/node/http-client.ts";
import { BootRecord, MACHINE_LABEL } from "#kinds/metal/v1alpha2/boot-record.ts";
import { createClient } from "#kube/client.ts";
import { access, run, temporary, up } from "../main/sidero.ts";

test("it finds the API by flag, environment or data directory, and says what fails", { timeout: 300_000 }, async (context) => {
  const data = await temporary(context);
  const sidero = await up(context, data);
  const transport = createHttpClient(await access(sidero));
  context.after(() => transport.close());
  const records = createClient({ transport, clock, entropy }).for(BootRecord);
  const machine = "mac-525400000001";
  const metadata = { name: `${machine}.20300101-031000`, labels: { [MACHINE_LABEL]: machine } };
  const made = await records.create({ metadata, spec: { machine } });
  const time = "2030-01-01T03:10:00.000000Z";
  const seen = { time, what: "dhcp.discover", text: "BIOS asks for an address" };
  const status = { phase: "dhcp", startedAt: time, lastSeenAt: time, duration: "0s", sightings: [seen], endedAt: time } as const;
  await records.update({ ...made, status: { ...status, sightings: [seen] } }, { subresource: "status" });

  const byFlag = await run(["timeline", machine, "--kubeconfig", sidero.kubeconfig]);
  assert.equal(byFlag.code, 0, byFlag.stderr);
  assert.match(byFlag.stdout, /^mac-525400000001\n.*\n\nBoot, 2030-01-01 03:10:00.000 UTC: reached dhcp\n/);
  assert.ok(!byFlag.stdout.includes("\u001b"), "no colours where nobody sees them");
  assert.equal((await run(["timeline", machine], { KUBECONFIG: sidero.kubeconfig })).stdout, byFlag.stdout);
  const home = { SIDERO_DATA: data, KUBECONFIG: "", HOME: "/nonexistent" };
  assert.equal((await run(["timeline", machine], home)).stdout, byFlag.stdout);

  const none = await run(["timeline", "52:54:00:00:00:09", "--kubeconfig", sidero.kubeconfig]);
  assert.deepEqual([none.code, none.stdout], [1, ""]);
  assert.match(none.stderr, /^sidero: no boot of 52:54:00:00:00:09 is on record/);
  assert.notEqual((await run(["timeline", machine, "-o", "xml", "--kubeconfig", sidero.kubeconfig])).code, 0);
});
