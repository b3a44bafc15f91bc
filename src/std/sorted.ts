/** Where the text is in the sorted list (by code units, without repeats), or where it belongs. */
export function placeOf(list: readonly string[], text: string): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (list[middle]! < text) low = middle + 1;
    else high = middle;
  }
  return low;
}
