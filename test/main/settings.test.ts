/** How `bin/sidero` takes its settings, and refuses what it cannot have: with 2, and before anything has begun. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { settingsOf } from "#cli/settings/help.ts";
import { access, ask, run, temporary, up } from "./sidero.ts";

test("bad settings are refused all at once, wherever they come from", async (context) => {
  const directory = await temporary(context);
  const file = join(directory, "sidero.yaml");
  await writeFile(file, "http-port: 70000\nbogus: 1\n");
  const data = join(directory, "data");
  const args = [`--data=${data}`, "--config", file, "--api-address=nowhere", "--tls-cipher-suites", "TLS_NULL", "--v=11"];
  const { code, stdout, stderr } = await run(["up", ...args], { SIDERO_CONTROLLER_MANAGER_API_PORT: "x" });
  assert.deepEqual([code, stdout], [2, ""]);
  const problems = [
    '--api-address: "nowhere" is not an address such as 127.0.0.1:6443, [::1]:6443 or :6443, nor off',
    '--tls-cipher-suites: "TLS_NULL" is no cipher suite that can be served',
    "--v: 11 is not between 0 and 10",
    'SIDERO_CONTROLLER_MANAGER_API_PORT: "x" is not a whole number',
    "bogus (configuration file): unknown setting",
    "http-port (configuration file): 70000 is not between 0 and 65535",
  ];
  assert.deepEqual(stderr.replace("sidero: ", "").trimEnd().split("\n").toSorted(), problems);
  assert.equal(existsSync(data), false);
});

test("wrong calls say what is wrong", async (context) => {
  const directory = await temporary(context);
  const file = async (name: string, text: string): Promise<string> => {
    await writeFile(join(directory, name), text);
    return join(directory, name);
  };
  const data = `--data=${join(directory, "data")}`;
  const calls: [args: string[], message: RegExp][] = [
    [["up", "--bogus=1"], /unknown option '--bogus=1'/],
    [["up", data, "--discovery-kubeconfig=https://192.0.2.1/x"], /^sidero: --discovery-kubeconfig: machines do not .* agent API/],
    [["agent", "--discovery-kubeconfig=https://192.0.2.1/x"], /^sidero: --discovery-kubeconfig: machines do not .* agent API/],
    [["up", "extra"], /too many arguments/],
    [["down"], /unknown command 'down'/],
    [["assets", "list", data], /^sidero: --data: there is no directory \S+data$/m],
    [["backup"], /missing required argument 'target'/],
    [["up", data, "--config=/absent.yaml"], /^sidero: --config \/absent.yaml: .*no such file/],
    [["up", data, `--config=${await file("broken.yaml", "a: [")}`], /^sidero: --config \S+broken.yaml: .* line 1/],
    [
      ["up", data, "--api-endpoint=http://192.0.2.1"],
      /^sidero: --api-endpoint: "http:\/\/192.0.2.1" is neither an IP address nor/,
    ],
    [["up", data, "--dhcp-subnets=/absent.yaml"], /^sidero: --dhcp-subnets: \/absent.yaml: there is no such file/],
    [["up", data, "--dhcp-subnets=/"], /^sidero: --dhcp-subnets: \/: cannot read \/: EISDIR/],
    [
      ["up", data, `--dhcp-subnets=${await file("subnets.yaml", "subnets: [{ subnet: 10.0.0.0/24, mode: serv }]")}`],
      /^sidero: --dhcp-subnets: \S+subnets.yaml: .* subnets\[0\].mode: Unsupported value: "serv"/,
    ],
    [["up", data, "--token-auth-file=/absent.csv"], /^sidero: --token-auth-file: \/absent.csv: there is no such file/],
    [
      ["up", data, `--token-auth-file=${await file("broken.csv", "t,u,1\nsecret,u\n")}`],
      /^sidero: --token-auth-file: \S+broken.csv: line 2 of the token file needs at least token, user name and user uid$/m,
    ],
  ];
  const outcomes = await Promise.all(calls.map(([args]) => run(args)));
  for (const [i, [args, message]] of calls.entries()) {
    assert.deepEqual([outcomes[i]!.code, outcomes[i]!.stdout], [2, ""], args.join(" "));
    assert.match(outcomes[i]!.stderr, message);
    assert.doesNotMatch(outcomes[i]!.stderr, /secret/);
  }
  assert.equal(existsSync(join(directory, "data")), false);
});

test("help names every setting with its default and its variables", async () => {
  const { code, stdout } = await run(["up", "--help"], { COLUMNS: "1000" });
  assert.equal(code, 0);
  for (const [name, setting] of settingsOf("up")) {
    const line = stdout.split("\n").find((text) => text.includes(` --${name} `));
    assert.ok(line !== undefined, name);
    for (const variable of setting.env ?? []) assert.ok(line.includes(variable), variable);
  }
});

test("a configuration file, the environment and flags make one set of settings", async (context) => {
  const directory = await temporary(context);
  const file = join(directory, "sidero.yaml");
  const names = ["sidero.example", "other.example"];
  await writeFile(file, `api-tls-name: [${names.join(", ")}]\nlogging-format: json\nv: 0\n`);
  const sidero = await up(context, join(directory, "data"), { config: file, v: "4" });
  for (const serverName of names) assert.equal((await ask({ ...(await access(sidero)), serverName }, "/api")).status, 200);
  await assert.rejects(ask({ ...(await access(sidero)), serverName: "third.example" }, "/api"), { code: "io.untrusted" });
  const lines = sidero.child.log().split("\n");
  assert.equal((JSON.parse(lines[0]!) as { level: string }).level, "info");
});
