import assert from "node:assert/strict";
import { test } from "node:test";
import { endpointOf } from "./endpoint.ts";

const local = { address: "10.0.0.1", port: 18081 };
const found = { endpoint: "", port: 8081 };

const HOSTS: readonly (readonly [host: string | undefined, expected: string])[] = [
  ["sidero.example:8081", "sidero.example:8081"],
  ["192.0.2.1", "192.0.2.1:80"],
  ["[fd00::1]:8081", "[fd00::1]:8081"],
  ["[fd00::1]", "[fd00::1]:80"],
  [undefined, "10.0.0.1:18081"],
  ["", "10.0.0.1:18081"],
  ["a b", "10.0.0.1:18081"],
  ["a:8081 panic=1", "10.0.0.1:18081"],
  ["${uuid}:1", "10.0.0.1:18081"],
  ["user@host:1", "10.0.0.1:18081"],
  ["a/b", "10.0.0.1:18081"],
  ["a:123456", "10.0.0.1:18081"],
];

for (const [host, expected] of HOSTS) {
  test(`Host ${JSON.stringify(host)}: ${expected}`, () => {
    assert.equal(endpointOf({ headers: { host }, local }, found), expected);
  });
}

test("a setting counts for more than what the machine says, and addresses of IPv6 get brackets", () => {
  assert.equal(endpointOf({ headers: { host: "a:1" }, local }, { endpoint: "sidero", port: 8081 }), "sidero:8081");
  assert.equal(endpointOf({ headers: {}, local }, { endpoint: "fd00::1", port: 8081 }), "[fd00::1]:8081");
  assert.equal(endpointOf({ headers: {}, local }, { endpoint: "[fd00::1]", port: 8081 }), "[fd00::1]:8081");
  assert.equal(endpointOf({ headers: {}, local: { address: "fd00::2", port: 1 } }, found), "[fd00::2]:1");
});
