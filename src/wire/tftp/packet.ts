/** The six packets of TFTP (RFC 1350 §5, RFC 2347). Texts are ISO 8859-1, so that every byte comes back as it was. */

/** Names in lower case → values as they were written; in the order of the packet. RFC 2347: names are case-insensitive. */
export type Options = ReadonlyMap<string, string>;

export interface Request {
  readonly kind: "read-request" | "write-request";
  /** As the client wrote it: no path of ours, only a key. */
  readonly file: string;
  /** In lower case: `octet`, `netascii`, `mail` or anything else. */
  readonly mode: string;
  readonly options: Options;
}

export interface Data {
  readonly kind: "data";
  /** 0 to 65535: the lowest 16 bits of the block's place, of which the first is 1. */
  readonly block: number;
  readonly data: Uint8Array;
}

export interface Acknowledgement {
  readonly kind: "acknowledgement";
  readonly block: number;
}

export interface ErrorPacket {
  readonly kind: "error";
  readonly code: number;
  readonly message: string;
}

export interface OptionAcknowledgement {
  readonly kind: "option-acknowledgement";
  readonly options: Options;
}

export type Packet = Request | Data | Acknowledgement | ErrorPacket | OptionAcknowledgement;
