/** SHA-256 (FIPS 180-4) of a text's UTF-8 or of bytes, in lower-case hexadecimal. A door because pure layers and the API server see no `node:crypto`. */
export type Digest = (data: string | Uint8Array) => string;
