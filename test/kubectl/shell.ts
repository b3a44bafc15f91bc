/** Runs the lines of a dialogue with one kubectl against one server, and writes the transcript. */
import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Dialogue } from "./dialogues.ts";

const FILES = fileURLToPath(new URL("files", import.meta.url));

/** One line and all that it printed, stderr behind stdout, with what is of the moment renamed. */
export interface Turn {
  readonly line: string;
  readonly output: string;
  readonly code: number;
}

function bash(line: string, cwd: string, env: Record<string, string>): Promise<Turn> {
  return new Promise((resolve) => {
    execFile("bash", ["-c", line], { cwd, env, timeout: 60_000 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
      resolve({ line, code, output: `${stdout}${stderr}` });
    });
  });
}

/** Identities, times, revisions, ages and the server's address; columns close up, as an age may need a character more. */
function normalize(text: string): string {
  return text
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/g, "<uid>")
    .replaceAll(/\b20(?:2[6-9]|[3-9]\d)-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, "<time>")
    .replaceAll(/(resourceVersion"?:\s*"?)\d+/g, "$1<revision>")
    .replaceAll(/(Resource Version:\s*)\d+/g, "$1<revision>")
    .replaceAll(/https:\/\/127\.0\.0\.1:\d+/g, "<server>")
    .replaceAll(/127\.0\.0\.1:\d+/g, "<server>")
    .replaceAll(/(?<=\s)\d+m?\d*s(?=\s|$)/gm, "<age>")
    .replaceAll(/(?<=\s)\d+y\d*d?(?=\s|$)/gm, "<years>")
    .replaceAll(/[EIW]\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ /g, "<log> ")
    .replaceAll(/\/tmp\/\S+/g, "<file>")
    .replaceAll(/ {2,}(?=\S)/g, (blanks, offset: number, all: string) =>
      offset === 0 || all[offset - 1] === "\n" ? blanks : "  ",
    )
    .replaceAll(/[ \t]+$/gm, "");
}

/** `namespace` is made first and is the context's; `kubectl` is the path of the program that the lines call by its name. */
export async function converse(dialogue: Dialogue, kubectl: string, kubeconfig: string, namespace: string): Promise<Turn[]> {
  const folder = mkdtempSync(join(tmpdir(), "sidero-dialogue-"));
  try {
    cpSync(FILES, folder, { recursive: true });
    cpSync(kubeconfig, join(folder, "kubeconfig"));
    symlinkSync(kubectl, join(folder, "kubectl"));
    const env = {
      PATH: `${folder}:${process.env["PATH"]}`,
      HOME: folder,
      KUBECONFIG: join(folder, "kubeconfig"),
      NS: namespace,
      LC_ALL: "C.UTF-8",
    };
    const context = `kubectl config set-context --current --namespace=${namespace}`;
    const { code, output } = await bash(`kubectl create namespace ${namespace} && ${context}`, folder, env);
    if (code !== 0) throw new Error(`no namespace to talk in: ${output}`);
    const turns: Turn[] = [];
    for (const line of dialogue.lines) {
      const { output, code } = await bash(line, folder, env);
      turns.push({ line, code, output: normalize(output) });
    }
    return turns;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function transcript(turns: readonly Turn[]): string {
  return turns.map(({ line, output, code }) => `$ ${line}\n${output}${code === 0 ? "" : `(exit ${code})\n`}`).join("\n");
}
