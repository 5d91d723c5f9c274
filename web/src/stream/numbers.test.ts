import { describe, expect, test } from "vitest";
import { waits } from "@/stream/client";
import { Numbers, type Frame } from "@/stream/numbers";

function begun(n = 7): Numbers {
  const numbers = new Numbers();
  numbers.hello("run-1");
  numbers.subscribed("orders");
  numbers.take({ t: "snapshot", topic: "orders", n, part: 1, last: true, items: ["a"] });
  return numbers;
}

const delta = (n: number): Frame => ({ t: "delta", topic: "orders", n, put: [`at ${n}`], drop: [] });

describe("deltas", () => {
  test("are taken one behind the other", () => {
    const numbers = begun(7);
    expect(numbers.take(delta(8)).meant).toEqual({ is: "change", topic: "orders", put: ["at 8"], drop: [] });
    expect(numbers.take(delta(9)).again).toEqual([]);
    expect(numbers.from("orders")).toBe(9);
  });

  test("with a gap before them are not taken, and all is asked for again", () => {
    const numbers = begun(7);
    expect(numbers.take(delta(9))).toEqual({ meant: { is: "nothing" }, again: ["orders"] });
    expect(numbers.from("orders")).toBe(7);
  });

  test("mean nothing until what was asked for again is there", () => {
    const numbers = begun(7);
    numbers.subscribed("orders");
    expect(numbers.take(delta(8))).toEqual({ meant: { is: "nothing" }, again: [] });
    numbers.take({ t: "snapshot", topic: "orders", n: 20, part: 1, last: true, items: [] });
    expect(numbers.take(delta(21)).meant.is).toBe("change");
  });

  test("go on behind the number that was resumed from", () => {
    const numbers = begun(7);
    numbers.subscribed("orders");
    numbers.take({ t: "resumed", topic: "orders", n: 7 });
    expect(numbers.take(delta(8)).meant.is).toBe("change");
  });
});

test("a snapshot in parts counts when the last is there", () => {
  const numbers = begun();
  expect(numbers.take({ t: "snapshot", topic: "fills", n: 3, part: 1, last: false, items: [1] }).meant.is).toBe("nothing");
  expect(numbers.take({ t: "snapshot", topic: "fills", n: 3, part: 2, last: true, items: [2] }).meant).toEqual({ is: "whole", topic: "fills", items: [1, 2] });
});

test("a beat that is ahead says that something is missing", () => {
  const numbers = begun(7);
  expect(numbers.take({ t: "beat", numbers: { orders: 7 } }).again).toEqual([]);
  expect(numbers.take({ t: "beat", numbers: { orders: 8 } }).again).toEqual(["orders"]);
});

test("numbers of another run of the desk mean nothing", () => {
  const numbers = begun(7);
  numbers.hello("run-2");
  expect(numbers.from("orders")).toBeNull();
  numbers.hello("run-2");
});

test("the ladder is 1-2-4-8-16-30 and never ends", () => {
  expect([1, 2, 3, 4, 5, 6, 7, 100].map(waits)).toEqual([1, 2, 4, 8, 16, 30, 30, 30].map((each) => each * 1000));
});
