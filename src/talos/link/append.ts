/** SideroLink's documents behind a configuration that has been written already. */
import type { ConfigDocument, MachineConfig } from "../document/document.ts";
import { printConfig } from "../document/document.ts";
import type { LinkEnds } from "./documents.ts";
import { withLink } from "./documents.ts";
import { minorIn } from "./version.ts";

/** What has to be known of a configuration for that. */
export interface LinkFacts {
  readonly documents: readonly Pick<ConfigDocument, "identity">[];
  /** Of the Talos that it is for; undefined where nothing tells. */
  readonly minor: number | undefined;
}

export function linkFactsOf(config: MachineConfig): LinkFacts {
  return { documents: config.documents.map(({ identity }) => ({ identity })), minor: minorIn(config) };
}

/** The text to be put behind the configuration; empty for a Talos that does not know these documents, or of which nothing is known. */
export function linkText({ documents, minor }: LinkFacts, ends: LinkEnds): string {
  if (minor === undefined) return "";
  const before = { documents: documents.map(({ identity }) => ({ identity, value: {} })), tail: "" };
  const added = withLink(before, { minor, tag: "" }, ends).documents.slice(documents.length);
  return added.map((document) => `---\n${printConfig({ documents: [document], tail: "" })}`).join("");
}
