/** Text in columns, as kubectl has them: as wide as their widest cell. */

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] ?? "").length)));
  return all
    .map((row) =>
      widths
        .map((width, column) => (row[column] ?? "").padEnd(width))
        .join("   ")
        .trimEnd(),
    )
    .join("\n");
}

/** `40 GiB`, as disks of the lab are. */
export function sizeText(bytes: number | undefined): string {
  return bytes === undefined ? "" : `${Math.round((bytes / 1024 ** 3) * 10) / 10} GiB`;
}
