/** Our end of the tunnel as a process of its own, for a network namespace: options as JSON in the first argument, then commands as JSON lines; answers likewise. */
import { createInterface } from "node:readline";
import { openTunnel } from "#io/node/tunnel.ts";
import type { TunnelOptions, TunnelPeer } from "#io/tunnel.ts";
import { Fault } from "#std/fault.ts";

function print(line: unknown): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

try {
  const tunnel = await openTunnel(JSON.parse(process.argv[2]!) as TunnelOptions);
  void tunnel.lost?.then(({ message }) => print({ lost: message }));
  print({ by: tunnel.by, lacks: tunnel.lacks });
  for await (const line of createInterface({ input: process.stdin })) {
    const { peers } = JSON.parse(line) as { peers?: readonly TunnelPeer[] };
    try {
      if (peers !== undefined) await tunnel.setPeers(peers);
      print({ handshakes: Object.fromEntries(await tunnel.handshakes()) });
    } catch (error) {
      print({ problem: Fault.from(error).message });
    }
  }
  await tunnel.close();
  print({ closed: true });
} catch (error) {
  const { code, message } = Fault.from(error);
  print({ refused: { code, message } });
}
