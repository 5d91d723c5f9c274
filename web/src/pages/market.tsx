// The market: every quote the desk has, the main contract, the best prices of the one that is chosen with its size, which is the
// main contract at first, and how it went since one looks.
import clsx from "clsx";
import { useQuery } from "@tanstack/react-query";
import { Suspense, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { ask } from "@/api/http";
import type { Instruments, Quoted } from "@/api/types";
import { useMay } from "@/access/session";
import { Main, useMain } from "@/pages/main_contract";
import { QuoteGrid } from "@/pages/quote_grid";
import { deskNow } from "@/stream/link";
import { useNow, useOrders, usePositions, useQuotes } from "@/stream/live";
import { compare, minus, over } from "@/text/decimal";
import { percent, price, quantity, signed } from "@/text/numbers";
import { span } from "@/text/times";
import { Button } from "@/ui/button";
import { open } from "@/ui/dialogs";
import { Find } from "@/ui/filters";
import { later } from "@/ui/later";
import { Gain } from "@/ui/number";
import { Facts, Panel } from "@/ui/panel";
import { Empty, Loading, Trouble } from "@/ui/states";

const PriceChart = later(() => import("@/pages/price_chart"));

export default function MarketPage() {
  const { t } = useTranslation();
  const query = useQuotes();
  const [chosen, setChosen] = useState("");
  const [find, setFind] = useState("");
  const all = query.data?.quotes;
  const shown = useMemo(() => (all ?? []).filter((each) => each.symbol.toLowerCase().includes(find.trim().toLowerCase())), [all, find]);
  const main = useMain().data?.main_contract;
  const quote = all?.find((each) => each.symbol === (chosen || main)) ?? all?.[0];
  return (
    <div className="grid min-h-full gap-2 lg:h-full lg:grid-cols-[minmax(0,1.2fr)_minmax(0,1fr)]">
      <Panel title={t("market.quotes")} flush className="min-h-72" more={<Find value={find} onChange={setFind} />}>
        {query.error && !all ? <Trouble error={query.error} again={() => void query.refetch()} /> : !all ? <Loading /> : !all.length ? <Empty title={t("market.none")}>{t("market.noneMore")}</Empty> : <QuoteGrid quotes={shown} chosen={quote?.symbol ?? ""} onChoose={setChosen} />}
      </Panel>
      <div className="flex min-h-0 flex-col gap-2">
        <Main onSwitched={() => setChosen("")} />
        {quote && <One quote={quote} />}
        <Panel title={quote ? t("market.chart", { symbol: quote.symbol }) : t("market.chartNone")} className="min-h-72 flex-1" flush>
          {quote ? (
            <Suspense fallback={<Loading />}>
              <PriceChart key={quote.symbol} quote={quote} />
            </Suspense>
          ) : (
            <Empty title={t("market.none")} />
          )}
        </Panel>
      </div>
    </div>
  );
}

function One({ quote }: { quote: Quoted }) {
  const { t } = useTranslation();
  useNow();
  const mayTrade = useMay("order:paper");
  const instrument = useQuery({ queryKey: ["instruments", quote.symbol], queryFn: async ({ signal }) => ask<Instruments>("GET", "/api/v1/instruments", { query: { q: quote.symbol, limit: 5 }, signal }), staleTime: 60_000 }).data?.instruments.find((each) => each.symbol === quote.symbol);
  const held = usePositions().data?.positions.find((each) => each.symbol === quote.symbol && each.quantity !== "0");
  const working = (useOrders({ open: true, limit: 1_000 }).data?.orders ?? []).filter((each) => each.symbol === quote.symbol);
  const change = quote.last !== null && quote.prev_close !== null ? minus(quote.last, quote.prev_close) : null;
  const spread = quote.ask !== null && quote.bid !== null ? minus(quote.ask, quote.bid) : null;
  const most = [quote.bid_size, quote.ask_size].filter((each): each is string => each !== null).sort(compare).at(-1);
  const size = (text: string | null) => (text && most && compare(most, "0") > 0 ? `${Number(over(text, most, 4)) * 100}%` : "0%");
  return (
    <Panel
      title={<span className="text-sm text-text">{quote.symbol} <span className="font-normal text-soft">{instrument?.name}</span>{quote.suspended && <span className="ml-2 text-amber">{t("market.suspended")}</span>}</span>}
      more={mayTrade && (<><Button small tone="buy" onClick={() => open({ ticket: { symbol: quote.symbol, side: "buy" } })}>{t("side.BUY")}</Button><Button small tone="sell" onClick={() => open({ ticket: { symbol: quote.symbol, side: "sell" } })}>{t("side.SELL")}</Button></>)}
    >
      <div className="mb-2 flex items-baseline gap-3">
        <span className="text-2xl font-semibold tabular-nums">{price(quote.last)}</span>
        <Gain value={change} as={(text) => signed(text, price)} />
        {change !== null && quote.prev_close !== null && <Gain value={over(change, quote.prev_close, 6)} as={percent} />}
        <span className={clsx("ml-auto text-xs", deskNow() - Date.parse(quote.at) > 5_000 ? "text-amber" : "text-faint")}>{t("market.age", { age: span(deskNow() - Date.parse(quote.at)) })}</span>
      </div>
      <div className="grid grid-cols-2 gap-1" aria-label={t("market.depth")} role="group">
        {([["bid", quote.bid, quote.bid_size, "sell"], ["ask", quote.ask, quote.ask_size, "buy"]] as const).map(([name, at, many, side]) => (
          <button key={name} type="button" disabled={!mayTrade || at === null} onClick={() => at !== null && open({ ticket: { symbol: quote.symbol, side, price: at } })} className={clsx("relative flex items-center justify-between overflow-hidden rounded border border-line px-2 py-1.5 text-left hover:bg-hover", name === "ask" && "flex-row-reverse")}>
            <span aria-hidden className={clsx("absolute inset-y-0", name === "bid" ? "right-0 bg-up-soft" : "left-0 bg-down-soft")} style={{ width: size(many) }} />
            <span className="relative text-xs text-soft">{t(`col.${name}`)} · {quantity(many)}</span>
            <span className={clsx("relative font-semibold tabular-nums", name === "bid" ? "text-up" : "text-down")}>{price(at)}</span>
          </button>
        ))}
      </div>
      <p className="mt-1 text-xs text-faint" data-depth>{t(quote.bid_size === null && quote.ask_size === null ? "market.noSizes" : "market.oneLevel")}</p>
      <div className="mt-2">
        <Facts
          columns={3}
          of={[
            [t("market.spread"), price(spread)],
            [t("market.prevClose"), price(quote.prev_close)],
            [t("market.volume"), quantity(quote.volume)],
            [t("market.position"), held ? `${quantity(held.quantity)} @ ${price(held.average_price)}` : "–"],
            [t("orders.working"), String(working.length)],
            [t("market.lot"), instrument ? `${quantity(instrument.lot)} / ${instrument.tick}` : "–"],
            [t("col.multiplier"), instrument ? quantity(instrument.multiplier) : "–"],
            [t("market.board"), instrument ? `${instrument.exchange} ${instrument.board}` : quote.exchange],
            [t("market.time"), quote.at_local.slice(11, 19)],
          ]}
        />
      </div>
    </Panel>
  );
}
