import { describe, expect, test } from "vitest";
import { compare, floored, minus, over, plus, rounded, sign, times, trimmed } from "@/text/decimal";

describe("decimals are exact", () => {
  test("where binary numbers are not", () => {
    expect(plus("0.1", "0.2")).toBe("0.3");
    expect(minus("1000000000000000000.000000000001", "0.000000000001")).toBe("1000000000000000000.000000000000");
    expect(times("167.434641661085", "1493")).toBe("249979.919999999905");
  });

  test("below nought too", () => {
    expect(plus("-0.5", "0.25")).toBe("-0.25");
    expect(minus("0", "12.50")).toBe("-12.50");
    expect(sign("-0.0")).toBe(0);
  });
});

describe("rounding is half away from nought", () => {
  test.each([["1.005", 2, "1.01"], ["-1.005", 2, "-1.01"], ["0.994", 2, "0.99"], ["2", 2, "2.00"], ["-0.004", 2, "0.00"], ["99.999", 2, "100.00"]])("%s to %i places is %s", (text, places, is) => {
    expect(rounded(text, places)).toBe(is);
  });

  test("a quotient is rounded once", () => {
    expect(over("1", "3", 4)).toBe("0.3333");
    expect(over("2", "3", 4)).toBe("0.6667");
    expect(over("-2", "3", 4)).toBe("-0.6667");
    expect(over("1", "0", 4)).toBeNull();
  });
});

test("a quantity goes down to whole lots, and stays where there are none", () => {
  expect(floored("1999", "100")).toBe("1900");
  expect(floored("0.57", "0.1")).toBe("0.5");
  expect(floored("7", "0")).toBe("7");
});

test("noughts at the end do not count", () => {
  expect(trimmed("13.8100")).toBe("13.81");
  expect(trimmed("1300")).toBe("1300");
  expect(compare("1.0", "1")).toBe(0);
});

test("what is no number is refused", () => {
  expect(() => plus("1e5", "1")).toThrow(RangeError);
  expect(() => plus("", "1")).toThrow(RangeError);
});
