/** Configurations that stand in Machines of Cluster API v1alpha2: they are kept in a Secret, as all others are. */
import { CONVERSION_DATA } from "#schema/conversion.ts";
import { isObject } from "#std/json.ts";
import type { Machine } from "#kinds/cluster/v1beta2/machine.ts";
import { isDeleting } from "../cluster/external.ts";

export interface ObservedInline {
  readonly machine: Machine;
  /** Base64; undefined: its configuration comes from elsewhere. */
  readonly data: string | undefined;
  readonly hasSecret: boolean;
}

/** The effect carries no secret: who acts looks it up again. */
export interface StoreInline {
  readonly do: "store";
  readonly machine: Machine;
  readonly secret: string;
}

/** What the Machine said when it came in, where that was in v1alpha2: no later version has a place for it. */
export function inlineDataOf({ metadata, spec }: Machine): string | undefined {
  const text = metadata.annotations?.[CONVERSION_DATA];
  if (text === undefined || spec?.bootstrap.configRef !== undefined || spec?.bootstrap.dataSecretName === undefined)
    return undefined;
  const kept = parsed(text);
  const said = isObject(kept) && kept["apiVersion"] === "cluster.x-k8s.io/v1alpha2" ? kept["spec"] : undefined;
  const bootstrap = isObject(said) ? said["bootstrap"] : undefined;
  const data = isObject(bootstrap) ? bootstrap["data"] : undefined;
  return typeof data === "string" && data !== "" ? data.replaceAll(/\s/g, "") : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function decideInline({ machine, data, hasSecret }: ObservedInline): { readonly effects: readonly StoreInline[] } {
  const secret = machine.spec?.bootstrap.dataSecretName;
  if (data === undefined || secret === undefined || hasSecret || isDeleting(machine)) return { effects: [] };
  return { effects: [{ do: "store", machine: withoutAnnotations(machine), secret }] };
}

/** Effects are logged, and a configuration may stand in the annotations. */
export function withoutAnnotations(machine: Machine): Machine {
  const { annotations: _annotations, ...metadata } = machine.metadata;
  return { ...machine, metadata };
}
