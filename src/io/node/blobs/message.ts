/** What the blob store and its worker thread say to each other. Paths are made by the store; nothing in them comes from a network. */
import type { PlainFault } from "../journal-message.ts";

/** Bytes of a piece: what is read, checked and shared at a time. */
export const PIECE = 512 * 1024;

/** A file's whole content, as found by reading it. */
export interface Content {
  readonly sha512: string;
  readonly size: number;
  /** SHA-256 of each piece, one after the other: what is read later is compared with these. */
  readonly pieces: Uint8Array;
  /** What the file system says of the file; another stamp, maybe another content. */
  readonly stamp: string;
}

/** Where a draft lives. */
export interface DraftPlace {
  readonly key: string;
  /** Its bytes. */
  readonly part: string;
  /** What is known of it: key, note and how many bytes are surely on the disk. */
  readonly record: string;
}

export type Request =
  | { readonly do: "open"; readonly place: DraftPlace }
  | { readonly do: "write"; readonly draft: number; readonly bytes: Uint8Array }
  | { readonly do: "restart"; readonly draft: number; readonly note: string }
  | { readonly do: "commit"; readonly draft: number; readonly expected: string | undefined; readonly directory: string }
  | { readonly do: "close"; readonly draft: number }
  | {
      readonly do: "copy";
      readonly path: string;
      readonly place: DraftPlace;
      readonly expected: string;
      readonly directory: string;
    }
  | { readonly do: "inspect"; readonly path: string; readonly unhurried: boolean }
  | { readonly do: "piece"; readonly path: string; readonly index: number; readonly length: number; readonly digest: Uint8Array };

/** What each request is answered with. */
export interface Answers {
  open: { readonly draft: number; readonly length: number; readonly note: string };
  write: void;
  restart: void;
  commit: Content;
  close: void;
  copy: Content;
  inspect: Content;
  piece: Uint8Array;
}

export type Answer = { readonly id: number } & ({ readonly value: Answers[keyof Answers] } | { readonly fault: PlainFault });
