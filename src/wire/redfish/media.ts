/** A slot of virtual media (DSP0268 VirtualMedia). */
import { type Document, etagOf, flag, pathOf, section, text, texts } from "./document.ts";
import type { Quirks } from "./quirks.ts";
import { defined } from "./root.ts";

export interface Slot {
  readonly id: string;
  readonly path: string;
  readonly mediaTypes: readonly string[];
  readonly image?: string;
  readonly isInserted?: boolean;
  readonly connectedVia?: string;
  readonly insert?: string;
  readonly eject?: string;
  readonly etag?: string;
}

export function readSlot(document: Document, path: string): Slot {
  const actions = section(document, "Actions");
  const target = (name: string): string | undefined => pathOf(section(actions, `#VirtualMedia.${name}`)["target"]);
  return defined<Slot>({
    id: text(document, "Id") ?? path.split("/").at(-1)!,
    path,
    mediaTypes: texts(document, "MediaTypes"),
    image: text(document, "Image"),
    isInserted: flag(document, "Inserted"),
    connectedVia: text(document, "ConnectedVia"),
    insert: target("InsertMedia"),
    eject: target("EjectMedia"),
    etag: etagOf(document),
  });
}

/** Whether a CD goes in: some only say DVD and take CDs as well. A slot that does not say takes anything. */
export function takesCd({ mediaTypes }: Slot): boolean {
  return mediaTypes.length === 0 || mediaTypes.includes("CD") || mediaTypes.includes("DVD");
}

export function isLoaded(slot: Slot, quirks: Quirks): boolean {
  if (quirks.mediaByConnection && slot.connectedVia !== undefined) return slot.connectedVia !== "NotConnected";
  return slot.isInserted ?? slot.image !== undefined;
}

/** The body of InsertMedia, or of the PATCH in its place. */
export function mediaOf(image: string, quirks: Quirks): Document {
  const all: Document = { Image: image, Inserted: true, WriteProtected: true };
  return Object.fromEntries(Object.entries(all).filter(([key]) => key === "Image" || quirks.mediaProperties.includes(key)));
}
