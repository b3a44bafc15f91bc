import assert from "node:assert/strict";
import { test } from "node:test";
import { parseContract } from "../contract.ts";
import { printConfig } from "../document/document.ts";
import { parseConfig } from "../document/parse.ts";
import { withLink } from "./documents.ts";

const ends = {
  api: "grpc://[fd00::1]:8081?jointoken=abc",
  events: "[fdae:41e4:649b:9303::1]:4002",
  logs: "tcp://[fdae:41e4:649b:9303::1]:4001",
};
/** Odd on purpose: comments, a field nobody knows, a number in hexadecimal, no line end. */
const CONFIG = `# mine\nversion: v1alpha1 # one\nmachine: {type: worker, new-field: 0x1F,   certSANs: []}`;
const linked = (text: string, version: string): string => printConfig(withLink(parseConfig(text), parseContract(version), ends));

test("the documents stand behind what was there, which is as it was to the byte", () => {
  const text = linked(CONFIG, "v1.10");
  assert.ok(text.startsWith(`${CONFIG}\n---\n`));
  assert.deepEqual(
    parseConfig(text)
      .documents.slice(1)
      .map(({ value }) => value),
    [
      { apiVersion: "v1alpha1", kind: "SideroLinkConfig", apiUrl: ends.api },
      { apiVersion: "v1alpha1", kind: "EventSinkConfig", endpoint: ends.events },
      { apiVersion: "v1alpha1", kind: "KmsgLogConfig", name: "remote-log", url: ends.logs },
    ],
  );
});

test("Talos before 1.10 gets none, every one after gets them", () => {
  for (let minor = 3; minor <= 15; minor++) {
    const text = linked(CONFIG, `v1.${minor}`);
    assert.equal(text === CONFIG, minor < 10, `1.${minor}`);
  }
});

test("a second time adds nothing", () => {
  const once = linked(CONFIG, "v1.13");
  assert.equal(linked(once, "v1.13"), once);
});

test("one's own documents are left alone; logs may go to two places", () => {
  const own = `${CONFIG}\n---\napiVersion: v1alpha1\nkind: EventSinkConfig\nendpoint: 192.0.2.1:1\n---\napiVersion: v1alpha1\nkind: KmsgLogConfig\nname: mine\nurl: udp://192.0.2.1:2\n`;
  const text = linked(own, "v1.13");
  assert.ok(text.startsWith(own));
  assert.deepEqual(
    parseConfig(text).documents.map(({ identity }) => `${identity.kind} ${identity.name}`),
    [" ", "EventSinkConfig ", "KmsgLogConfig mine", "SideroLinkConfig ", "KmsgLogConfig remote-log"],
  );
});
