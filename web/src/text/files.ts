// What a person takes away: a table as CSV, as every spreadsheet reads it, or a file of the desk as it is.
interface Told<T> {
  head: string;
  text: (row: T) => string | null | undefined;
}

/** A cell. One that a spreadsheet would take for a formula is kept as text. */
function cell(text: string): string {
  const harmless = /^[=+@\t\r]/.test(text) || /^-(?!\d+(\.\d+)?$)/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

export function csvOf<T>(columns: readonly Told<T>[], rows: readonly T[]): string {
  const lines = [columns.map((each) => cell(each.head)), ...rows.map((row) => columns.map((each) => cell(each.text(row) ?? "")))];
  return lines.map((line) => `${line.join(",")}\r\n`).join("");
}

/** Offer a table for download. The mark in front tells spreadsheets that it is UTF-8. */
export function offer(name: string, text: string): void {
  give(name, new Blob(["\uFEFF", text], { type: "text/csv;charset=utf-8" }));
}

/** Give a file, under its name, to whoever sits before the page. */
export function give(name: string, file: Blob): void {
  const address = URL.createObjectURL(file);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 1_000);
}
