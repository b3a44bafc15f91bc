import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { createSerial } from "../../lab/serial.ts";

test("a serial line is read by lines, without what moves the cursor", async (context) => {
  const directory = await mkdtemp(join(tmpdir(), "sidero-serial-"));
  context.after(() => rm(directory, { recursive: true }));
  const serial = createSerial("machine", join(directory, "log"));
  const bytes = new TextEncoder().encode("\x1b[2J\x1b[01;01Hone\r\n\r\ntwo \x1b[0;36mthree\x1b[0m\r\nprompt>");
  // One byte at a time: a sequence may be torn anywhere.
  const found = serial.until(/two/, 5);
  for (const byte of bytes) serial.take(Uint8Array.of(byte));
  assert.equal((await serial.until(/three$/, 5)).text, "two three");
  assert.equal((await found).text, "two", "as soon as it is there, without its line's end");
  await assert.rejects(serial.until(/four/, 0.01), /machine has not written \/four\/.*\n.*one\n.*two three\n.*prompt>/s);

  serial.restart();
  await assert.rejects(serial.until(/two/, 0.01), "what was before the machine was switched on does not count");
  serial.end();
  await setTimeout(50);
  assert.match(await readFile(serial.path, "utf8"), /^ +\d+\.\d\d one\n +\d+\.\d\d two three\n$/);
});
