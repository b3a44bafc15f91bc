import assert from "node:assert/strict";
import { test } from "node:test";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import { Hall } from "../../sim/hall.ts";

test("machines of every kind that are switched on register by themselves", async () => {
  const hall = new Hall({ seed: 1, machines: 10 });
  await hall.during(hall.start());
  for (const machine of hall.machines) machine.switchOn();
  await hall.pass(600_000);
  const { items } = await hall.during(hall.process!.client.for(Server).list());
  assert.deepEqual(
    items.map(({ metadata }) => metadata.name).toSorted(),
    hall.machines.map(({ identity }) => identity.uuid).toSorted(),
  );
  await hall.stop();
});
