/** resource.Quantity (k8s.io/apimachinery/pkg/api/resource): a decimal number with an optional suffix or exponent. */

const SHAPE = /^[+-]?[0-9.]+[eEinumkKMGTP]*[-+]?[0-9]*$/;
const NUMBER = /^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)/;
const SUFFIX = /^([numkMGTPE]|[KMGTPE]i|[eE][-+]?[0-9]+)?$/;

/** The message a genuine server gives for text that is no quantity. */
export function quantityProblem(text: string): string | undefined {
  if (!SHAPE.test(text)) return "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
  const number = NUMBER.exec(text);
  if (number === null) return "unable to parse numeric part of quantity";
  return SUFFIX.test(text.slice(number[0].length)) ? undefined : "unable to parse quantity's suffix";
}
