import assert from "node:assert/strict";
import { test } from "node:test";
import { age, ageSince } from "./age.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

test("ages have the units of kubectl", () => {
  const cases: [number, string][] = [
    [-2 * SECOND, "<invalid>"],
    [-1999, "0s"],
    [-1, "0s"],
    [0, "0s"],
    [119.9 * SECOND, "119s"],
    [2 * MINUTE, "2m"],
    [2 * MINUTE + SECOND, "2m1s"],
    [10 * MINUTE - 1, "9m59s"],
    [10 * MINUTE + 30 * SECOND, "10m"],
    [3 * HOUR - 1, "179m"],
    [3 * HOUR, "3h"],
    [7 * HOUR + 59 * MINUTE, "7h59m"],
    [8 * HOUR + 30 * MINUTE, "8h"],
    [47 * HOUR, "47h"],
    [2 * DAY, "2d"],
    [3 * DAY + 5 * HOUR, "3d5h"],
    [8 * DAY + 5 * HOUR, "8d"],
    [2 * YEAR - 1, "729d"],
    [2 * YEAR, "2y"],
    [3 * YEAR + 20 * DAY, "3y20d"],
    [8 * YEAR + 20 * DAY, "8y"],
  ];
  for (const [elapsed, text] of cases) assert.equal(age(elapsed), text, `${elapsed} ms`);
});

test("a date cell copes with what is no time", () => {
  const now = Date.parse("2026-11-21T01:00:00Z");
  assert.equal(ageSince("2026-11-21T00:55:00Z", now), "5m");
  assert.equal(ageSince("2026-11-21T02:55:00.123456+02:00", now), "4m59s");
  assert.equal(ageSince("", now), "<unknown>");
  assert.equal(ageSince("2026-11-21", now), "<invalid>");
  assert.equal(ageSince("hello", now), "<invalid>");
});
