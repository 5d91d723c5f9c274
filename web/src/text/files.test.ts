import { expect, test } from "vitest";
import { csvOf } from "@/text/files";

const columns = [{ head: "symbol", text: (row: string[]) => row[0] }, { head: "why", text: (row: string[]) => row[1] }];

test("a cell with a comma or a quote is quoted", () => {
  expect(csvOf(columns, [["BAC.US", 'said "no", twice']])).toBe('symbol,why\r\nBAC.US,"said ""no"", twice"\r\n');
});

test("what a spreadsheet would run is text, and a number below nought is a number", () => {
  expect(csvOf(columns, [["=1+1", "-5.20"]])).toBe("symbol,why\r\n'=1+1,-5.20\r\n");
  expect(csvOf(columns, [["-cmd", "@x"]])).toBe("symbol,why\r\n'-cmd,'@x\r\n");
});
