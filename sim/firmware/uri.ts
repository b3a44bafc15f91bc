/** `:uristring` of iPXE: everything but unreserved characters is escaped (RFC 3986 §2.3). */
export function encodeUri(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
