/** What is told of a ClusterClass, and that its templates go with it (§2.8). */
import { PAUSED } from "#kinds/cluster/keys.ts";
import type { ClusterClass, TemplateReference } from "#kinds/cluster/v1beta2/cluster-class.ts";
import type { Condition } from "#kinds/condition.ts";
import type { Said } from "#schema/condition.ts";
import type { OwnerReference } from "#schema/meta.ts";
import { isObject, type JsonObject } from "#std/json.ts";
import { pausedCondition, setAll } from "../machine-set/status.ts";

export interface ObservedClass {
  readonly clusterClass: ClusterClass;
  /** Templates that are there, by their owners. */
  readonly templates: readonly { readonly reference: TemplateReference; readonly owners: readonly OwnerReference[] }[];
  /** Templates that are not. */
  readonly missing: readonly TemplateReference[];
}

export interface ClassEffect {
  readonly do: "own-template";
  readonly reference: TemplateReference;
  readonly namespace: string;
  readonly owners: readonly OwnerReference[];
}

type Status = NonNullable<ClusterClass["status"]>;

export interface ClassDecision {
  readonly effects?: readonly ClassEffect[];
  readonly status?: { readonly [K in keyof Status]?: Status[K] | undefined };
}

export function decideClass({ clusterClass, templates, missing }: ObservedClass, now: number): ClassDecision {
  const { metadata, spec, status } = clusterClass;
  if (metadata.deletionTimestamp !== undefined) return {};
  const isPaused = metadata.annotations?.[PAUSED] !== undefined;
  if (isPaused) {
    const said = pausedCondition(`ClusterClass has the ${PAUSED} annotation`);
    return { status: { conditions: setAll(status?.conditions, [said], now) } };
  }
  const { namespace = "", name = "", uid = "" } = metadata;
  const owner = { apiVersion: clusterClass.apiVersion, kind: clusterClass.kind, name, uid };
  const effects = templates.flatMap(({ reference, owners }): ClassEffect[] =>
    owners.some((each) => each.uid === uid) ? [] : [{ do: "own-template", reference, namespace, owners: [...owners, owner] }],
  );
  const variables = (spec?.variables ?? []).map(({ name: variable, required, schema }): JsonObject => {
    const definition = {
      from: "inline",
      required,
      schema: { openAPIV3Schema: isObject(schema.openAPIV3Schema) ? schema.openAPIV3Schema : {} },
    };
    return { name: variable, definitionsConflict: false, definitions: [definition] };
  });
  return {
    effects,
    status: {
      observedGeneration: metadata.generation ?? 1,
      variables: variables.length === 0 ? undefined : variables,
      conditions: setAll(
        status?.conditions,
        [pausedCondition(undefined), variablesReady(clusterClass), templatesThere(missing)],
        now,
      ),
    },
  };
}

/** Variables that a runtime extension would bring are never known. */
function variablesReady({ spec }: ClusterClass): Said<Condition> {
  const foreign = (spec?.patches ?? []).filter(({ external }) => external?.discoverVariablesExtension !== undefined);
  if (foreign.length === 0) return { type: "VariablesReady", status: "True", reason: "VariablesReady" };
  const message = `runtime extensions are not called: patch ${foreign.map(({ name }) => name).join(", ")}`;
  return { type: "VariablesReady", status: "False", reason: "VariableDiscoveryFailed", message };
}

/** Versions of references are looked up from the contract whatever they say, so that only what is not there is out of date. */
function templatesThere(missing: readonly TemplateReference[]): Said<Condition> {
  if (missing.length === 0) return { type: "RefVersionsUpToDate", status: "True", reason: "RefVersionsUpToDate" };
  const message = missing.map(({ kind, name }) => `* ${kind} ${name} does not exist`).join("\n");
  return { type: "RefVersionsUpToDate", status: "Unknown", reason: "InternalError", message };
}
