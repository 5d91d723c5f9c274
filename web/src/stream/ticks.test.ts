import { expect, test } from "vitest";
import type { Quoted } from "@/api/types";
import { Ticks, joined, type Tick } from "@/stream/ticks";

const told = { symbol: "BAC.US", exchange: "US", last: "13.80", at: "2013-10-08T13:30:22.000000Z", at_local: "2013-10-08T09:30:22.000000-04:00", age_ms: 300 } as Quoted;
const tick = (at: string, last: string) => ({ symbol: "BAC.US", last, at }) as Tick;

test("a tick keeps what REST alone has told, and has its time by the clock of the exchange", () => {
  const found = joined(told, tick("2013-10-08T13:30:23.500000Z", "13.81"));
  expect(found).toMatchObject({ exchange: "US", last: "13.81", at_local: "2013-10-08T09:30:23.500-04:00" });
});

test("an older tick does not take the place of a newer answer", () => {
  expect(joined(told, tick("2013-10-08T13:30:21.000000Z", "13.70"))).toBe(told);
  expect(joined(told, undefined)).toBe(told);
});

test("a symbol's version grows with its own ticks alone", () => {
  const ticks = new Ticks();
  ticks.take([tick("2013-10-08T13:30:22.000000Z", "1")]);
  const before = ticks.versionOf("BAC.US");
  ticks.take([{ ...tick("2013-10-08T13:30:22.000000Z", "1"), symbol: "SPY.US" }]);
  expect(ticks.versionOf("BAC.US")).toBe(before);
  expect(ticks.versionOf("SPY.US")).toBeGreaterThan(before);
});
