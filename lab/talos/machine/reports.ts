/** What a machine sends by SideroLink on its own: its events, and its kernel's log (facts §7.4, §7.5). */
import { createReadStream } from "node:fs";
import { createSocket } from "node:dgram";
import { connect } from "node:net";
import { setTimeout } from "node:timers/promises";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { EventSinkService } from "#proto/siderolink/events_pb.js";
import { problemOf } from "./console.ts";
import type { Host } from "./host.ts";

const CALL = 10_000;
const PAUSE = 2_000;

/** All events there have been, and then each as it comes; one that is not answered is sent again before the next. */
export async function reportEvents({ events, say }: Host, sink: string): Promise<void> {
  const client = createClient(EventSinkService, createGrpcTransport({ baseUrl: `http://${sink}` }));
  let said = "";
  for await (const { id, typeUrl, value, actorId } of events.follow(-1, new AbortController().signal)) {
    const data = { typeUrl: `type.googleapis.com/${typeUrl.replace(/^.*\//, "")}`, value };
    for (let sent = false; !sent;) {
      try {
        await client.publish({ data, id, actorId }, { timeoutMs: CALL });
        sent = true;
      } catch (error) {
        const problem = problemOf(error);
        if (problem !== said) say(`event sink: ${problem}`);
        said = problem;
        await setTimeout(PAUSE);
      }
    }
  }
}

const LEVELS = ["emerg", "alert", "crit", "err", "warn", "notice", "info", "debug"];
const FACILITIES = ["kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news"];

/** A record of /dev/kmsg (Documentation/ABI/testing/dev-kmsg) as a line of JSON; undefined for what is none. `booted`: milliseconds since 1970. */
export function kernelLine(record: string, booted: number): string | undefined {
  const [head = "", ...body] = record.split(";");
  const [priority, seq, clock] = head.split(",").map(Number);
  if (priority === undefined || seq === undefined || clock === undefined || Number.isNaN(clock)) return undefined;
  return JSON.stringify({
    msg: body.join(";").split("\n", 1)[0],
    "talos-time": new Date(booted + clock / 1000).toISOString(),
    "talos-level": LEVELS[priority & 7],
    facility: FACILITIES[priority >> 3] ?? "unknown",
    seq,
    clock,
    priority: priority & 7,
  });
}

/** The kernel's log from its beginning, for ever. */
export function reportKernelLog({ say }: Host, target: string): void {
  const { protocol, hostname, port } = new URL(target);
  const host = hostname.replaceAll(/[[\]]/g, "");
  const booted = Date.now() - process.hrtime()[0] * 1000;
  const send =
    protocol === "udp:"
      ? byDatagrams(host, Number(port))
      : byStream(host, Number(port), (problem) => say(`kernel log: ${problem}`));
  // Each read gives one record.
  createReadStream("/dev/kmsg", { encoding: "utf8", highWaterMark: 8192 })
    .on("data", (record) => {
      const line = kernelLine(String(record), booted);
      if (line !== undefined) send(line);
    })
    .on("error", (error) => say(`kernel log: ${error.message}`));
}

function byDatagrams(host: string, port: number): (line: string) => void {
  const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
  socket.on("error", () => {});
  return (line) => socket.send(line, port, host);
}

/** Lines wait while there is no connection, as many as a boot has. */
function byStream(host: string, port: number, failed: (problem: string) => void): (line: string) => void {
  const waiting: string[] = [];
  let write: ((line: string) => void) | undefined;
  let said = "";
  const open = (): void => {
    const socket = connect(port, host, () => {
      write = (line) => void socket.write(`${line}\n`);
      for (const line of waiting.splice(0)) write(line);
    });
    socket.on("error", ({ message }) => {
      if (message !== said) failed(message);
      said = message;
    });
    socket.on("close", () => {
      write = undefined;
      void setTimeout(PAUSE).then(open);
    });
  };
  open();
  return (line) => {
    if (write !== undefined) write(line);
    else if (waiting.length < 5000) waiting.push(line);
  };
}
