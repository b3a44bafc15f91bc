/** The logs of machines: where they are kept, who receives them by the tunnel, and whom they are sent on to. */
import { join } from "node:path";
import type { Settings } from "#cli/settings/read.ts";
import { parseForward } from "#cli/settings/forward.ts";
import type { Clock } from "#io/clock.ts";
import type { Log } from "#io/log.ts";
import { openLogFiles } from "#io/node/log-files.ts";
import type { ConnectTcp, ListenTcp } from "#io/tcp.ts";
import type { OpenUdp } from "#io/udp.ts";
import type { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import { createForwarder, forwardLine, type LogSource } from "#link/logs/forward.ts";
import { MachineLogs } from "#link/logs/machine-logs.ts";
import { openLogReceiver } from "#link/logs/receiver.ts";

const MEBIBYTE = 1024 * 1024;
/** Of one file, and of one machine as a part of all. */
const SHARE = { file: MEBIBYTE, machine: 16 };
const LABEL = "cluster.x-k8s.io/cluster-name";

/** `directory`: the data directory. */
export function openMachineLogs(directory: string, settings: Settings, clock: Clock, log: Log): Promise<MachineLogs> {
  const total = settings["machine-logs-size"] * MEBIBYTE;
  const budget = { file: SHARE.file, machine: Math.max(2 * SHARE.file, total / SHARE.machine), total };
  return MachineLogs.open({ files: openLogFiles(join(directory, "logs")), clock, log, budget });
}

export interface LinkLogsOptions {
  readonly settings: Settings;
  readonly listenTcp: ListenTcp;
  readonly connectTcp: ConnectTcp;
  readonly openUdp: OpenUdp;
  /** In the tunnel. */
  readonly address: string;
  readonly port: number;
  readonly nameAt: (address: string) => string | undefined;
  readonly bindingOf: (machine: string) => ServerBinding | undefined;
  /** Of what is sent on: the Machine that owns a MetalMachine, by `namespace/name`. */
  readonly ownerOf: (metalMachine: string) => string | undefined;
  readonly logs: MachineLogs;
  readonly clock: Clock;
  readonly log: Log;
}

/** Rejects as the doors do. Resolves to what ends it. */
export async function openLinkLogs(options: LinkLogsOptions): Promise<{ close(): Promise<void> }> {
  const { settings, bindingOf, ownerOf, connectTcp: connect, logs, clock, log } = options;
  const to = parseForward(settings["forward-machine-logs"]);
  const sourceOf = (machine: string): LogSource => sourceIn(bindingOf(machine), ownerOf);
  const forwarder = to === undefined || to === "stdout" ? undefined : createForwarder({ connect, to, sourceOf, clock, log });
  const receiver = await openLogReceiver({
    ...options,
    forward: (machine, record) => {
      if (to === "stdout") process.stdout.write(`${forwardLine(machine, record, sourceOf(machine))}\n`);
      forwarder?.send(machine, record);
    },
  }).catch(async (error: unknown) => {
    await forwarder?.close();
    throw error;
  });
  return {
    close: async () => {
      await receiver.close();
      await forwarder?.close();
      await logs.flush();
    },
  };
}

/** By upstream's names. */
function sourceIn(binding: ServerBinding | undefined, ownerOf: LinkLogsOptions["ownerOf"]): LogSource {
  const { namespace, name } = binding?.spec?.metalMachineRef ?? {};
  const cluster = binding?.metadata.labels?.[LABEL];
  const machine = ownerOf(`${namespace}/${name}`);
  return {
    ...(cluster !== undefined && { cluster }),
    ...(namespace && { namespace }),
    ...(name && { metal_machine: name }),
    ...(machine !== undefined && { machine }),
  };
}
