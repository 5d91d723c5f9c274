import { expect, test } from "vitest";
import type { Point } from "@/api/types";
import { drawdownOf, equityOf } from "@/pages/equity";

const at = (second: number) => `2026-07-17T10:00:${String(second).padStart(2, "0")}.000000Z`;
const point = (second: number, equity: string | null) => ({ at: at(second), balance: "1", equity }) as Point;
const values = (found: [number, number][]) => found.map(([, worth]) => worth);

test("the worth is the one that the desk says, and not the cash", () => {
  expect(values(equityOf([point(1, "1000"), point(2, "999.5")]))).toEqual([1000, 999.5]);
});

test("where a price was not known there is no point", () => {
  expect(equityOf([point(1, "1000"), point(2, null), point(3, "1001")]).map(([when]) => when)).toEqual([Date.parse(at(1)), Date.parse(at(3))]);
});

test("a drawdown is how far it stands below the highest before", () => {
  expect(values(drawdownOf([[1, 100], [2, 120], [3, 90], [4, 130]]))).toEqual([0, 0, -25, 0]);
});
