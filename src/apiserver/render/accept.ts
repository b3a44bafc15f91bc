/** The Accept header, read as Kubernetes reads it (github.com/munnerz/goautoneg): quality orders, it never excludes. */

export interface AcceptClause {
  readonly type: string;
  readonly subtype: string;
  readonly quality: number;
  /** Media type parameters without `q`: `as`, `g`, `v`, `stream`, … */
  readonly parameters: ReadonlyMap<string, string>;
}

/** Clauses, best first: by quality, then exact types before wildcards, then in the order written. What cannot be read is skipped. */
export function parseAccept(header: string): AcceptClause[] {
  const clauses: AcceptClause[] = [];
  for (const part of header.split(",")) {
    const clause = parseClause(part);
    if (clause !== undefined) clauses.push(clause);
  }
  return clauses.sort((a, b) => b.quality - a.quality || wildcards(a) - wildcards(b));
}

function parseClause(text: string): AcceptClause | undefined {
  const [media, ...rest] = text.split(";");
  const names = media!.split("/").map((name) => name.trim());
  if (names.length === 1 && names[0] === "*") names.push("*");
  if (names.length !== 2 || names[1] === "") return undefined;
  let quality = 1;
  const parameters = new Map<string, string>();
  for (const item of rest) {
    const [name, value, ...more] = item.split("=").map((side) => side.trim());
    if (value === undefined || value === "" || more.length > 0) continue;
    if (name === "q") quality = Number.parseFloat(value) || 0;
    else parameters.set(name!, value);
  }
  return { type: names[0]!, subtype: names[1]!, quality, parameters };
}

function wildcards(clause: AcceptClause): number {
  return (clause.type === "*" ? 2 : 0) + (clause.subtype === "*" ? 1 : 0);
}

/**
 * What `offer` makes of the first clause and media type that it takes; undefined when there is none. `offered` are media types in
 * the server's order of preference, which decides between the matches of a wildcard. No header means anything.
 */
export function negotiate<T>(
  header: string | undefined,
  offered: readonly string[],
  offer: (mediaType: string, parameters: ReadonlyMap<string, string>) => T | undefined,
): T | undefined {
  for (const clause of parseAccept(header === undefined || header === "" ? "*/*" : header)) {
    for (const mediaType of offered) {
      if (!matches(clause, mediaType)) continue;
      const taken = offer(mediaType, clause.parameters);
      if (taken !== undefined) return taken;
    }
  }
  return undefined;
}

function matches(clause: AcceptClause, mediaType: string): boolean {
  if (clause.type === "*") return clause.subtype === "*";
  const [type, subtype] = mediaType.split("/");
  return clause.type === type && (clause.subtype === subtype || clause.subtype === "*");
}
