/** `/configdata`: where Talos asks for its configuration (sidero.md §6). */
import type { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import { askerOf } from "../http/asker.ts";
import { bootstrapDataOf } from "./chain.ts";
import { type Configuration, Configurations } from "./configurations.ts";
import { noConfig } from "./fault.ts";
import type { Gate, GateOptions, Refusal } from "./gate.ts";

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

/** Rejects with the Faults of the API only. */
export function createConfigRoute(
  { inventory, clock, witness }: GateOptions,
  gate: Gate,
  read: ReadConfiguration,
): (query: URLSearchParams, address: string) => Promise<Answer> {
  return async (query, address) => {
    if (!query.get("uuid")) return { is: "unheard", status: 500, because: "a metadata request without uuid" };
    if (!inventory.isComplete) return STARTING;
    const { uuid = "", mac } = askerOf(query, address);
    return gate.pass({ address, token: query.get("token") ?? undefined, uuid, mac }, async (admitted) => {
      const { server, binding, of } = admitted;
      const { text, addresses } = await read(server, binding);
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
