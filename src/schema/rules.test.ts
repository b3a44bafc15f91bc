import assert from "node:assert/strict";
import { test } from "node:test";
import { array, map, object, string } from "./kit.ts";
import { FieldPath, invalid, printFieldError } from "./field.ts";
import { checkRules } from "./rules.ts";

const Login = object({ user: string(), userFrom: string(), name: string() }).rule({
  cel: "!(has(self.user) && has(self.userFrom))",
  message: "user and userFrom cannot be used together",
  path: ".userFrom",
  check: (self) => self.user === undefined || self.userFrom === undefined,
});
const Mode = string().rule({ cel: "self != 'bad'", message: "bad is bad", check: (self) => self !== "bad" });
const Even = string().check((value, path) => (value.length % 2 === 0 ? [] : [invalid(path, value, "must be even")]));
const Needed = object({ op: string().required(), from: string() }).rule({
  cel: "self.op != 'move' || has(self.from)",
  message: "from is required when op is move",
  path: ".from",
  reason: "FieldValueRequired",
  check: (self) => self.op !== "move" || self.from !== undefined,
});
const Spec = object({
  login: Login,
  mode: Mode,
  even: map(Even),
  patches: array(Needed),
  logins: array(Login).listMap("name"),
  free: string(),
});

function texts(value: unknown, old?: unknown): string[] {
  return checkRules(Spec, value, old, FieldPath.of("spec")).map(printFieldError);
}

const bad = {
  login: { user: "a", userFrom: "b" },
  mode: "bad",
  even: { k: "odd" },
  patches: [{ op: "add" }, { op: "move" }],
};

test("errors read as the genuine server's do for the same CEL", () => {
  assert.deepEqual(texts(bad), [
    "spec.login.userFrom: Invalid value: user and userFrom cannot be used together",
    'spec.mode: Invalid value: "bad": bad is bad',
    'spec.even[k]: Invalid value: "odd": must be even',
    "spec.patches[1].from: Required value: from is required when op is move",
  ]);
});

test("what did not change is not checked again", () => {
  assert.deepEqual(texts({ ...bad, free: "new" }, bad), []);
  assert.deepEqual(texts({ ...bad, mode: "worse", even: { k: "odd", l: "odd" } }, bad), [
    'spec.even[l]: Invalid value: "odd": must be even',
  ]);
});

test("items have old selves only in a keyed list", () => {
  const login = { name: "x", user: "a", userFrom: "b" };
  assert.deepEqual(texts({ logins: [{ name: "y" }, login] }, { logins: [login] }), []);
  assert.equal(texts({ patches: [{ op: "add" }, { op: "move" }] }, { patches: [{ op: "move" }] }).length, 1);
});

test("values of the wrong type are left to the schema", () => {
  assert.deepEqual(texts({ login: "x", mode: 3, even: [], patches: {}, logins: [null] }), []);
  assert.deepEqual(checkRules(Spec, null, undefined), []);
});
