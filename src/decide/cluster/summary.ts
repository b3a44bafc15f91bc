/** One condition made from several, as Cluster API makes Ready and Available (§1.6). */
import { findCondition } from "#schema/condition.ts";
import type { Condition } from "#schema/meta.ts";
import type { Judgement } from "./external.ts";

export interface Part {
  readonly type: string;
  /** False is the good status: Deleting, Updating. */
  readonly isNegative?: boolean;
  /** Where it is not there, it does not count. */
  readonly isOptional?: boolean;
}

export interface Reasons {
  readonly good: string;
  readonly bad: string;
  readonly unknown: string;
}

/** False when one part is bad, else Unknown when one cannot be told, else True. The message lists the parts that are not good. */
export function summarize(conditions: readonly Condition[], parts: readonly Part[], reasons: Reasons): Judgement {
  const issues = parts.flatMap((part) => issueOf(conditions, part));
  const lines = issues.map(({ type, message }) => `* ${type}: ${message.replaceAll("\n", "\n  ")}`);
  const message = lines.join("\n");
  if (issues.some(({ isBad }) => isBad)) return { status: "False", reason: reasons.bad, message };
  if (issues.length > 0) return { status: "Unknown", reason: reasons.unknown, message };
  return { status: "True", reason: reasons.good, message: "" };
}

function issueOf(
  conditions: readonly Condition[],
  { type, isNegative = false, isOptional = false }: Part,
): { type: string; message: string; isBad: boolean }[] {
  const condition = findCondition(conditions, type);
  if (condition === undefined) return isOptional ? [] : [{ type, message: "Condition not yet reported", isBad: false }];
  const { status, reason, message } = condition;
  if (status === (isNegative ? "False" : "True")) return [];
  const said = message ?? "";
  return [{ type, message: said === "" ? reason : said, isBad: status !== "Unknown" }];
}

/** Gates that users add to the parts. */
export function gates(list: readonly { conditionType: string; polarity?: string }[] | undefined): Part[] {
  return (list ?? []).map(({ conditionType, polarity }) => ({ type: conditionType, isNegative: polarity === "Negative" }));
}
