/** What a service may do wrong, or is too busy for, and where patience ends. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import type { Handler, Outgoing } from "#io/serve.ts";
import { Fault } from "#std/fault.ts";
import { connect, never } from "./fixture.ts";
import { PASSWORD, refused, Replay, reply, USER } from "./replay.ts";

const credentials = { user: USER, password: PASSWORD };
const SYSTEM = "/redfish/v1/Systems/system";

/** The fixture, but for what `other` answers. */
function service(other: (method: string, target: string) => Outgoing | undefined): { handler: Handler; replay: Replay } {
  const replay = new Replay("openbmc/bmcweb");
  const handler: Handler = async (incoming) => other(incoming.method, incoming.target) ?? replay.handler(incoming);
  return { handler, replay };
}

const bytes = (body: Buffer): Outgoing => ({ status: 200, headers: {}, body: [body] });

test("an answer that is too long, too deep, or none is refused as such", async () => {
  const deep = Buffer.from(`{"a":${"[".repeat(100)}${"]".repeat(100)}}`);
  for (const [name, body] of [
    ["long", Buffer.alloc(5 * 1024 * 1024, " ")],
    ["deep", deep],
    ["web page", Buffer.from("<html>")],
    ["list", Buffer.from("[]")],
    ["nothing", Buffer.alloc(0)],
  ] as const) {
    const { handler } = service((_method, target) => (target === SYSTEM ? bytes(body) : undefined));
    const { bmc, run } = connect(handler, { credentials, system: SYSTEM });
    await assert.rejects(run(bmc.power(never)), { code: "bmc.malformed", fault: "peer" }, name);
  }
});

test("silence ends after the time that was given, and whoever asked may end it before", async () => {
  const handler: Handler = () => new Promise(() => {});
  const { bmc, run, clock } = connect(handler, { timeout: 7000 });
  const began = clock.now();
  await assert.rejects(run(bmc.power(never)), { code: "bmc.unreachable", message: /within 7 s/ });
  assert.ok(clock.now() - began < 8000);
  const stop = new AbortController();
  const asked = bmc.power(stop.signal);
  stop.abort(new Error("no longer"));
  await assert.rejects(run(asked), /no longer/);
});

test("redirects are followed on the same host alone, and not without end", async () => {
  const to = (location: string): Outgoing => reply(308, undefined, { location });
  const { handler } = service((_method, target) => (target === "/redfish/v1/" ? to("/redfish/v1") : undefined));
  const same = connect(handler, { credentials, system: SYSTEM });
  assert.equal(await same.run(same.bmc.power(never)), "off");
  const whole = service((_method, target) => (target === "/redfish/v1/" ? to("https://bmc.example/redfish/v1") : undefined));
  const absolute = connect(whole.handler, { credentials, system: SYSTEM });
  assert.equal(await absolute.run(absolute.bmc.power(never)), "off");
  for (const location of ["https://evil.example/redfish/v1", "//evil.example/", "http://bmc.example/redfish/v1"]) {
    const elsewhere = connect(service((_method, target) => (target === SYSTEM ? to(location) : undefined)).handler, {
      credentials,
      system: SYSTEM,
    });
    await assert.rejects(elsewhere.run(elsewhere.bmc.power(never)), { code: "bmc.refused", message: /redirects to/ });
  }
  const round = connect(service((_method, target) => (target === SYSTEM ? to(SYSTEM) : undefined)).handler, {
    credentials,
    system: SYSTEM,
  });
  await assert.rejects(round.run(round.bmc.power(never)), { code: "bmc.refused", message: /without end/ });
});

test("a service that is busy is given the time it asks for, within reason", async () => {
  let left = 2;
  const { handler } = service((_method, target) =>
    target === SYSTEM && left-- > 0 ? refused(503, "ServiceTemporarilyUnavailable", "later", { "retry-after": "9" }) : undefined,
  );
  const { bmc, run, clock } = connect(handler, { credentials, system: SYSTEM });
  const began = clock.now();
  assert.equal(await run(bmc.power(never)), "off");
  assert.ok(clock.now() - began >= 18_000 && clock.now() - began < 20_000);
  left = 1000;
  await assert.rejects(run(bmc.power(never)), { code: "bmc.busy", retry: "soon" });
  assert.equal(left, 1000 - 3, "three attempts");
});

test("a command that failed half-way is not repeated by itself", async () => {
  const { handler, replay } = service(() => undefined);
  let posts = 0;
  const failing: Handler = async (incoming) => {
    if (!incoming.target.endsWith("ComputerSystem.Reset")) return handler(incoming);
    posts++;
    return refused(500, "InternalError");
  };
  const { bmc, run } = connect(failing, { credentials, system: SYSTEM });
  await assert.rejects(run(bmc.command("on", never)), { code: "bmc.refused", message: /InternalError/ });
  assert.equal(posts, 1);
  assert.equal(replay.at(SYSTEM)["PowerState"], "Off");
});

test("a session that has run out is begun anew, once", async () => {
  const { handler, replay } = service(() => undefined);
  const { bmc, run } = connect(handler, { credentials, system: SYSTEM });
  assert.equal(await run(bmc.power(never)), "off");
  replay.sessions.clear();
  assert.equal(await run(bmc.power(never)), "off");
  assert.equal(replay.sessions.size, 1);
});

test("a service without sessions gets name and password with each request", async () => {
  const { handler, replay } = service((method, target) =>
    method === "POST" && target.endsWith("/Sessions") ? refused(404, "ResourceMissingAtURI") : undefined,
  );
  const { bmc, run } = connect(handler, { credentials, system: SYSTEM });
  assert.equal(await run(bmc.power(never)), "off");
  assert.equal(replay.sessions.size, 0);
  await run(bmc.close());
});

test("what was said about a password is said in other words, and never with it", async () => {
  const { handler } = service((method) => (method === "GET" ? undefined : refused(403, "PasswordChangeRequired")));
  const { bmc, run } = connect(handler, { credentials, system: SYSTEM });
  await assert.rejects(run(bmc.power(never)), (error: Error & { code?: string }) => {
    assert.equal(error.code, "bmc.denied");
    assert.match(error.message, /wants its password changed/);
    return !error.message.includes(PASSWORD);
  });
});

test("$expand that was promised and does not work is given up", async () => {
  const replay = new Replay("dell/idrac9");
  let expanded = 0;
  const handler: Handler = async (incoming) => {
    if (!incoming.target.includes("$expand")) return replay.handler(incoming);
    expanded++;
    return refused(400, "QueryNotSupported");
  };
  const { bmc, run } = connect(handler, { credentials });
  assert.equal((await run(bmc.inventory(never))).macs?.length, 2);
  await run(bmc.inventory(never));
  assert.equal(expanded, 1);
});

test("a password that the service quotes where it refuses it is told to nobody", async () => {
  const quoted = {
    error: {
      code: "Base.1.8.PropertyValueFormatError",
      message: `${PASSWORD} is no password`,
      "@Message.ExtendedInfo": [
        {
          MessageId: "Base.1.8.PropertyValueFormatError",
          Message: `The value ${PASSWORD} for the property Password is of a different format than the property can accept.`,
          MessageArgs: [PASSWORD, "Password"],
        },
      ],
    },
  };
  const { handler } = service((method, target) =>
    method === "POST" && target.endsWith("/Sessions") ? reply(400, quoted) : undefined,
  );
  const { bmc, run } = connect(handler, { credentials, system: SYSTEM });
  await assert.rejects(run(bmc.power(never)), (error) => {
    assert.ok(Fault.is(error, "bmc.refused"));
    assert.match(error.message, /^POST .*Sessions: 400 PropertyValueFormatError/);
    assert.doesNotMatch(inspect(error, { depth: 10 }), new RegExp(PASSWORD));
    return true;
  });
});
