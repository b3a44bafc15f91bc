/**
 * iPXE's script interpreter as far as words and lines go, written from its sources (src/image/script.c, src/core/{exec,settings,getopt}.c) and
 * not from ours: what a script does, as the commands with their arguments.
 */

export interface Ran {
  /** Every command that ran, with its arguments after expansion; options and their end included. */
  readonly commands: string[][];
  /** The console, line by line. */
  readonly printed: string[];
}

const SPACE = /[ \t\n\v\f\r]+/;
const STEP_LIMIT = 10_000;

interface SourceLine {
  readonly label: string | undefined;
  readonly command: string;
}

function readLines(script: string): SourceLine[] {
  const lines: SourceLine[] = [];
  const parts = (script.endsWith("\n") ? script.slice(0, -1) : script).split("\n");
  let pending = "";
  for (const part of parts) {
    let line = pending + part;
    if (line.endsWith("\r")) line = line.slice(0, -1);
    if (line.endsWith("\\")) {
      pending = line.slice(0, -1);
      continue;
    }
    pending = "";
    const text = line.split("\0")[0]!.replace(/^[ \t\n\v\f\r]+/, "");
    const label = /^:([^ \t\n\v\f\r]*)/.exec(text);
    lines.push({ label: label?.[1], command: label === null ? text : text.slice(label[0].length) });
  }
  return lines;
}

/**
 * Runs a script. Settings are kept as text; commands that it does not know succeed unless `outcome` says that they fail, or that they end the
 * script; `nosuch` and `z` fail.
 */
export function runModel(
  script: string,
  settings: Map<string, string> = new Map<string, string>(),
  outcome: (argv: readonly string[]) => "fails" | "ends" | undefined = () => undefined,
): Ran {
  const lines = readLines(script);
  const commands: string[][] = [];
  let console = "";

  const expand = (token: string): string => {
    let text = token;
    for (let round = 0; round < 100; round++) {
      let start = -1;
      let end = -1;
      for (let i = 0; i < text.length; i++) {
        if (text.startsWith("${", i)) start = i;
        if (start >= 0 && text[i] === "}") {
          end = i;
          break;
        }
      }
      if (end < 0) return text;
      const name = text.slice(start + 2, end).split(":")[0]!;
      text = text.slice(0, start) + (name === "" ? "" : (settings.get(name) ?? "")) + text.slice(end + 1);
    }
    throw new Error(`${token} expands for ever`);
  };

  /** The operands, after the options. */
  const operandsOf = (argv: string[]): { options: string[]; operands: string[] } => {
    let at = 1;
    while (at < argv.length && argv[at]!.startsWith("-")) {
      at++;
      if (argv[at - 1] === "--") break;
    }
    return { options: argv.slice(1, at), operands: argv.slice(at) };
  };

  /** 0 is success; a label to go to, or the end, come as words. */
  const execute = (argv: string[]): number | { goto: string } | "exit" => {
    const name = argv[0];
    if (name === undefined) return 0;
    commands.push(argv);
    const told = outcome(argv);
    if (told !== undefined) return told === "fails" ? 1 : "exit";
    const { options, operands } = operandsOf(argv);
    switch (name) {
      case "echo":
        console += operands.join(" ") + (options.includes("-n") ? "" : "\n");
        return 0;
      case "set": {
        const [setting, type] = operands[0]!.split(":");
        const value = operands.slice(1).join(" ");
        const text = type === "hex" ? String.fromCharCode(...value.split(":").map((pair) => Number.parseInt(pair, 16))) : value;
        settings.set(setting!, text);
        return 0;
      }
      case "iseq":
        return operands[0] === operands[1] ? 0 : 1;
      case "isset":
        return operands[0] === "" ? 1 : 0;
      case "inc":
        settings.set(operands[0]!, String(Number(settings.get(operands[0]!) ?? 0) + 1));
        return 0;
      case "goto":
        return { goto: operands[0]! };
      case "exit":
        return "exit";
      case "nosuch":
      case "z":
        console += `${name}: command not found\n`;
        return 1;
      default:
        return 0;
    }
  };

  let at = 0;
  for (let step = 0; at < lines.length; step++) {
    if (step > STEP_LIMIT) throw new Error("the script does not end");
    const tokens = lines[at++]!.command.split(SPACE).filter((token) => token !== "");
    let failed = 0;
    let isRunning = true;
    let isStopped = false;
    for (let from = 0; ;) {
      let end = from;
      while (end < tokens.length && !["&&", "||", ";"].includes(tokens[end]!) && !tokens[end]!.startsWith("#")) end++;
      if (isRunning) {
        const outcome = execute(tokens.slice(from, end).map(expand));
        if (outcome === "exit") return { commands, printed: linesOf(console) };
        if (typeof outcome === "object") {
          at = lines.findIndex(({ label }) => label === outcome.goto);
          if (at < 0) throw new Error(`no label ${outcome.goto}`);
          isStopped = true;
        }
        failed = typeof outcome === "number" ? outcome : 0;
      }
      const terminator = tokens[end];
      if (isStopped || terminator === undefined || terminator.startsWith("#")) break;
      isRunning = terminator === ";" || (terminator === "&&") === (failed === 0);
      from = end + 1;
    }
    if (failed !== 0) break;
  }
  return { commands, printed: linesOf(console) };
}

function linesOf(text: string): string[] {
  return text.replace(/\n$/, "").split("\n");
}
