/** A label selector as text, as the scale subresource shows it (meta/v1 `FormatLabelSelector`). */
import type { LabelSelector } from "#schema/selector.ts";

/** `a=b,c in (d,e),!f`, sorted by key. */
export function printSelector({ matchLabels = {}, matchExpressions = [] }: LabelSelector): string {
  const equalities = Object.entries(matchLabels).map(([key, value]) => [key, `${key}=${value}`] as const);
  const others = matchExpressions.map(({ key = "", operator, values = [] }) => {
    if (operator === "Exists") return [key, key] as const;
    if (operator === "DoesNotExist") return [key, `!${key}`] as const;
    return [key, `${key} ${operator === "NotIn" ? "notin" : "in"} (${values.toSorted().join(",")})`] as const;
  });
  const sorted = [...equalities, ...others].toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return sorted.map(([, text]) => text).join(",");
}
