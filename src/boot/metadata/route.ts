/** `/configdata`: where Talos asks for its configuration (sidero.md §6). */
import { encodeToken } from "#decide/identity/token.ts";
import { linkUrl } from "#decide/link/url.ts";
import type { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import { type LinkFacts, linkText } from "#talos/link/append.ts";
import { askerOf } from "../http/asker.ts";
import { bootstrapDataOf } from "./chain.ts";
import { type Configuration, Configurations } from "./configurations.ts";
import { noConfig } from "./fault.ts";
import type { Admitted, Gate, GateOptions, Refusal } from "./gate.ts";

export type Answer =
  | { readonly is: "served"; readonly text: Buffer; readonly type: string }
  /** It is on record already. */
  | Refusal
  /** It was not gone into. */
  | { readonly is: "unheard"; readonly status: 404 | 500 | 503; readonly because: string };

export const STARTING: Answer = { is: "unheard", status: 503, because: "starting: ask again" };

/** The configuration of a machine that is held. Rejects with Fault `boot.config` and with those of the API. */
export type ReadConfiguration = (server: Server, binding: ServerBinding) => Promise<Configuration>;

export function createConfigurationReader({
  metadata,
  inventory,
}: Pick<GateOptions, "metadata" | "inventory">): ReadConfiguration {
  const configurations = new Configurations();
  return async (server, binding) => {
    const className = binding.spec?.serverClassRef?.name;
    const serverClass = className ? inventory.serverClass(className) : undefined;
    if (className && serverClass === undefined) throw noConfig(500, "missing", `there is no ServerClass ${className}`);
    const data = await bootstrapDataOf(binding, metadata.port);
    return configurations.of({ data, server, serverClass });
  };
}

/** Who asks: from where, and where it has called us (`host:port`). */
export interface Caller {
  readonly address: string;
  readonly endpoint: string;
}

/** Rejects with the Faults of the API only. */
export function createConfigRoute(
  options: GateOptions,
  gate: Gate,
  read: ReadConfiguration,
): (query: URLSearchParams, caller: Caller) => Promise<Answer> {
  const { inventory, clock, witness } = options;
  return async (query, { address, endpoint }) => {
    if (!query.get("uuid")) return { is: "unheard", status: 500, because: "a metadata request without uuid" };
    if (!inventory.isComplete) return STARTING;
    const { uuid = "", mac } = askerOf(query, address);
    return gate.pass({ address, token: query.get("token") ?? undefined, uuid, mac }, async (admitted) => {
      const { server, binding, of } = admitted;
      const { text: own, addresses, link } = await read(server, binding);
      const text = Buffer.concat([own, linkDocuments(link, admitted, endpoint, options)]);
      await gate.record(admitted, addresses);
      witness({
        of,
        at: clock.now(),
        what: "config.served",
        text: `got its configuration, ${text.length} bytes`,
        bytes: text.length,
      });
      return { is: "served", text, type: "application/yaml" };
    });
  };
}

/** So that it also joins SideroLink when it boots from its disk, without these kernel arguments; with a token of the same boot. */
function linkDocuments(facts: LinkFacts, { token }: Admitted, endpoint: string, { sideroLink, seal }: GateOptions): Buffer {
  const end = sideroLink?.();
  if (end === undefined || token === undefined) return Buffer.alloc(0);
  const { binding: _, ...boot } = token;
  const join = encodeToken({ ...boot, purpose: "link" }, seal);
  const api = linkUrl({ endpoint, token: join, overGrpc: end.overGrpc ?? false });
  return Buffer.from(linkText(facts, { api, events: `${end.host}:4002`, logs: `tcp://${end.host}:4001` }));
}
