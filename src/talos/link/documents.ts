/**
 * SideroLink in a machine's configuration: from Talos 1.10 on a machine that was installed under UEFI boots with arguments that are part of
 * its image, and those it was netbooted with are gone (facts §6, Q28). Appended; what is there already stays as it was written.
 */
import type { Contract } from "../contract.ts";
import type { MachineConfig } from "../document/document.ts";
import { documentOf, sameIdentity, withDocuments } from "../document/document.ts";

export interface LinkEnds {
  /** As in the `siderolink.api` kernel argument, with a scheme: `grpc://host:port?jointoken=…` */
  readonly api: string;
  /** host:port of the event sink in the tunnel, IPv6 in brackets. */
  readonly events: string;
  /** `tcp://host:port` or `udp://host:port` of the log receiver in the tunnel. */
  readonly logs: string;
}

/** Of Talos 1. Older ones boot from disk with the arguments they were installed with, and some refuse documents they do not know. */
const FIRST_MINOR = 10;

/** With the documents that are missing. Who has one of the same kind (and name) has it for a reason: it is left alone. */
export function withLink(config: MachineConfig, { minor }: Contract, ends: LinkEnds): MachineConfig {
  if (minor < FIRST_MINOR) return config;
  const missing = [
    { apiVersion: "v1alpha1", kind: "SideroLinkConfig", apiUrl: ends.api },
    { apiVersion: "v1alpha1", kind: "EventSinkConfig", endpoint: ends.events },
    { apiVersion: "v1alpha1", kind: "KmsgLogConfig", name: "remote-log", url: ends.logs },
  ]
    .map(documentOf)
    .filter(({ identity }) => !config.documents.some((document) => sameIdentity(document.identity, identity)));
  return missing.length === 0 ? config : withDocuments(config, [...config.documents, ...missing]);
}
