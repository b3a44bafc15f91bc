/** Kubernetes' order of versions (k8s.io/apimachinery/pkg/version CompareKubeAwareVersionStrings). */

const VERSION = /^v([1-9][0-9]*)(?:(alpha|beta)([1-9][0-9]*))?$/;
const STABILITY = { alpha: 0, beta: 1, stable: 2 };

/** For sorting newest first: v10, v2, v1, v11beta2, v10beta3, v3beta1, v12alpha1, then anything else by the alphabet. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [VERSION.exec(a), VERSION.exec(b)];
  if (left === null || right === null) {
    if (left === null && right === null) return a < b ? -1 : a > b ? 1 : 0;
    return left === null ? 1 : -1;
  }
  return stability(right) - stability(left) || Number(right[1]) - Number(left[1]) || Number(right[3] ?? 0) - Number(left[3] ?? 0);
}

function stability(version: RegExpExecArray): number {
  return STABILITY[(version[2] ?? "stable") as keyof typeof STABILITY];
}
