import { QueryClient } from "@tanstack/react-query";
import { expect, test } from "vitest";
import type { HowItDoes, Orders } from "@/api/types";
import { keep, merged, overtaken } from "@/stream/keep";

const order = (id: string, more: object = {}) => ({ order_id: id, is_open: true, run_id: null, symbol: "BAC.US", status: "NEW", ...more });

test("a document takes the place of the one with its key, and a new one stands in front", () => {
  expect(merged([{ id: "a", v: 1 }, { id: "b", v: 1 }], [{ id: "b", v: 2 }, { id: "c", v: 1 }], (row) => row.id)).toEqual([{ id: "c", v: 1 }, { id: "a", v: 1 }, { id: "b", v: 2 }]);
});

test("what no longer fits is gone, and so is what is dropped", () => {
  const rows = [{ id: "a", open: true }, { id: "b", open: true }];
  expect(merged(rows, [{ id: "a", open: false }], (row) => row.id, (row) => row.open, ["b"])).toEqual([]);
});

test("an order that is filled leaves the list of those that work, and stays in that of all", () => {
  const client = new QueryClient();
  client.setQueryData(["orders", { limit: 300 }], { orders: [order("1")], next: null });
  client.setQueryData(["orders", { open: true }], { orders: [order("1")], next: null });
  keep(client, { is: "change", topic: "orders", put: [order("1", { is_open: false, status: "FILLED" })], drop: [] });
  expect(client.getQueryData<Orders>(["orders", { limit: 300 }])?.orders.map((each) => each.status)).toEqual(["FILLED"]);
  expect(client.getQueryData<Orders>(["orders", { open: true }])?.orders).toEqual([]);
});

test("an order of another run does not come into the list of this one", () => {
  const client = new QueryClient();
  client.setQueryData(["orders", { run_id: "r" }], { orders: [], next: null });
  keep(client, { is: "change", topic: "orders", put: [order("1"), order("2", { run_id: "r" })], drop: [] });
  expect(client.getQueryData<Orders>(["orders", { run_id: "r" }])?.orders.map((each) => each.order_id)).toEqual(["2"]);
});

test("an order of another strategy does not come into the list of this one", () => {
  const client = new QueryClient();
  client.setQueryData(["orders", { strategy_id: "dip", open: true }], { orders: [], next: null });
  keep(client, { is: "change", topic: "orders", put: [order("1", { strategy_id: "" }), order("2", { strategy_id: "dip" })], drop: [] });
  expect(client.getQueryData<Orders>(["orders", { strategy_id: "dip", open: true }])?.orders.map((each) => each.order_id)).toEqual(["2"]);
});

test("halts are what the snapshot says, and one that ends is gone", () => {
  const client = new QueryClient();
  client.setQueryData(["halts", {}], { halts: [{ number: 1 }] });
  keep(client, { is: "whole", topic: "halts", items: [{ number: 2 }, { number: 3 }] });
  keep(client, { is: "change", topic: "halts", put: [], drop: [2] });
  expect(client.getQueryData(["halts", {}])).toEqual({ halts: [{ number: 3 }] });
});

test("what the stream tells while an answer is on its way stands over the answer", async () => {
  const client = new QueryClient();
  const old = { orders: [order("1", { status: "PENDING_CANCEL" })], next: null } as unknown as Orders;
  const lists = [{ limit: 300 }, { open: true }].map((filter) =>
    overtaken("orders", filter, async () => {
      keep(client, { is: "change", topic: "orders", put: [order("1", { is_open: false, status: "CANCELED" })], drop: [] });
      keep(client, { is: "change", topic: "fills", put: [{ exec_id: "e" }], drop: [] });
      return old;
    }),
  );
  const [all, working] = await Promise.all(lists);
  expect(all?.orders.map((each) => each.status)).toEqual(["CANCELED"]);
  expect(working?.orders).toEqual([]);
});

test("what the stream told before an answer was asked for is in the answer, and not put over it", async () => {
  const client = new QueryClient();
  keep(client, { is: "change", topic: "orders", put: [order("1", { status: "NEW" })], drop: [] });
  const newer = { orders: [order("1", { status: "FILLED" })], next: null } as unknown as Orders;
  expect(await overtaken("orders", {}, async () => newer)).toEqual(newer);
});

test("how the desk does is what it said last, also where an older answer comes after it", async () => {
  const said = await overtaken("health", {}, async () => {
    keep(new QueryClient(), { is: "change", topic: "system", put: [{ status: "ok", orders_open: 3 }], drop: [] });
    return { status: "starting", details: null } as unknown as HowItDoes;
  });
  expect(said).toEqual({ status: "ok", details: { status: "ok", orders_open: 3 } });
});
