/** Which objects a list, a watch or a deletion of a collection is about: namespace, labels and fields. */
import { parseFieldSelector } from "#schema/field-selector.ts";
import type { FieldSelector } from "#schema/field-selector.ts";
import { parseSelector } from "#schema/selector.ts";
import type { Selector } from "#schema/selector.ts";
import { badRequest } from "#kube/status.ts";
import type { Resource } from "../registry.ts";
import type { Entry } from "../store/store.ts";
import type { View } from "../view.ts";
import type { ListOptions } from "./options.ts";
import type { Target } from "./target.ts";

export class Selection {
  /** The only namespace that can match, if there is one. */
  readonly namespace: string | undefined;
  /** The only name that can match, if there is one. */
  readonly name: string | undefined;
  /** Same text, same verdict on entries of the same namespace and name: lets many watchers share one. */
  readonly text: string;
  /** True when every object matches, of any name or of one namespace: such pages know what remains. */
  readonly isEmpty: boolean;
  /** True when namespace and name decide, without a look at the object. */
  readonly isPlain: boolean;
  readonly #labels: Selector;
  readonly #fields: FieldSelector;
  readonly #resource: Resource;
  readonly #view: View;

  constructor(
    namespace: string | undefined,
    labels: Selector,
    fields: FieldSelector,
    text: string,
    resource: Resource,
    view: View,
  ) {
    this.namespace = namespace ?? fields.exact("metadata.namespace");
    this.name = fields.exact("metadata.name");
    this.text = text;
    this.isEmpty = labels.isEmpty && fields.isEmpty;
    this.isPlain = labels.isEmpty && fields.terms.every((term) => term.field.startsWith("metadata.") && !term.isNegated);
    this.#labels = labels;
    this.#fields = fields;
    this.#resource = resource;
    this.#view = view;
  }

  matches(entry: Entry): boolean {
    if (this.namespace !== undefined && entry.namespace !== this.namespace) return false;
    if (this.name !== undefined && entry.name !== this.name) return false;
    return this.matchesContent(entry);
  }

  /** As {@link matches} when namespace and name are known to fit. */
  matchesContent(entry: Entry): boolean {
    if (!this.#labels.matches(entry.labels)) return false;
    return this.#fields.matches((field) => {
      if (field === "metadata.name") return entry.name;
      if (field === "metadata.namespace") return entry.namespace;
      return this.#view.fields(entry, this.#resource)[field] ?? "";
    });
  }
}

/** Parses the selectors of a request; throws 400 with the genuine texts. A watch of one object selects it by its name. */
export function selectionOf(target: Target, options: ListOptions, view: View): Selection {
  const { resource, namespace, name } = target;
  const labels = parseSelector(options.labelSelector);
  if ("problem" in labels) throw badRequest(labels.problem);
  const selectable = new Set([
    "metadata.name",
    ...(resource.definition.namespaced ? ["metadata.namespace"] : []),
    ...view.selectable(resource),
  ]);
  const fields = parseFieldSelector(options.fieldSelector, (field) => selectable.has(field));
  if ("problem" in fields) throw badRequest(fields.problem);
  let { selector } = fields;
  let fieldText = options.fieldSelector;
  if (name !== "") {
    const selected = selector.exact("metadata.name");
    if (!selector.isEmpty && selected !== name) throw badRequest("fieldSelector metadata.name doesn't match requested name");
    fieldText = `metadata.name=${name}`;
    selector = (parseFieldSelector(fieldText, () => true) as { selector: FieldSelector }).selector;
  }
  const within = namespace === "" ? undefined : namespace;
  return new Selection(within, labels.selector, selector, `${options.labelSelector}\n${fieldText}`, resource, view);
}
