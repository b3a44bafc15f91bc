import assert from "node:assert/strict";
import { test } from "node:test";
import type { Environment } from "#kinds/metal/v1alpha2/environment.ts";
import { formatArguments, parseArguments } from "#wire/ipxe/argument.ts";
import { agentArguments, asksForConfig, environmentArguments, withToken } from "./arguments.ts";

const agent = { architecture: "amd64", mac: "52:54:00:00:00:01", endpoint: "10.0.0.1:8081", token: "abc", extra: [] } as const;

function environment(args: string[], arm64?: string[]): Environment {
  return {
    apiVersion: "metal.sidero.dev/v1alpha2",
    kind: "Environment",
    metadata: { name: "e" },
    spec: { kernel: { args }, ...(arm64 === undefined ? {} : { arm64: { kernel: { args: arm64 } } }) },
  };
}

test("the agent is told where to call, from which NIC, and with which token", () => {
  const line = formatArguments(agentArguments(agent));
  assert.match(line, /^console=tty0 console=ttyS0,115200 /);
  assert.match(
    line,
    / initrd=initramfs.xz panic=30 sidero.mac=52:54:00:00:00:01 sidero.endpoint=10.0.0.1:8081 sidero.token=abc$/,
  );
  assert.match(formatArguments(agentArguments({ ...agent, architecture: "arm64" })), /console=ttyAMA0 /);
  assert.doesNotMatch(formatArguments(agentArguments({ ...agent, mac: undefined })), /sidero.mac/);
});

test("extra arguments take the place of those with their key", () => {
  const line = formatArguments(agentArguments({ ...agent, extra: parseArguments("console=ttyS1 quiet panic=0") }));
  assert.match(line, /^console=ttyS1 consoleblank=0 .* panic=0 .* quiet$/);
});

test("an Environment's own arguments stay, and what it lacks is added", () => {
  const link = { host: "[fdae::1]" };
  assert.equal(
    formatArguments(environmentArguments(environment(["a=1 b", "slab_nomerge="]), "amd64", "[fd00::1]:8081", link)),
    "a=1 b slab_nomerge= initrd=initramfs.xz talos.config=http://[fd00::1]:8081/configdata?uuid= siderolink.api=[fd00::1]:8081 " +
      "talos.logging.kernel=tcp://[fdae::1]:4001 talos.events.sink=[fdae::1]:4002",
  );
  const withToken = { ...link, api: "grpc://h:1?jointoken=t&grpc_tunnel=true" };
  assert.match(
    formatArguments(environmentArguments(environment(["a"]), "amd64", "h:1", withToken)),
    / siderolink\.api=grpc:\/\/h:1\?jointoken=t&grpc_tunnel=true /,
  );
  const own = ["talos.config=none", "siderolink.api=x", "talos.logging.kernel=y", "talos.events.sink=z", "initrd=i"];
  assert.equal(formatArguments(environmentArguments(environment(own), "amd64", "h:1", link)), own.join(" "));
  assert.equal(
    formatArguments(environmentArguments(environment(["a"]), "amd64", "h:1", undefined)),
    "a initrd=initramfs.xz talos.config=http://h:1/configdata?uuid=",
  );
  assert.match(formatArguments(environmentArguments(environment(["a"], ["b"]), "arm64", "h:1", undefined)), /^b /);
});

test("every URL of a configuration gets the token, and keeps what else it says", () => {
  const tokened = (value: string): string =>
    formatArguments(withToken(parseArguments(`talos.config=${value} a=http://h/configdata`), "T"));
  const table = [
    ["http://10.0.0.1:8081/configdata?uuid=", "http://10.0.0.1:8081/configdata?uuid=&token=T"],
    ["http://sidero.example:80/configdata", "http://sidero.example:80/configdata?token=T"],
    ["https://[fd00::1]/configdata?uuid=${uuid}&mac=${mac}", "https://[fd00::1]/configdata?uuid=${uuid}&mac=${mac}&token=T"],
    ["http://h/configdata?token=old&uuid=&tokens=1&token", "http://h/configdata?uuid=&tokens=1&token=T"],
    ["http://h/other/configdata?uuid=", "http://h/other/configdata?uuid="],
    ["http://h/configdata.yaml", "http://h/configdata.yaml"],
    ["none", "none"],
    ["tftp://h/configdata", "tftp://h/configdata"],
  ] as const;
  for (const [before, after] of table) {
    assert.equal(tokened(before), `talos.config=${after} a=http://h/configdata`);
    assert.equal(asksForConfig(parseArguments(`talos.config=${before}`)), before !== after, before);
  }
  assert.equal(asksForConfig(parseArguments("a talos.config")), false);
});

test("other systems have the token in the path, in whatever argument", () => {
  const table = [
    ["ds=nocloud;s=http://10.0.0.1:8081/cloud/nocloud/", "ds=nocloud;s=http://10.0.0.1:8081/cloud/T/nocloud/"],
    ["ignition.config.url=http://h/cloud/user-data", "ignition.config.url=http://h/cloud/T/user-data"],
    [`cc="{urls: ['http://h/cloud', 'http://h/cloud']}"`, `cc="{urls: ['http://h/cloud/T', 'http://h/cloud/T']}"`],
    ["a=http://h/clouds/x", "a=http://h/clouds/x"],
    ["a=http://h/x/cloud/", "a=http://h/x/cloud/"],
  ] as const;
  for (const [before, after] of table) {
    assert.equal(formatArguments(withToken(parseArguments(before), "T")), after);
    assert.equal(asksForConfig(parseArguments(before)), before !== after, before);
  }
});
