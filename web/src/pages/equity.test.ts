import { expect, test } from "vitest";
import type { Fill, Point, Position } from "@/api/types";
import { drawdownOf, equityOf } from "@/pages/equity";

const at = (second: number) => `2026-07-17T10:00:${String(second).padStart(2, "0")}.000000Z`;
const point = (second: number, balance: string) => ({ at: at(second), balance }) as Point;
const fill = (second: number, side: string, quantity: string, price: string) => ({ symbol: "A", side, quantity, price, booked_at: at(second), exec_type: "TRADE" }) as Fill;
const held = (quantity: string, more: object = {}) => ({ symbol: "A", currency: "USD", quantity, direction: "LONG", margin: null, average_price: "10", market_price: "10", multiplier: "1", ...more }) as Position;
const values = (found: [number, number][] | null) => found?.map(([, worth]) => worth);

test("to buy is no loss", () => {
  expect(values(equityOf([point(1, "1000"), point(2, "900")], [fill(2, "BUY", "10", "10")], [held("10")], "USD"))).toEqual([1000, 1000]);
});

test("what is sold for more is gained, and what was held before the first fill counts", () => {
  expect(values(equityOf([point(1, "0"), point(2, "60")], [fill(2, "SELL", "5", "12")], [held("5")], "USD"))).toEqual([120, 120]);
});

test("a margined position makes no curve of this kind", () => {
  expect(equityOf([point(1, "1000")], [], [held("1", { margin: "50" })], "USD")).toBeNull();
});

test("a drawdown is how far it stands below the highest before", () => {
  expect(values(drawdownOf([[1, 100], [2, 120], [3, 90], [4, 130]]))).toEqual([0, 0, -25, 0]);
});
