/** `sidero up` with a BMC on a socket: read, switched on request, its Secret changed, shown on the command line. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { BootOnce, PowerAction, PowerState, Sensor } from "#decide/power.ts";
import type { HttpClientOptions } from "#io/node/http-client.ts";
import { listen } from "#io/node/serve.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import { createRedfishHandler } from "../../sim/bmc/redfish/handler.ts";
import type { RedfishMachine } from "../../sim/bmc/redfish/machine.ts";
import { waitFor } from "../peers/process.ts";
import { access, ask, end, run, temporary, up, urlOf } from "./sidero.ts";

const NAME = "0b0e7e3c-6f5c-4f0e-8a33-8f4f6f1d2c3b";
const SERVERS = "/apis/metal.sidero.dev/v1alpha2/servers";
const SECRETS = "/api/v1/namespaces/default/secrets";
const BASE = { apiVersion: Server.apiVersion, kind: Server.kind, metadata: { name: NAME } };
const PATIENCE = 60_000;
const LIMITS = { headers: 10_000, idle: 60_000, buffered: 65_536, stalled: 30_000 };

class Machine implements RedfishMachine {
  readonly uuid = NAME;
  readonly manufacturer = "Maker";
  readonly model = "Machine 9";
  readonly serial = "SIM-0001";
  readonly firmwareVersion = "1.0";
  readonly macs = ["52:54:00:00:00:01"];
  readonly user = "admin";
  password = "first-secret";
  state: PowerState = "off";
  power = (): PowerState => this.state;
  command(action: PowerAction): void {
    this.state = action === "off" || action === "soft-off" ? "off" : "on";
  }
  bootOnce = (): BootOnce | undefined => undefined;
  setBootOnce = (): void => {};
  light = (): boolean => false;
  setLight = (): void => {};
  media = (): undefined => undefined;
  setMedia = (): void => {};
  sensors = (): Sensor[] => [{ name: "CPU", value: 41, unit: "°C", health: "ok" }];
}

const send = async (to: HttpClientOptions, method: string, target: string, body: object): Promise<void> => {
  const isPatch = method === "PATCH";
  const headers = { "content-type": isPatch ? "application/merge-patch+json" : "application/json" };
  const answer = await ask(to, target, { method, headers, body: new TextEncoder().encode(JSON.stringify(body)) });
  assert.ok(answer.status < 300, answer.text);
};

const secret = (password: string): object => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name: "m1-bmc" },
  data: { user: btoa("admin"), pass: btoa(password) },
});

test("a machine is switched through its BMC, with the credentials of its Secret", async (context) => {
  const machine = new Machine();
  const logins: string[] = [];
  let sessions = 0;
  const handler = createRedfishHandler({
    machine,
    token: () => `token-${logins.length}`,
    before: async ({ method, target }) => {
      if (method === "POST" && target.endsWith("/Sessions")) {
        logins.push(machine.password);
        sessions++;
      }
      if (method === "DELETE") sessions--;
      return undefined;
    },
  });
  const service = await listen({ host: "127.0.0.1", port: 0, limits: LIMITS }, handler);
  context.after(() => service.close());
  const data = join(await temporary(context), "data");
  const sidero = await up(context, data, {
    "network-boot": "true",
    dhcp: "off",
    "tftp-address": "off",
    "http-port": "0",
    "diagnostics-address": "127.0.0.1:0",
  });
  const api = await access(sidero);
  const server = async (): Promise<Server> => JSON.parse((await ask(api, `${SERVERS}/${NAME}`)).text) as Server;
  const until = async (what: string, isSo: (server: Server) => boolean): Promise<Server> =>
    waitFor(sidero.child, what, PATIENCE, async () => {
      const now = await server();
      return isSo(now) ? now : undefined;
    });

  await send(api, "POST", SECRETS, secret("first-secret"));
  const from = (key: string): object => ({ secretKeyRef: { namespace: "default", name: "m1-bmc", key } });
  const bmc = { endpoint: `redfish+http://127.0.0.1:${service.port}`, userFrom: from("user"), passFrom: from("pass") };
  // What it runs stays: nothing but its power is Sidero's.
  await send(api, "POST", SERVERS, { ...BASE, spec: { accepted: true, adopt: true, hostname: "rack1-7", bmc } });
  const read = await until("the power read", ({ status }) => status?.power === "off" && status.bmc?.model !== undefined);
  assert.deepEqual([read.status?.bmc?.way, read.status?.bmc?.protocol, read.status?.bmc?.model], ["bmc", "redfish", "Machine 9"]);

  await send(api, "PATCH", `${SERVERS}/${NAME}`, { metadata: { annotations: { "metal.sidero.dev/request": "power-on 1" } } });
  await until("the machine on", ({ status }) => status?.power === "on" && status.request?.value === "power-on 1");
  assert.equal(machine.state, "on");

  const { length } = logins;
  machine.password = "second-secret";
  await send(api, "PATCH", `${SECRETS}/m1-bmc`, secret("second-secret"));
  await waitFor(sidero.child, "a login with the other password", PATIENCE, () => logins.length > length || undefined);
  await until("the BMC to answer", ({ status }) => status?.bmc?.breaker === undefined || status.bmc.breaker === "closed");

  const shown = await run(["bmc", "rack1-7", "--kubeconfig", sidero.kubeconfig]);
  assert.equal(shown.code, 0, shown.stderr);
  assert.match(shown.stdout, /power +on\n/);
  assert.match(shown.stdout, /Maker, Machine 9, serial SIM-0001/);
  assert.match(shown.stdout, /CPU +41 °C +ok/);
  const console = await run(["console", "rack1-7", "--kubeconfig", sidero.kubeconfig]);
  assert.deepEqual([console.code, /Redfish has no serial console/.test(console.stderr)], [1, true], console.stderr);

  const metrics = (await ask({ ...api, server: urlOf(sidero, "metrics"), insecure: true }, "/metrics")).text;
  assert.match(metrics, /sidero_bmc_calls_total\{protocol="redfish",call="power",result="ok"\} [1-9]/);
  assert.match(metrics, /sidero_bmc_operations_total\{result="done"\} 1/);
  const told = await waitFor(sidero.child, "the boot's record", PATIENCE, async () => {
    const { stdout } = await run(["timeline", "rack1-7", "--kubeconfig", sidero.kubeconfig]);
    return stdout.includes("power.on") ? stdout : undefined;
  });
  assert.match(told, /power\.command +its BMC \(redfish\+http:\/\/127\.0\.0\.1:\d+\) was told to switch the machine on/);
  const everything = JSON.stringify(await server()) + told;
  await end(sidero);
  assert.equal(sessions, 0, "every session was ended");
  assert.doesNotMatch(sidero.child.log() + everything, /(first|second)-secret/);
});
