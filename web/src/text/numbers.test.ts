import { expect, test } from "vitest";
import { bytes, money, percent, price, quantity, signed, short } from "@/text/numbers";

test("money has two places and groups of three", () => {
  expect(money("1000000")).toBe("1,000,000.00");
  expect(money("-1363.6")).toBe("-1,363.60");
  expect(money(null)).toBe("–");
});

test("a price has as many places as it needs, from two to six", () => {
  expect(price("13.8")).toBe("13.80");
  expect(price("167.434641661085")).toBe("167.434642");
  expect(price("0.0001")).toBe("0.0001");
});

test("a quantity is as it is", () => {
  expect(quantity("18070")).toBe("18,070");
  expect(quantity("0.100")).toBe("0.1");
});

test("what rises and falls has its sign in front", () => {
  expect(signed("12.5")).toBe("+12.50");
  expect(signed("-12.5")).toBe("−12.50");
  expect(signed("0")).toBe("0.00");
});

test("a fraction is percent", () => {
  expect(percent("0.0125")).toBe("+1.25%");
  expect(percent("-0.437943")).toBe("−43.79%");
});

test("a large amount is shortened by the habits of the language", () => {
  const english: [string, string][] = [["1000000000", "B"], ["1000000", "M"], ["1000", "K"]];
  const units: [string, string][] = [["100000000", "y"], ["10000", "w"]];
  expect(short("1234567", english)).toBe("1.23M");
  expect(short("1234567", units)).toBe("123.46w");
  expect(short("999", english)).toBe("999.00");
});

test("the size of a file is in units of a thousand, short", () => {
  expect([0, 999, 1_000, 12_345, 123_456, 999_999, 5_300_000].map(bytes)).toEqual(["0 B", "999 B", "1.0 kB", "12.3 kB", "123 kB", "1.0 MB", "5.3 MB"]);
});
