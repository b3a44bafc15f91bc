/** meta/v1 LabelSelector as a field, refused when it does not parse. */
import { validateSelector } from "#schema/selector.ts";
import { array, map, object, string } from "#schema/kit.ts";

const Expression = object({
  key: string().required().doc("The label's key."),
  operator: string().required().doc("How the label relates to the values: In, NotIn, Exists or DoesNotExist."),
  values: array(string()).atomic().doc("For In and NotIn: at least one value. For Exists and DoesNotExist: none."),
});

/** Invalid selectors are found in code only: CEL over unbounded lists would cost more than a server allows. */
export const LabelSelector = object({
  matchExpressions: array(Expression).atomic().doc("Conditions on labels; all must hold."),
  matchLabels: map(string()).doc("Labels an object must carry with exactly these values."),
})
  .atomic()
  .check(validateSelector);
