/** Small parts of conversions from v1beta1, in which empty and absent say the same. */

/** Undefined when it has no fields. */
export function some<T extends object>(fields: T): T | undefined {
  return Object.keys(fields).length === 0 ? undefined : fields;
}

/** Undefined when it is empty. */
export function said(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}

/** Undefined when it is none of the words. */
export function oneOf<P extends string>(word: string | undefined, words: readonly P[]): P | undefined {
  return words.find((each) => each === word);
}
