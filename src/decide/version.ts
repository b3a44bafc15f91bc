/** `1.34.1` and `v1.34.1` are the same version. */
export function withV(version: string): string {
  return version.startsWith("v") ? version : `v${version}`;
}
