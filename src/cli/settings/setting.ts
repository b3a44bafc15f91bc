/**
 * One setting, described once. The table of them makes the flags, the environment variables, the configuration file, the help,
 * the reference page and (later) the manifest.
 */
import type { Duration } from "#std/duration.ts";

/** host:port to listen on. An empty host means every address; undefined means the listener is off. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** Who reads the setting. `manifest` settings shape the Kubernetes deployment and no process. */
export type Role = "up" | "serve" | "agent" | "manifest";

/** Who runs as a service. */
export const PROCESS = ["up", "serve"] as const satisfies readonly Role[];
/** How clusterctl's variables of upstream's controller manager begin. */
export const CONTROLLER_MANAGER = "SIDERO_CONTROLLER_MANAGER_";

interface About {
  readonly doc: string;
  /** Environment variables, the first that is set wins; a flag wins over all, the file loses to all. */
  readonly env?: readonly string[];
  readonly roles: readonly Role[];
  readonly group:
    | "API server"
    | "Provisioning"
    | "Servers"
    | "Clusters"
    | "SideroLink"
    | "Process"
    | "Diagnostics"
    | "Manifest"
    | "Agent";
  /** Word for the value in the help text. */
  readonly value?: string;
  /** clusterctl cannot pass an empty default, so upstream writes a dash for "not given": the next place is looked at. */
  readonly dashIsEmpty?: boolean;
}

export interface TextSetting extends About {
  readonly type: "text";
  readonly default: string;
  /** A message for a bad text, undefined for a good one. Not asked about the default. */
  readonly check?: (text: string) => string | undefined;
}
export interface ChoiceSetting<Choice extends string = string> extends About {
  readonly type: "choice";
  readonly default: Choice;
  readonly choices: readonly Choice[];
}
export interface FlagSetting extends About {
  readonly type: "boolean";
  readonly default: boolean;
}
export interface NumberSetting extends About {
  readonly type: "integer" | "fraction";
  readonly default: number;
  readonly min: number;
  readonly max: number;
}
export interface DurationSetting extends About {
  readonly type: "duration";
  readonly default: Duration;
  readonly min: Duration;
}
export interface AddressSetting extends About {
  readonly type: "address";
  /** As written on the command line; "off" for none. */
  readonly default: string;
}
export interface ListSetting extends About {
  readonly type: "list";
  readonly default: readonly string[];
  readonly separator: "," | " ";
  /** A message for a bad item, undefined for a good one. */
  readonly check?: (item: string) => string | undefined;
}
/** Some of a few words. */
export interface SeveralSetting<Choice extends string = string> extends About {
  readonly type: "several";
  readonly default: readonly Choice[];
  readonly choices: readonly Choice[];
}

export type Setting =
  | TextSetting
  | ChoiceSetting
  | SeveralSetting
  | FlagSetting
  | NumberSetting
  | DurationSetting
  | AddressSetting
  | ListSetting;

/** The type a setting has once read. */
export type ValueOf<S> = S extends { type: "choice"; choices: readonly (infer Choice)[] }
  ? Choice
  : S extends { type: "several"; choices: readonly (infer Choice)[] }
    ? readonly Choice[]
    : S extends { type: "text" }
      ? string
      : S extends { type: "boolean" }
        ? boolean
        : S extends { type: "integer" | "fraction" | "duration" }
          ? number
          : S extends { type: "address" }
            ? ListenAddress | undefined
            : S extends { type: "list" }
              ? readonly string[]
              : never;
