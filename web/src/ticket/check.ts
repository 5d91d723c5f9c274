// The order as it is typed, as the desk takes it, and what risk says of it before it is sent.
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { ask } from "@/api/http";
import type { Judgement, NewOrder } from "@/api/types";
import { isNumber, sign } from "@/text/decimal";

export interface Typed {
  symbol: string;
  side: "buy" | "sell";
  type: "market" | "limit" | "stop" | "stop_limit";
  tif: "DAY" | "GTC" | "IOC" | "FOK";
  quantity: string;
  price: string;
  stop: string;
  effect: string;
  reason: string;
}

export const asksPrice = (type: Typed["type"]) => type === "limit" || type === "stop_limit";
export const asksStop = (type: Typed["type"]) => type === "stop" || type === "stop_limit";

function isAmount(text: string): boolean {
  return isNumber(text) && sign(text) > 0;
}

/** The order; null while something is missing. */
export function orderOf(typed: Typed): NewOrder | null {
  const symbol = typed.symbol.trim();
  if (!symbol || !isAmount(typed.quantity)) return null;
  if (asksPrice(typed.type) && !isNumber(typed.price)) return null;
  if (asksStop(typed.type) && !isNumber(typed.stop)) return null;
  return {
    symbol,
    side: typed.side,
    quantity: typed.quantity,
    order_type: typed.type,
    time_in_force: typed.tif,
    position_effect: typed.effect,
    ...(asksPrice(typed.type) ? { price: typed.price } : {}),
    ...(asksStop(typed.type) ? { stop_price: typed.stop } : {}),
    ...(typed.reason.trim() ? { reason: typed.reason.trim() } : {}),
  };
}

export interface Checked {
  check: string;
  passed: boolean | null;
  text: string;
  denied: Denial | null;
}

export interface Denial {
  rule: string;
  scope: string;
  limit: string;
  was: string;
  this_order: string;
  remedy: string;
  remedy_zh: string;
  text: string;
  text_zh: string;
}

export interface Figured {
  rule: string;
  scope: string;
  severity: string;
  shadow: boolean;
  limit: string | null;
  was: string | null;
  this_order: string | null;
  beyond: boolean;
  missing: string;
  silent: boolean;
}

const PAUSE_MS = 300;
const ANEW_MS = 2_000;

/** What risk says now, a moment after the last letter, and again while the ticket is open: prices move. */
export function useJudgement(order: NewOrder | null) {
  const [settled, setSettled] = useState(order);
  const text = JSON.stringify(order);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(JSON.parse(text) as NewOrder | null), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return useQuery({
    queryKey: ["judgement", settled],
    queryFn: async ({ signal }) => ask<Judgement>("POST", "/api/v1/risk/check", { body: settled, signal }),
    enabled: settled !== null,
    refetchInterval: ANEW_MS,
    placeholderData: keepPreviousData,
  });
}
