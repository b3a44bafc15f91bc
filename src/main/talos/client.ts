/** The client of apid: gRPC over mutual TLS. */
import { fromBinary } from "@bufbuild/protobuf";
import { ConnectError, Code } from "@connectrpc/connect";
import { MachineConfigSpecSchema } from "#proto/cosi/resource_pb.js";
import {
  ApplyConfigurationRequest_Mode as ApplyMode,
  RebootRequest_Mode as RebootMode,
  ResetRequest_WipeMode as WipeMode,
} from "#proto/talos/machine_pb.js";
import { Fault } from "#std/fault.ts";
import type { TalosApi, TalosDial, TalosEvent } from "#talos/api.ts";
import { fileOf } from "./archive.ts";
import { faultOf, talosFault } from "./faults.ts";
import { Line } from "./line.ts";

const APPLY = {
  auto: ApplyMode.AUTO,
  reboot: ApplyMode.REBOOT,
  "no-reboot": ApplyMode.NO_REBOOT,
  staged: ApplyMode.STAGED,
  try: ApplyMode.TRY,
} as const;
const REBOOT = { default: RebootMode.DEFAULT, powercycle: RebootMode.POWERCYCLE, force: RebootMode.FORCE } as const;
/** Leaving etcd moves its leadership first; checking a configuration pulls nothing, but may look at disks. */
const SLOW = 60_000;
/** An upgrade answers after it has pulled the installer. */
const UPGRADE = 10 * 60_000;
const MOST_NAMES = 10_000;
const KUBECONFIG = 1024 * 1024;

export const dialTalos: TalosDial = (target): TalosApi => {
  const line = new Line(target);
  return {
    version: async () => {
      const answer = await line.call({ name: "Version", isRead: true }, (machine, options) => machine.version({}, options));
      const { version, platform } = only("Version", answer.messages);
      return { tag: version?.tag ?? "", arch: version?.arch ?? "", platform: platform?.name ?? "" };
    },
    hostname: async () => {
      const answer = await line.call({ name: "Hostname", isRead: true }, (machine, options) => machine.hostname({}, options));
      return only("Hostname", answer.messages).hostname;
    },
    bootstrap: async () => {
      try {
        await line.call({ name: "Bootstrap", isRead: false }, (machine, options) => machine.bootstrap({}, options));
        return "started";
      } catch (error) {
        if (Fault.is(error) && error.facts["grpc"] === Code[Code.AlreadyExists]) return "already";
        throw error;
      }
    },
    services: async () => {
      const answer = await line.call({ name: "ServiceList", isRead: true }, (machine, options) =>
        machine.serviceList({}, options),
      );
      return only("ServiceList", answer.messages).services.map(({ id, state, health }) => ({
        id,
        state,
        isHealthy: health === undefined || health.unknown ? undefined : health.healthy,
        message: health?.lastMessage ?? "",
      }));
    },
    etcdMembers: async () => {
      const answer = await line.call({ name: "EtcdMemberList", isRead: true }, (machine, options) =>
        machine.etcdMemberList({}, options),
      );
      return only("EtcdMemberList", answer.messages).members.map(({ id, hostname, peerUrls, clientUrls, isLearner }) => ({
        id: formatMember(id),
        hostname,
        peerUrls,
        clientUrls,
        isLearner,
      }));
    },
    etcdStatus: async () => {
      const answer = await line.call({ name: "EtcdStatus", isRead: true }, (machine, options) => machine.etcdStatus({}, options));
      const status = only("EtcdStatus", answer.messages).memberStatus;
      if (status === undefined) throw talosFault("talos.not-ready", "EtcdStatus: an answer without a status");
      const { memberId, leader, isLearner, raftIndex, raftAppliedIndex, errors } = status;
      return { memberId: formatMember(memberId), leader: formatMember(leader), isLearner, raftIndex, raftAppliedIndex, errors };
    },
    etcdForfeitLeadership: async () => {
      const answer = await line.call({ name: "EtcdForfeitLeadership", isRead: false, timeout: SLOW }, (machine, options) =>
        machine.etcdForfeitLeadership({}, options),
      );
      return only("EtcdForfeitLeadership", answer.messages).member;
    },
    etcdLeave: async () => {
      await line.call({ name: "EtcdLeaveCluster", isRead: false, timeout: SLOW }, (machine, options) =>
        machine.etcdLeaveCluster({}, options),
      );
    },
    etcdRemoveMember: async (id) => {
      const memberId = parseMember(id);
      await line.call({ name: "EtcdRemoveMemberByID", isRead: false, timeout: SLOW }, (machine, options) =>
        machine.etcdRemoveMemberByID({ memberId }, options),
      );
    },
    list: (path) => list(line, path),
    events: (options = {}) => events(line, options.tail ?? 0, options.signal),
    reset: async ({ graceful, reboot, systemPartitions = [] }) => {
      const request = {
        graceful,
        reboot,
        systemPartitionsToWipe: systemPartitions.map((label) => ({ label, wipe: true })),
        mode: WipeMode.ALL,
      };
      await line.call({ name: "Reset", isRead: false, timeout: SLOW }, (machine, options) => machine.reset(request, options));
    },
    upgrade: async ({ image, stage = false, force = false }) => {
      const request = { image, stage, force, preserve: true };
      await line.call({ name: "Upgrade", isRead: false, timeout: UPGRADE }, (machine, options) =>
        machine.upgrade(request, options),
      );
    },
    reboot: async ({ mode = "default" } = {}) => {
      await line.call({ name: "Reboot", isRead: false }, (machine, options) => machine.reboot({ mode: REBOOT[mode] }, options));
    },
    applyConfiguration: async ({ config, mode = "auto", dryRun = false }) => {
      const request = { data: new TextEncoder().encode(config), mode: APPLY[mode], dryRun };
      const settings = { name: "ApplyConfiguration", isRead: false, timeout: SLOW, isQuiet: true };
      const answer = await line.call(settings, (machine, options) => machine.applyConfiguration(request, options));
      const { warnings, modeDetails } = only("ApplyConfiguration", answer.messages);
      return { warnings, details: modeDetails };
    },
    configuration: () => configuration(line),
    kubeconfig: () => kubeconfig(line),
    close: () => line.close(),
  };
};

function only<T>(call: string, messages: readonly T[]): T {
  const [message] = messages;
  if (message === undefined) throw talosFault("talos.not-ready", `${call}: an answer without a message`);
  return message;
}

function formatMember(id: bigint): string {
  return id.toString(16).padStart(16, "0");
}

function parseMember(id: string): bigint {
  if (/^[0-9a-f]{1,16}$/.test(id)) return BigInt(`0x${id}`);
  throw new Fault("talos.refused", "a member of etcd is a number of 16 hexadecimal digits", { fault: "caller", retry: "never" });
}

/** Go's text for ENOENT; Talos passes it on as an error of no kind. */
const MISSING = /: no such file or directory$/;

function list(line: Line, path: string): Promise<string[]> {
  return line.call({ name: "List", isRead: true }, async (machine, options) => {
    const names: string[] = [];
    try {
      for await (const { relativeName, error, metadata } of machine.list({ root: path }, options)) {
        if (metadata !== undefined && MISSING.test(metadata.error)) return [];
        if (metadata !== undefined && metadata.error !== "") throw talosFault("talos.not-ready", `List: ${metadata.error}`);
        // The directory itself comes first, and what cannot be read comes with an error.
        if (error === "" && relativeName !== "." && relativeName !== "" && names.length < MOST_NAMES) names.push(relativeName);
      }
    } catch (error) {
      const { code, rawMessage } = ConnectError.from(error);
      if (code === Code.NotFound || (code === Code.Unknown && MISSING.test(rawMessage))) return [];
      throw error;
    }
    return names;
  });
}

async function* events(
  line: Line,
  tailEvents: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<TalosEvent, void, undefined> {
  const { machine, name, headers } = line.first();
  try {
    const options = { headers, ...(signal === undefined ? {} : { signal }) };
    for await (const { id, actorId, data } of machine.events({ tailEvents }, options)) {
      const type = (data?.typeUrl ?? "").replace(/^.*\//, "");
      yield { id, actorId, type, value: data?.value ?? new Uint8Array() };
    }
  } catch (error) {
    if (signal?.aborted === true) return;
    throw faultOf(error, "Events", name);
  }
}

async function configuration(line: Line): Promise<string> {
  const about = { namespace: "config", type: "MachineConfigs.config.talos.dev", id: "v1alpha1" };
  const { resource } = await line.call({ name: "Get", isRead: true, isQuiet: true }, (_machine, options, resources) =>
    resources.get(about, options),
  );
  const { protoSpec = new Uint8Array() } = resource?.spec ?? {};
  const bytes = specOf(protoSpec);
  if (bytes.length === 0) throw talosFault("talos.not-ready", "Get: an answer without a configuration");
  return new TextDecoder().decode(bytes);
}

function specOf(protoSpec: Uint8Array): Uint8Array {
  try {
    return fromBinary(MachineConfigSpecSchema, protoSpec).yamlMarshalled;
  } catch (cause) {
    throw talosFault("talos.not-ready", "Get: an answer that does not parse", {}, cause);
  }
}

async function kubeconfig(line: Line): Promise<string> {
  const archive = await line.call({ name: "Kubeconfig", isRead: true, timeout: SLOW }, async (machine, options) => {
    const pieces: Uint8Array[] = [];
    let length = 0;
    for await (const { bytes, metadata } of machine.kubeconfig({}, options)) {
      if (metadata !== undefined && metadata.error !== "") throw talosFault("talos.not-ready", `Kubeconfig: ${metadata.error}`);
      length += bytes.length;
      if (length > KUBECONFIG) throw talosFault("talos.not-ready", "Kubeconfig: what was sent is too long");
      pieces.push(bytes);
    }
    return Buffer.concat(pieces);
  });
  return fileOf(archive, "kubeconfig");
}
