import { expect, test } from "vitest";
import type { Fill, Listed, Point } from "@/api/types";
import { cashAt, movedBy } from "@/pages/ledger";

const fill = (more: object = {}) => ({ side: "BUY", quantity: "2", price: "500", commission: "1.5", exec_type: "TRADE", realized_pnl: null, ...more }) as Fill;
const listed = (asset_class: string, multiplier = "1") => ({ asset_class, multiplier }) as Listed;

test("what is bought costs its value and the fee, what is sold brings the value less the fee", () => {
  expect(movedBy(fill(), listed("STOCK"))).toBe("-1001.5");
  expect(movedBy(fill({ side: "SELL" }), listed("STOCK"))).toBe("998.5");
});

test("a future moves what it gained, whatever its value", () => {
  expect(movedBy(fill(), listed("FUTURE", "1000"))).toBe("-1.5");
  expect(movedBy(fill({ side: "SELL", realized_pnl: "3000" }), listed("FUTURE", "1000"))).toBe("2998.5");
});

test("what was busted moved nothing, and what is unknown is not nought", () => {
  expect(movedBy(fill({ exec_type: "TRADE_CANCEL" }), listed("STOCK"))).toBe("0");
  expect(movedBy(fill({ exec_type: "TRADE_CORRECT" }), listed("FUTURE", "1000"))).toBeNull();
  expect(movedBy(fill(), undefined)).toBeNull();
});

test("the cash behind a movement is what was booked last", () => {
  const points = [{ at: "1", balance: "10" }, { at: "3", balance: "30" }, { at: "5", balance: null }] as Point[];
  expect(["0", "1", "2", "3", "4", "5"].map((at) => cashAt(points, at))).toEqual([null, "10", "10", "30", "30", null]);
});
