/** Datagrams as Wireshark reads them. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { locateTshark } from "../peers/locate.ts";
import { pcap } from "./capture.ts";
import type { Datagram } from "./capture.ts";

/**
 * Of every packet the values of every field, all its occurrences. Fails when a dissector calls anything malformed. `preferences`: what dissectors do
 * not do unasked, as `ipmi.dissect_bus_commands:TRUE`.
 */
export function dissect(
  datagrams: readonly Datagram[],
  fields: readonly string[],
  preferences: readonly string[] = [],
): Record<string, string[]>[] {
  const folder = mkdtempSync(join(tmpdir(), "sidero-tshark-"));
  try {
    const file = join(folder, "capture.pcap");
    writeFileSync(file, pcap(datagrams));
    const wanted = ["_ws.malformed", ...fields];
    const asked = preferences.flatMap((preference) => ["-o", preference]);
    const options = [
      "-r",
      file,
      "-n",
      ...asked,
      "-T",
      "fields",
      "-E",
      "aggregator=|",
      ...wanted.flatMap((field) => ["-e", field]),
    ];
    const lines = execFileSync(locateTshark(), options, { encoding: "latin1", stdio: ["ignore", "pipe", "ignore"] }).split("\n");
    assert.equal(lines.length - 1, datagrams.length);
    return lines.slice(0, -1).map((line, packet) => {
      const [malformed, ...cells] = line.split("\t");
      assert.equal(malformed, "", `packet ${packet} is malformed`);
      return Object.fromEntries(cells.map((cell, i) => [fields[i]!, cell === "" ? [] : cell.split("|")]));
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
