/**
 * Conditions in a form that both contracts of Cluster API accept at the same path: a v1beta1 Condition (with `severity`,
 * `reason` and `message` optional) and a meta/v1 Condition (with `observedGeneration`). Lengths are the looser of the two.
 */
import type { TypeOf } from "#schema/kit.ts";
import { array, dateTime, enumeration, int64, object, string } from "#schema/kit.ts";

export const Condition = object({
  type: string().required().min(1).max(316).doc("What is judged, in CamelCase. Unique within the list."),
  status: enumeration("True", "False", "Unknown").required().doc("The judgement: True, False or Unknown."),
  severity: string().max(32).doc("How bad a status of False is: Error, Warning or Info; empty otherwise. Contract v1beta1 only."),
  reason: string().max(1024).doc("Why, as one word for programs, in CamelCase."),
  message: string().max(32768).doc("Why, as a sentence for people."),
  lastTransitionTime: dateTime().required().doc("When the status last changed."),
  observedGeneration: int64().min(0).doc("The metadata.generation this was judged at. Contract v1beta2 only."),
});
export type Condition = TypeOf<typeof Condition>;

export const Conditions = array(Condition).listMap("type");
