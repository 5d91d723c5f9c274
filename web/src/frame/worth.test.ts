import { expect, test } from "vitest";
import type { Listed, Money, Position } from "@/api/types";
import { worthOf } from "@/frame/worth";

const money = (currency: string, balance: string | null) => ({ currency, balance, available: balance, reserved: "0", margin: "0", unrealized_pnl: "0", realized_pnl: "10", fees: "0", updated_at: "" }) as Money;
const held = (more: object) => ({ currency: "USD", quantity: "10", direction: "LONG", margin: null, market_value: "150", unrealized_pnl: "5", ...more }) as Position;

test("what was paid for adds its value, what is owed takes it, what is margined adds its gain", () => {
  expect(worthOf([money("USD", "100")], [held({})])[0]?.net).toBe("250");
  expect(worthOf([money("USD", "100")], [held({ direction: "SHORT" })])[0]?.net).toBe("-50");
  expect(worthOf([money("USD", "100")], [held({ margin: "30" })])[0]?.net).toBe("105");
});

test("a short sale owes its value though it is margined, and a future owes nothing but its loss", () => {
  const listed = new Map([["S.US", { asset_class: "STOCK" } as Listed], ["F.SHFE", { asset_class: "FUTURE" } as Listed]]);
  const short = { direction: "SHORT", margin: "225", unrealized_pnl: "-5" };
  expect(worthOf([money("USD", "250")], [held({ symbol: "S.US", ...short })], listed)[0]?.net).toBe("100");
  expect(worthOf([money("USD", "250")], [held({ symbol: "F.SHFE", ...short })], listed)[0]?.net).toBe("245");
});

test("what has gained is realised and not", () => {
  expect(worthOf([money("USD", "100")], [held({})])[0]?.gain).toBe("15");
});

test("one unknown price makes the worth unknown, and never nought", () => {
  expect(worthOf([money("USD", "100")], [held({}), held({ market_value: null })])[0]?.net).toBeNull();
  expect(worthOf([money("USD", null)], [])[0]?.net).toBeNull();
});

test("the currency in which something is held comes first, and others do not count in it", () => {
  const found = worthOf([money("CNY", "7"), money("USD", "100")], [held({})]);
  expect(found.map((each) => [each.currency, each.net])).toEqual([["USD", "250"], ["CNY", "7"]]);
});
