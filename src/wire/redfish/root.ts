/** The service root, which is answered to anybody, and what can be told of the vendor from it. */
import { type Document, flag, link, pathOf, section, text } from "./document.ts";

export interface Root {
  readonly systems?: string;
  readonly controllers?: string;
  readonly chassis?: string;
  /** Collection that sessions are created in. */
  readonly sessions?: string;
  readonly events?: string;
  /** `$expand=.` works (DSP0266 §7.3.1). */
  readonly canExpand: boolean;
  readonly redfishVersion?: string;
  readonly vendor?: string;
  readonly product?: string;
  /** Keys of `Oem`. */
  readonly oem: readonly string[];
}

export function readRoot(document: Document): Root {
  const expand = section(section(document, "ProtocolFeaturesSupported"), "ExpandQuery");
  const sessions = link(section(document, "Links"), "Sessions");
  const service = link(document, "SessionService");
  return defined<Root>({
    systems: link(document, "Systems"),
    controllers: link(document, "Managers"),
    chassis: link(document, "Chassis"),
    sessions: sessions ?? (service && pathOf(`${service.replace(/\/$/, "")}/Sessions`)),
    events: link(document, "EventService"),
    canExpand: flag(expand, "NoLinks") === true || flag(expand, "ExpandAll") === true,
    redfishVersion: text(document, "RedfishVersion"),
    vendor: text(document, "Vendor"),
    product: text(document, "Product"),
    oem: Object.keys(section(document, "Oem")).slice(0, 16),
  });
}

/** Without the keys that are undefined. */
export function defined<T extends object>(values: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T;
}
