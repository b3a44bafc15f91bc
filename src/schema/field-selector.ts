/** Field selectors (`metadata.name=x,spec.y!=z`; k8s.io/apimachinery/pkg/fields), with its error texts. */

export interface FieldTerm {
  readonly field: string;
  readonly value: string;
  readonly isNegated: boolean;
}

export class FieldSelector {
  readonly terms: readonly FieldTerm[];

  constructor(terms: readonly FieldTerm[]) {
    this.terms = terms;
  }

  get isEmpty(): boolean {
    return this.terms.length === 0;
  }

  /** `valueOf` gives a field's text, "" where it is absent. */
  matches(valueOf: (field: string) => string): boolean {
    for (const { field, value, isNegated } of this.terms) if ((valueOf(field) === value) === isNegated) return false;
    return true;
  }

  /** The value `field` must have, when one is demanded: lets a caller look one object up instead of listing. */
  exact(field: string): string | undefined {
    return this.terms.find((term) => term.field === field && !term.isNegated)?.value;
  }
}

/**
 * Parses `text`; `isSupported` says which fields the kind can select by. `problem` is the message a genuine server answers
 * with (400 BadRequest). Terms are tried in the order of their text, as the genuine server does.
 */
export function parseFieldSelector(
  text: string,
  isSupported: (field: string) => boolean,
): { selector: FieldSelector } | { problem: string } {
  const terms: FieldTerm[] = [];
  for (const part of splitTerms(text).toSorted()) {
    if (part === "") continue;
    const match = /^(.*?)(!=|==|=)(.*)$/s.exec(part);
    if (match === null) return { problem: `invalid selector: '${text}'; can't understand '${part}'` };
    const value = unescapeValue(match[3]!);
    if ("problem" in value) return value;
    terms.push({ field: match[1]!, value: value.value, isNegated: match[2] === "!=" });
  }
  const unknown = terms.find((term) => !isSupported(term.field));
  return unknown === undefined
    ? { selector: new FieldSelector(terms) }
    : { problem: `field label not supported: ${unknown.field}` };
}

/** Splits at commas that no backslash escapes; the backslashes stay. */
function splitTerms(text: string): string[] {
  return text.match(/(?:\\.|[^,\\]|\\$)+/gsu) ?? [];
}

/** In a value `\`, `,` and `=` are written `\\`, `\,` and `\=`. */
function unescapeValue(text: string): { value: string } | { problem: string } {
  let value = "";
  let isEscaped = false;
  for (const character of text) {
    const isSpecial = character === "\\" || character === "," || character === "=";
    if (isEscaped) {
      if (!isSpecial) return { problem: `invalid field selector: invalid escape sequence: \\${character}` };
      value += character;
      isEscaped = false;
    } else if (character === "\\") {
      isEscaped = true;
    } else if (isSpecial) {
      return { problem: `invalid field selector: unescaped character in value: ${character.charCodeAt(0)}` };
    } else {
      value += character;
    }
  }
  return isEscaped ? { problem: "invalid field selector: invalid escape sequence: \\" } : { value };
}
