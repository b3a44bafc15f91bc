/**
 * Order of resourceVersions. Since Kubernetes 1.35 they are documented to be decimal integers that grow with every write, comparable
 * within a resource; etcd and our store number all resources with one counter. They may outgrow a double, so they stay strings.
 */
const DECIMAL = /^[1-9][0-9]{0,38}$/;

/** True when `a` is `b` or later. Versions that are not decimal (a foreign server's) have no order: true only when they are equal. */
export function reaches(a: string, b: string): boolean {
  if (a === b) return true;
  if (!DECIMAL.test(a) || !DECIMAL.test(b)) return false;
  return a.length === b.length ? a > b : a.length > b.length;
}

/** Whether {@link reaches} can order this version at all. */
export function isOrdered(version: string): boolean {
  return DECIMAL.test(version);
}
