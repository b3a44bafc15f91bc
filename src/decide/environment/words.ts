/** Sizes and progress in words. */

/** `19.3 MiB`, `512 B`: three digits are enough for people. */
export function sizeText(bytes: number): string {
  let [value, unit] = [bytes, 0];
  for (; value >= 1000 && unit < 3; unit++) value /= 1024;
  return `${unit === 0 ? String(value) : value.toFixed(value < 100 ? 1 : 0)} ${["B", "KiB", "MiB", "GiB"][unit]}`;
}

/** Percent (0 to 99: whole is when it is in place) and a sentence; `size` is undefined when nobody knows it. */
export function downloadProgress(bytes: number, size: number | undefined): { progress?: number; message: string } {
  if (size === undefined || size === 0) return { message: `downloading: ${sizeText(bytes)} so far` };
  return {
    progress: Math.min(99, Math.floor((100 * bytes) / size)),
    message: `downloading: ${sizeText(bytes)} of ${sizeText(size)}`,
  };
}
