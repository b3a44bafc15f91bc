/**
 * iPXE scripts as values. Whoever writes one says what it does; {@link file://./encode.ts} turns it into text once, so no name, address
 * or argument from elsewhere can become a command.
 */
import type { Duration } from "#std/duration.ts";
import type { Argument } from "./argument.ts";

/** What iPXE puts in when it runs the script, e.g. `uuid`, `net0/mac:hexhyp`, `net${idx}/mac`; empty where the machine has no such setting. */
export interface Setting {
  readonly setting: string;
}

/** Literal text, or literal text and settings in turn. A literal stays what it is, whatever it looks like. */
export type Text = string | readonly (string | Setting)[];

export type Command =
  | { readonly do: "echo"; readonly text: Text }
  | { readonly do: "set"; readonly setting: string; readonly text: Text }
  | { readonly do: "clear"; readonly setting: string }
  | { readonly do: "inc"; readonly setting: string }
  /** Succeeds when the text is not empty. */
  | { readonly do: "isset"; readonly text: Text }
  | { readonly do: "iseq"; readonly left: Text; readonly right: Text }
  | { readonly do: "goto"; readonly label: string }
  /** Rounded up to whole seconds. */
  | { readonly do: "sleep"; readonly time: Duration }
  /** Fails when nobody presses the key (a code) in time. */
  | { readonly do: "prompt"; readonly text: Text; readonly key?: number; readonly timeout?: Duration }
  | { readonly do: "ifstat" | "route" | "imgfree" | "boot" | "reboot" | "poweroff" | "shell" }
  /** Of all interfaces where none is named. */
  | { readonly do: "ifclose" | "dhcp"; readonly device?: Text }
  /** Not in iPXE before 2020. */
  | { readonly do: "iflinkwait"; readonly device?: Text; readonly timeout: Duration }
  | {
      readonly do: "kernel";
      readonly uri: Text;
      readonly name?: string;
      readonly arguments?: readonly Argument[];
      /** The settings that are filled in where the arguments have `${name}`; any other is refused. */
      readonly settings?: readonly string[];
    }
  | { readonly do: "initrd"; readonly uri: Text; readonly name?: string }
  /** With `replace` the script that runs is left for good, else a failure or an `exit` comes back to it. */
  | { readonly do: "chain"; readonly uri: Text; readonly replace?: boolean; readonly autofree?: boolean }
  /** Boots from a disk: BIOS counts from 0x80, UEFI from 0. */
  | { readonly do: "sanboot"; readonly drive: number; readonly filename?: string }
  /** To whoever started the script: the firmware goes on with its next boot entry. A status other than 0 is a failure. */
  | { readonly do: "exit"; readonly status?: number };

/** A command, and what comes of it. A failure that nothing follows ends the script. */
export interface Step {
  readonly run: Command;
  /** When it succeeded. */
  readonly onSuccess?: Command;
  /** When it, or `onSuccess`, failed. */
  readonly onFailure?: Command | "continue";
}

export type Line = Step | { readonly label: string };

export type Script = readonly Line[];
