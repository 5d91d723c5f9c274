import { expect, test } from "vitest";
import type { Position } from "@/api/types";
import { markOf, repriced } from "@/stream/priced";
import type { Tick } from "@/stream/ticks";

const held = (more: object = {}) => ({ symbol: "au2512.SHFE", direction: "LONG", quantity: "2", multiplier: "1000", cost: "1000000", market_price: "500", price_at: "2026-07-17T10:00:00.000Z", market_value: "1000000", unrealized_pnl: "0", ...more }) as Position;
const tick = (more: object = {}) => ({ symbol: "au2512.SHFE", bid: "501", ask: "502", last: "501", at: "2026-07-17T10:00:01.000Z", ...more }) as Tick;

test("what is held for a rise gains with the price, times the multiplier", () => {
  expect(repriced(held(), tick())).toMatchObject({ market_price: "501.5", market_value: "1003000", unrealized_pnl: "3000", price_at: "2026-07-17T10:00:01.000Z" });
});

test("what is held for a fall loses by the same", () => {
  expect(repriced(held({ direction: "SHORT" }), tick())).toMatchObject({ unrealized_pnl: "-3000" });
});

test("an older quote, one without a price and none at all change nothing", () => {
  const one = held();
  expect(repriced(one, tick({ at: "2026-07-17T09:59:59.000Z" }))).toBe(one);
  expect(repriced(one, tick({ bid: null, ask: null, last: null }))).toBe(one);
  expect(repriced(one, undefined)).toBe(one);
});

test("without both sides the last price counts, and what costs are unknown has no gain", () => {
  expect(markOf({ bid: null, ask: "3", last: "2.5" })).toBe("2.5");
  expect(repriced(held({ cost: null }), tick()).unrealized_pnl).toBeNull();
});

test("what holds nothing gains nothing", () => {
  expect(repriced(held({ quantity: "0", cost: "0" }), tick()).unrealized_pnl).toBe("0");
});
