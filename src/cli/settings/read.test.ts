import assert from "node:assert/strict";
import { test } from "node:test";
import { Fault } from "#std/fault.ts";
import { readSettings } from "./read.ts";

const none = { flags: {}, env: {} };

test("upstream's defaults hold", () => {
  const settings = readSettings("up", none);
  assert.equal(settings["api-port"], 8081);
  assert.equal(settings["server-reboot-timeout"], 20 * 60_000);
  assert.equal(settings["ipmi-pxe-method"], "uefi");
  assert.equal(settings["insecure-wipe"], true);
  assert.deepEqual(settings["health-addr"], { host: "", port: 9440 });
  assert.deepEqual(settings["api-address"], { host: "127.0.0.1", port: 6443 });
});

test("a flag wins over the environment, the environment over the file", () => {
  const file = { "api-port": 1, "http-port": 2, "boot-from-disk-method": "http-404" };
  const env = { SIDERO_CONTROLLER_MANAGER_API_PORT: "3", SIDERO_CONTROLLER_MANAGER_CONTAINER_API_PORT: "4" };
  const settings = readSettings("up", { flags: { "api-port": "5" }, env, file });
  assert.equal(settings["api-port"], 5);
  assert.equal(settings["http-port"], 4);
  assert.equal(settings["boot-from-disk-method"], "http-404");
});

test("the first environment variable that is set wins, and a dash is empty where upstream has it so", () => {
  const both = { API_ENDPOINT: "10.0.0.1", SIDERO_CONTROLLER_MANAGER_API_ENDPOINT: "10.0.0.2" };
  assert.equal(readSettings("up", { flags: {}, env: both })["api-endpoint"], "10.0.0.2");
  const flags = { "api-endpoint": "-", "extra-agent-kernel-args": "-" };
  const dash = readSettings("up", { flags, env: {} });
  assert.equal(dash["api-endpoint"], "");
  assert.deepEqual(dash["extra-agent-kernel-args"], []);
  // Upstream's manifest: a dash unless somebody has said more, and the node's address.
  const manifest = { SIDERO_CONTROLLER_MANAGER_API_ENDPOINT: "-", API_ENDPOINT: "10.0.0.1" };
  for (const given of [flags, { "api-endpoint": "" }, {}]) {
    assert.equal(readSettings("up", { flags: given, env: manifest })["api-endpoint"], "10.0.0.1");
  }
});

test("machines can be told to come to addresses and names, and to nothing else", () => {
  const read = (text: string): unknown => readSettings("up", { flags: { "api-endpoint": text }, env: {} })["api-endpoint"];
  for (const text of ["192.0.2.1", "fd77::1", "sidero.example.org", "sidero", "1-2.a3"]) assert.equal(read(text), text);
  for (const text of ["http://192.0.2.1", "192.0.2.1:8081", "[fd77::1]", "a b", "-x", "${uuid}", "192.0.2.300", "a..b"]) {
    assert.throws(() => read(text), /^Fault: --api-endpoint: ".*" is neither an IP address nor a DNS name/);
  }
});

test("listeners can be turned off and addresses take every usual form", () => {
  const read = (text: string): unknown => readSettings("up", { flags: { "api-address": text }, env: {} })["api-address"];
  for (const text of ["off", "0", ""]) assert.equal(read(text), undefined);
  assert.deepEqual(read(":0"), { host: "", port: 0 });
  assert.deepEqual(read("[::1]:6443"), { host: "::1", port: 6443 });
  assert.deepEqual(read("node-1.example:6443"), { host: "node-1.example", port: 6443 });
});

test("every bad value is named, all at once", () => {
  const flags = {
    "api-port": "0x50",
    "http-port": "70000",
    "boot-from-disk-method": "magic",
    "server-reboot-timeout": "20",
    "insecure-wipe": "maybe",
    "health-addr": "9440",
    "negative-address-filter": "10.0.0.0/8,10.0.0.1/99",
    "test-power-simulated-explicit-failure-prob": "1.5",
    "no-such-flag": "x",
  };
  assert.throws(
    () =>
      readSettings("up", { flags, env: { SIDERO_CONTROLLER_MANAGER_IPMI_PXE_METHOD: "floppy" }, file: { bogus: 1, data: {} } }),
    (error) => {
      assert.ok(Fault.is(error, "cli.settings"));
      const lines = error.message.split("\n");
      for (const name of [
        ...Object.keys(flags).map((flag) => `--${flag}`),
        "SIDERO_CONTROLLER_MANAGER_IPMI_PXE_METHOD",
        "bogus",
        "data",
      ]) {
        assert.equal(lines.filter((line) => line.startsWith(`${name}:`) || line.startsWith(`${name} `)).length, 1, name);
      }
      assert.equal(lines.length, Object.keys(flags).length + 3);
      return true;
    },
  );
});

test("settings of another role are unknown to this one", () => {
  assert.throws(
    () => readSettings("up", { flags: { "deployment-strategy": "Recreate" }, env: {} }),
    /--deployment-strategy: unknown setting/,
  );
  assert.throws(() => readSettings("serve", { flags: { data: "/x" }, env: {} }), /--data: unknown setting/);
});

test("several words are checked one by one", () => {
  assert.deepEqual(readSettings("up", { env: {}, flags: { providers: "core, infrastructure-sidero" } }).providers, [
    "core",
    "infrastructure-sidero",
  ]);
  assert.throws(
    () => readSettings("up", { env: {}, flags: { providers: "core,caps" } }),
    /--providers: "caps" is not one of core,/,
  );
});

test("what the programs before Sidero registered machines with is refused with what does it now, wherever it stands", () => {
  const why = /discovery-kubeconfig[^\n]*: machines do not create their own Servers any more.* agent API/;
  const name = "discovery-kubeconfig";
  const url = "https://192.0.2.1/kubeconfig";
  assert.throws(() => readSettings("up", { env: {}, flags: { [name]: url } }), why);
  assert.throws(() => readSettings("agent", { env: {}, flags: { [name]: url } }), why);
  assert.throws(() => readSettings("serve", { ...none, file: { [name]: url } }), why);
  for (const argument of [`--${name}=${url}`, `${name}=${url}`, `arges.${name}=${url}`, name])
    assert.throws(() => readSettings("up", { env: {}, flags: { "extra-agent-kernel-args": `quiet ${argument}` } }), why);
  const usual = `quiet talos.config=${url}?x=${name} console=ttyS0`;
  assert.equal(readSettings("up", { env: {}, flags: { "extra-agent-kernel-args": usual } })["extra-agent-kernel-args"].length, 3);
});
