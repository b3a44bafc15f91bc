/** The continue token of a list: revision and start key, in the form of Kubernetes (apiserver `storage/continue.go`). */
import { isObject } from "#std/json.ts";
import type { Json } from "#std/json.ts";
import { goTypeMismatch } from "../go-types.ts";
import { badRequest } from "#kube/status.ts";
import { syntaxProblem } from "#schema/json-text.ts";

export interface Continuation {
  /** The revision of the list's first page; -1 goes on with whatever is there now. */
  readonly revision: number;
  readonly after: { readonly namespace: string; readonly name: string };
}

const VERSION = "meta.k8s.io/v1";

/** `within` is the namespace of the list, which the key leaves out. */
export function encodeContinue(continuation: Continuation, within: string | undefined): string {
  const { namespace, name } = continuation.after;
  const start = within === undefined && namespace !== "" ? `${namespace}/${name}\u0000` : `/${name}\u0000`;
  return Buffer.from(JSON.stringify({ v: VERSION, rv: continuation.revision, start })).toString("base64url");
}

/** Throws 400 with the genuine texts. */
export function decodeContinue(token: string, within: string | undefined, namespaced: boolean): Continuation {
  const { v, rv, start } = readToken(token);
  if (v !== VERSION) throw refused(`server does not recognize this encoded version ${typeof v === "string" ? v : ""}`);
  if (typeof rv !== "number" || !Number.isSafeInteger(rv) || rv === 0)
    throw refused(`incorrect encoded start resourceVersion (version ${VERSION})`);
  if (typeof start !== "string" || start === "") throw refused(`encoded start key empty (version ${VERSION})`);
  const key = start.replace(/^\//, "").replace(/\0$/, "");
  const segments = key.split("/");
  const expected = namespaced && within === undefined ? 2 : 1;
  if (segments.length !== expected || segments.some((segment) => segment === "" || segment === "." || segment === ".."))
    throw refused(start);
  const name = segments.at(-1)!;
  return { revision: rv, after: { namespace: expected === 2 ? segments[0]! : (within ?? ""), name } };
}

function readToken(token: string): { v?: unknown; rv?: unknown; start?: unknown } {
  const illegal = token.search(/[^A-Za-z0-9_-]/);
  if (illegal >= 0) throw refused(`illegal base64 data at input byte ${illegal}`);
  const bytes = Buffer.from(token, "base64url");
  const problem = syntaxProblem(bytes);
  if (problem !== undefined) throw refused(problem);
  const value = JSON.parse(bytes.toString("utf8")) as Json;
  if (!isObject(value)) throw refused(goTypeMismatch(value, "Go value of type storage.continueToken"));
  return value;
}

function refused(problem: string): Error {
  return badRequest(`invalid continue token: continue key is not valid: ${problem}`);
}
