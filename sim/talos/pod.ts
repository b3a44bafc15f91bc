/** Pods, in the Kubernetes of both stand-ins for Talos. */
import { AGE } from "#kinds/core/column.ts";
import { define } from "#kinds/core/define.ts";
import { anything, field } from "#kinds/core/go.ts";

export const pod = define({
  group: "",
  kind: "Pod",
  plural: "pods",
  shortNames: ["po"],
  namespaced: true,
  doc: "Containers on a node; nothing here runs any.",
  fields: { spec: field(anything(), "What is wanted."), status: field(anything(), "How it is.") },
  columns: [AGE],
  hasStatus: true,
  strategy: {
    fields: (object) => ({ "spec.nodeName": String((object as { spec?: { nodeName?: string } }).spec?.nodeName ?? "") }),
  },
});
