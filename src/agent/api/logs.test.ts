import assert from "node:assert/strict";
import { test } from "node:test";
import { createAgentLogs } from "./logs.ts";
import type { LoggedLine } from "./logs.ts";

const line = (text: string): LoggedLine => ({ at: 0, boot: "b", text });
/** 10 characters: 84 bytes. */
const numbered = (i: number): LoggedLine => line(String(i).padStart(10, "0"));
const texts = (lines: readonly LoggedLine[]): string[] => lines.map(({ text }) => text);

test("the newest lines of a machine are kept, however many have come", () => {
  const logs = createAgentLogs({ perMachine: 840 });
  for (let i = 0; i < 5000; i++) logs.append("a", [numbered(i)]);
  assert.deepEqual(
    logs.logsOf("a").map(({ text }) => Number(text)),
    [4990, 4991, 4992, 4993, 4994, 4995, 4996, 4997, 4998, 4999],
  );
  logs.append("a", [line("x".repeat(1000))]);
  assert.deepEqual(logs.logsOf("a"), [], "longer than all there is room for");
  logs.append("a", [line("y")]);
  assert.deepEqual(texts(logs.logsOf("a")), ["y"]);
});

test("machines silent for longest are forgotten when there is no room for all", () => {
  const logs = createAgentLogs({ perMachine: 840, inAll: 1700 });
  for (const machine of ["a", "b", "a", "c"])
    logs.append(
      machine,
      Array.from({ length: 10 }, (_, i) => numbered(i)),
    );
  assert.deepEqual(
    ["a", "b", "c"].map((machine) => logs.logsOf(machine).length),
    [10, 0, 10],
  );
});

test("what was logged before a machine had a name goes along, behind what its name has", () => {
  const logs = createAgentLogs();
  logs.append("server", [line("last boot")]);
  logs.append("boot", [line("this boot")]);
  logs.rename("boot", "server");
  logs.rename("nobody", "server");
  assert.deepEqual(texts(logs.logsOf("server")), ["last boot", "this boot"]);
  assert.deepEqual(logs.logsOf("boot"), []);
});
