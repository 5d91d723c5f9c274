// The grid of quotes. Rows are made by React when symbols come and go; figures are written straight into their cells, a few times
// a second and only where they are seen, so that a market which moves ten thousand times a second costs what is on the screen.
import { useVirtualizer } from "@tanstack/react-virtual";
import clsx from "clsx";
import { useEffect, useRef, type KeyboardEvent } from "react";
import { useTranslation } from "react-i18next";
import type { Quoted } from "@/api/types";
import { joined, ticks } from "@/stream/ticks";
import { compare, minus, over } from "@/text/decimal";
import { percent, price, quantity } from "@/text/numbers";
import { ROW_PX } from "@/ui/table";

/** Nobody reads faster; and with the 20 ms for which the desk gathers, a quote is seen within a tenth of a second (S4-65). */
const PAINT_MS = 75;
const FLASH_MS = 300;
const FIELDS = ["last", "change", "bid", "bid_size", "ask", "ask_size", "volume", "time"] as const;
const TRACKS = "minmax(5.5rem,1.2fr) minmax(4.5rem,1fr) 3.75rem minmax(4.5rem,1fr) minmax(4rem,0.8fr) minmax(4.5rem,1fr) minmax(4rem,0.8fr) minmax(4.5rem,0.9fr) 4.75rem";

function written(quote: Quoted): Record<(typeof FIELDS)[number], string> {
  const change = quote.last !== null && quote.prev_close !== null ? over(minus(quote.last, quote.prev_close), quote.prev_close, 6) : null;
  return {
    last: price(quote.last), change: change === null ? "–" : percent(change), bid: price(quote.bid), bid_size: quantity(quote.bid_size),
    ask: price(quote.ask), ask_size: quantity(quote.ask_size), volume: quantity(quote.volume), time: quote.at_local.slice(11, 19),
  };
}

interface Props {
  quotes: Quoted[];
  chosen: string;
  onChoose: (symbol: string) => void;
}

export function QuoteGrid({ quotes, chosen, onChoose }: Props) {
  const { t } = useTranslation();
  const box = useRef<HTMLDivElement>(null);
  const latest = useRef(new Map<string, Quoted>());
  const painted = useRef(new Map<string, { polled: Quoted; version: number; last: string | null }>());
  const virtual = useVirtualizer({ count: quotes.length, getScrollElement: () => box.current, estimateSize: () => ROW_PX, overscan: 6 });

  useEffect(() => {
    latest.current = new Map(quotes.map((each) => [each.symbol, each]));
  }, [quotes]);

  useEffect(() => {
    let frame = 0;
    let timer: ReturnType<typeof setTimeout>;
    const lit = new Map<Element, number>();
    const flash = (cell: Element, rises: boolean, now: number) => {
      cell.classList.toggle("flash-up", rises);
      cell.classList.toggle("flash-down", !rises);
      lit.set(cell, now + FLASH_MS);
    };
    const paint = (now: number) => {
      timer = setTimeout(() => (frame = requestAnimationFrame(paint)), PAINT_MS); // no frame is asked for between two paintings
      for (const [cell, until] of lit) {
        if (now < until) continue;
        cell.classList.remove("flash-up", "flash-down");
        lit.delete(cell);
      }
      for (const row of box.current?.querySelectorAll<HTMLElement>("[data-symbol]") ?? []) {
        const symbol = row.dataset["symbol"] ?? "";
        const polled = latest.current.get(symbol);
        const version = ticks.versionOf(symbol);
        const was = painted.current.get(symbol);
        if (!polled || (was?.polled === polled && was.version === version && row.dataset["painted"])) continue;
        const quote = joined(polled, ticks.get(symbol));
        const figures = written(quote);
        const rises = was?.last != null && quote.last !== null ? compare(quote.last, was.last) : 0;
        FIELDS.forEach((field, place) => {
          const cell = row.children[place + 1];
          if (!cell) return;
          const text = cell.firstChild;
          if (!(text instanceof Text)) cell.textContent = figures[field];
          else if (text.data !== figures[field]) text.data = figures[field];
        });
        const last = row.children[1];
        if (rises !== 0 && last) flash(last, rises > 0, now);
        row.dataset["painted"] = "1";
        painted.current.set(symbol, { polled, version, last: quote.last });
      }
    };
    frame = requestAnimationFrame(paint);
    return () => {
      clearTimeout(timer);
      cancelAnimationFrame(frame);
    };
  }, []);

  function onKeyDown(event: KeyboardEvent): void {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const at = quotes.findIndex((each) => each.symbol === chosen) + step;
    const next = quotes[Math.max(0, Math.min(quotes.length - 1, at))];
    if (next) onChoose(next.symbol);
  }

  const heads = [t("col.symbol"), t("col.last"), "%", t("col.bid"), t("market.size"), t("col.ask"), t("market.size"), t("market.volume"), t("col.time")];
  return (
    <div ref={box} role="grid" aria-label={t("market.quotes")} aria-rowcount={quotes.length + 1} tabIndex={0} onKeyDown={onKeyDown} className="min-h-0 flex-1 overflow-auto">
      <div className="min-w-max">
        <div role="row" className="sticky top-0 z-10 grid h-7 items-center border-b border-line bg-panel text-xs text-soft" style={{ gridTemplateColumns: TRACKS }}>
          {heads.map((head, place) => (
            <div key={place} role="columnheader" className={clsx("px-2 font-medium", place > 0 && "text-right")}>
              {head}
            </div>
          ))}
        </div>
        <div role="rowgroup" className="relative" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((item) => {
            const quote = quotes[item.index];
            if (!quote) return null;
            return (
              <div key={quote.symbol} role="row" aria-selected={chosen === quote.symbol} data-symbol={quote.symbol} onClick={() => onChoose(quote.symbol)} className={clsx("absolute inset-x-0 grid cursor-pointer items-center border-b border-line/50 text-right tabular-nums hover:bg-hover", chosen === quote.symbol && "bg-accent-soft")} style={{ gridTemplateColumns: TRACKS, height: ROW_PX, contain: "strict", transform: `translateY(${item.start}px)` }}>
                <div role="gridcell" className="truncate px-2 text-left font-semibold">
                  {quote.symbol}
                </div>
                {FIELDS.map((field) => (
                  <div key={field} role="gridcell" className={clsx("truncate px-2", field === "bid" && "text-up", field === "ask" && "text-down", field === "last" && "font-semibold", field === "time" && "text-faint")} />
                ))}
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}
