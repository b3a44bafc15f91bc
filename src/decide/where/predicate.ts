/**
 * `spec.where` of a ServerClass: a predicate in CEL over a Server's hardware, labels and host name. Everything that knows of CEL's implementation is in
 * this folder. Pure: the same Server has the same verdict.
 */
import { celEnv, isCelError, parse, plan } from "@bufbuild/cel";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import { check, type Parsed } from "./check.ts";
import { factsOf } from "./facts.ts";
import { FUNCTIONS } from "./function.ts";
import { show, VARIABLES } from "./type.ts";

/** `failed`: it could not be told, and why. Such a Server is not in the class. */
export type Verdict = { readonly matches: boolean } | { readonly failed: string };

export type Where = (server: Server) => Verdict;

export interface CompiledWhere {
  readonly where: Where;
  /** Names of what it asks about: parts of the hardware, `labels`, `hostname`, `name`. */
  readonly used: ReadonlySet<string>;
}

/** Characters, brackets inside one another, and loops inside one another, that a predicate may have. */
export const LONGEST = 2048;
const DEEPEST = 32;
const MOST_LOOPS = 2;
/** Steps that it may take on one machine: some milliseconds. */
const MOST_WORK = 200_000;

const environment = celEnv({ funcs: [...FUNCTIONS] });

/** The predicate, or what is wrong with it, with its place: `line 1, column 13: memory has no size; …`. */
export function compileWhere(text: string): CompiledWhere | { readonly problems: readonly string[] } {
  if (text.length > LONGEST) return { problems: [`it has ${text.length} characters; at most ${LONGEST}`] };
  if (depthOf(text) > DEEPEST) return { problems: [`more than ${DEEPEST} brackets are inside one another`] };
  let parsed: Parsed;
  try {
    parsed = parse(text);
  } catch (error) {
    return { problems: [syntaxProblem(error, text)] };
  }
  const place = (id: bigint | undefined): string => placeOf(text, parsed.sourceInfo?.positions[String(id)] ?? 0);
  const { type, problems, needed, nodes, loops, joins, literal } = check(parsed.expr, VARIABLES);
  if (problems.length > 0) return { problems: problems.map((problem) => `${place(problem.id)}: ${problem.text}`) };
  if (type.kind !== "bool" && type.kind !== "dyn") return { problems: [`it must say yes or no (bool), and is a ${show(type)}`] };
  if (loops > MOST_LOOPS) return { problems: [`${loops} loops are inside one another; at most ${MOST_LOOPS}`] };
  const run = plan(environment, parsed);
  const where: Where = (server) => {
    if (server.spec?.hardware === undefined) return { matches: false };
    const { bindings, longest } = factsOf(server, needed);
    const work = nodes * (Math.max(longest, literal) * (joins + 1)) ** loops;
    if (work > MOST_WORK) return { failed: `it would take too long: its loops go over lists of up to ${longest} items` };
    const result = run(bindings);
    if (isCelError(result)) return { failed: `${place(result.exprId)}: ${result.message}` };
    return typeof result === "boolean" ? { matches: result } : { failed: "it says neither yes nor no" };
  };
  return { where, used: new Set(needed.keys()) };
}

function syntaxProblem(error: unknown, text: string): string {
  const { location, message } = error as { location?: { start: { offset: number } }; message: string };
  const found = message.replace(/^<input>:\d+:\d+: /, "");
  return `${placeOf(text, location?.start.offset ?? 0)}: ${found}`;
}

function placeOf(text: string, offset: number): string {
  const before = text.slice(0, offset).split("\n");
  return `line ${before.length}, column ${before.at(-1)!.length + 1}`;
}

/** The parser goes down once for each bracket. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (const character of text) {
    if ("([{".includes(character)) deepest = Math.max(deepest, ++depth);
    else if (")]}".includes(character)) depth--;
  }
  return deepest;
}
