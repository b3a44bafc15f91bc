/** Bearer tokens from a file of Kubernetes' static format: `token,user,uid,"group1,group2"` per line. */
import { Fault } from "#std/fault.ts";
import type { Digest } from "#io/digest.ts";
import type { User } from "./request.ts";

export interface Tokens {
  find(token: string): User | undefined;
}

/**
 * Tokens are looked up by their digest: how long that takes tells nothing about the tokens there are. A token that occurs twice
 * belongs to the last line. Fault `api.bad-token-file` names the line, never its content.
 */
export function readTokens(csv: string, digest: Digest): Tokens {
  const users = new Map<string, User>();
  for (const { line, fields } of readCsv(csv)) {
    const [token, name, uid, groups = ""] = fields;
    if (token === undefined || name === undefined || uid === undefined)
      throw badFile(line, "needs at least token, user name and user uid");
    if (token === "") throw badFile(line, "has an empty token");
    if (name === "") throw badFile(line, "has an empty user name");
    const user = { name, uid, groups: groups.split(",").filter((group) => group !== "") };
    users.set(digest(token), user);
  }
  return { find: (token) => users.get(digest(token)) };
}

function badFile(line: number, problem: string): Fault {
  return new Fault("api.bad-token-file", `line ${line} of the token file ${problem}`, { fault: "caller", retry: "never" });
}

/** One record of RFC 4180: fields bare or in double quotes, where `""` is a quote. */
const FIELD = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y;

/** RFC 4180 without a header; blank lines are skipped. */
function* readCsv(text: string): Generator<{ line: number; fields: string[] }> {
  let line = 1;
  let fields: string[] = [];
  FIELD.lastIndex = 0;
  while (FIELD.lastIndex < text.length || fields.length > 0) {
    const start = line;
    const found = FIELD.exec(text);
    if (found === null) throw badFile(line, "is not CSV: a quote in the wrong place");
    const [whole, quoted, bare, end] = found;
    fields.push(quoted?.replaceAll('""', '"') ?? bare!);
    line += whole.split("\n").length - 1;
    if (end === ",") continue;
    if (fields.length > 1 || fields[0] !== "") yield { line: start, fields };
    fields = [];
  }
}
