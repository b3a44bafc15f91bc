import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { keysOf, shown } from "./name.ts";

test("the names of firmware and recipes mean the same files", () => {
  const table: readonly (readonly [name: string, keys: readonly string[]])[] = [
    ["snp.efi", ["snp.efi"]],
    ["/snp.efi", ["snp.efi"]],
    ["//snp.efi", ["snp.efi"]],
    ["\\snp.efi", ["snp.efi"]],
    ["./snp.efi", ["snp.efi"]],
    ["/tftp/snp.efi", ["tftp/snp.efi", "snp.efi"]],
    ["/var/lib/sidero/tftp/snp.efi", ["var/lib/sidero/tftp/snp.efi", "snp.efi"]],
    ["\\TFTPBOOT\\undionly.kpxe", ["TFTPBOOT/undionly.kpxe", "undionly.kpxe"]],
    ["undionly.kpxe\xff", ["undionly.kpxe"]],
    ["undionly.kpxe\xff\x03\x04abc", ["undionly.kpxe"]],
    ["8a1b2c3d/start4.elf", ["8a1b2c3d/start4.elf"]],
    ["/boot/tftp", ["boot/tftp", "tftp"]],
    ["tftp", ["tftp"]],
    ["", []],
    ["/", []],
    ["./.", []],
    ["\xff", []],
    ["..", []],
    ["../snp.efi", []],
    ["tftp/../snp.efi", []],
    ["..\\..\\windows", []],
    ["x".repeat(256), []],
  ];
  for (const [name, keys] of table) assert.deepEqual(keysOf(name), keys, JSON.stringify(name));
});

test("no key has an empty part, a way up or anything unprintable", () => {
  const names = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(fc.constantFrom("/", "\\", ".", "..", "tftp", "a")).map((a) => a.join("")),
  );
  fc.assert(
    fc.property(names, (name) => {
      for (const key of keysOf(name)) {
        assert.match(key, /^[ -~]+$/);
        for (const part of key.split("/")) assert.ok(part !== "" && part !== "." && part !== ".." && !part.includes("\\"));
      }
      assert.match(shown(name), /^[ -~]{0,100}…?$/);
    }),
  );
});
