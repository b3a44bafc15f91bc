import assert from "node:assert/strict";
import { test } from "node:test";
import { renewed } from "#bmc/renewed.ts";
import type { OpenHttp } from "#io/http.ts";
import { Fault } from "#std/fault.ts";

test("a transport goes on after it was closed, on a connection of its own", async () => {
  const opened: string[] = [];
  const open: OpenHttp = ({ server }) => {
    let isClosed = false;
    opened.push(server);
    return {
      request: async () => {
        if (isClosed) throw new Fault("io.closed", "closed", { fault: "caller", retry: "never" });
        return { status: 200, headers: {}, body: (async function* () {})() };
      },
      close: async () => void (isClosed = true),
    };
  };
  const transport = renewed(open)({ server: "https://bmc.example" });
  assert.deepEqual(opened, [], "nothing before the first request");
  const ask = (): Promise<{ status: number }> => transport.request({ method: "GET", target: "/" });
  await ask();
  await ask();
  await transport.close();
  await transport.close();
  assert.equal((await ask()).status, 200);
  assert.equal(opened.length, 2);
});
