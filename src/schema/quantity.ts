/** resource.Quantity (k8s.io/apimachinery/pkg/api/resource): a decimal number with an optional suffix or exponent. */

const NUMBER = /^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)/;
const SUFFIX_SHAPE = /^[eEinumkKMGTP]*[-+]?[0-9]*$/;
const SUFFIX = /^([numkMGTPE]|[KMGTPE]i|[eE][-+]?[0-9]+)?$/;

/** The message a genuine server gives for text that is no quantity. */
export function quantityProblem(text: string): string | undefined {
  const number = NUMBER.exec(text)?.[0];
  const suffix = text.slice(number?.length ?? 0);
  if (number === undefined || !SUFFIX_SHAPE.test(suffix)) {
    return "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
  }
  return SUFFIX.test(suffix) ? undefined : "unable to parse quantity's suffix";
}
