import assert from "node:assert/strict";
import { test } from "node:test";
import { Escape } from "./escape.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** What the machine gets, with `!` where the console ends and `?` where help is asked for; whole, and byte by byte. */
function typed(text: string): string {
  const whole = run([bytes(text)]);
  assert.equal(run([...bytes(text)].map((byte) => Uint8Array.of(byte))), whole);
  return whole;
}

function run(pieces: readonly Uint8Array[]): string {
  const escape = new Escape();
  let got = "";
  for (const piece of pieces) {
    const { send, ends, asksForHelp } = escape.take(piece);
    got += new TextDecoder().decode(send) + (asksForHelp ? "?" : "");
    if (ends) return `${got}!`;
  }
  return got;
}

test("a tilde at the beginning of a line is for us", () => {
  const table: [input: string, machine: string][] = [
    ["~.", "!"],
    ["~.rm", "!"],
    ["ls\r~.", "ls\r!"],
    ["ls\n~.", "ls\n!"],
    ["ls ~.\r", "ls ~.\r"],
    ["~~.", "~."],
    ["~~\r~.", "~\r!"],
    ["~/bin\r", "~/bin\r"],
    ["~\r~.", "~\r!"],
    ["~?~.", "?!"],
    ["\r\r~.", "\r\r!"],
    ["", ""],
  ];
  for (const [input, machine] of table) assert.equal(typed(input), machine, JSON.stringify(input));
});
