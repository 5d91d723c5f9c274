// The order ticket: typed by hand or filled from a row, checked by the desk while it is typed, sent once.
import clsx from "clsx";
import { useQuery } from "@tanstack/react-query";
import { useCallback, useEffect, useId, useMemo, useRef, useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { Problem, ask } from "@/api/http";
import type { Instruments, LiveWord, OrderShown, Taken, ToConfirm } from "@/api/types";
import { useMay } from "@/access/session";
import { useEnvironment } from "@/frame/topbar";
import { refresh, useIsStale, usePositions, useQuotes } from "@/stream/live";
import { asksPrice, asksStop, orderOf, useJudgement, type Typed } from "@/ticket/check";
import { Lines } from "@/ticket/lines";
import { floored, isNumber, over, times } from "@/text/decimal";
import { money, price, quantity } from "@/text/numbers";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { close, type Preset } from "@/ui/dialogs";
import { Choice, Field } from "@/ui/field";
import { LiveConfirm } from "@/ui/live_word";
import { Trouble } from "@/ui/states";
import { complain, say } from "@/ui/toasts";

const PARTS = ["25", "50", "75", "100"] as const;

export default function Ticket({ preset }: { preset: Preset }) {
  const { t } = useTranslation();
  const environment = useEnvironment();
  const mayTrade = useMay(environment === "live" ? "order:live" : "order:paper");
  const stale = useIsStale();
  const [typed, setTyped] = useState<Typed>({
    symbol: preset.symbol ?? "", side: preset.side ?? "buy", type: preset.price ? "limit" : "market", tif: "DAY",
    quantity: preset.quantity ?? "", price: preset.price ?? "", stop: "", effect: preset.effect ?? "AUTO", reason: "",
  });
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<unknown>(null);
  const [asking, setAsking] = useState(false);
  const key = useRef(crypto.randomUUID());
  const options = useId();
  const change = (given: Partial<Typed>) => {
    key.current = crypto.randomUUID(); // other terms are another order
    setRefused(null);
    setTyped((now) => ({ ...now, ...given }));
  };

  const sought = typed.symbol.trim();
  const instruments = useQuery({
    queryKey: ["instruments", sought],
    queryFn: async ({ signal }) => ask<Instruments>("GET", "/api/v1/instruments", { query: { q: sought, limit: 12 }, signal }),
    enabled: sought.length > 0,
    staleTime: 60_000,
  }).data?.instruments;
  const instrument = instruments?.find((each) => each.symbol.toUpperCase() === sought.toUpperCase());
  const quote = useQuotes().data?.quotes.find((each) => each.symbol.toUpperCase() === sought.toUpperCase());
  const position = usePositions().data?.positions.find((each) => each.symbol.toUpperCase() === sought.toUpperCase() && each.quantity !== "0");
  const order = useMemo(() => orderOf(typed), [typed]);
  const judgement = useJudgement(mayTrade ? order : null);
  const isFuture = instrument ? instrument.multiplier !== "1" || instrument.asset_class.includes("future") : false;
  const lock = stale && !asksPrice(typed.type);

  const reference = asksPrice(typed.type) && isNumber(typed.price) ? typed.price : (typed.side === "buy" ? quote?.ask : quote?.bid) ?? quote?.last;
  const value = order && reference ? times(times(order.quantity, reference), instrument?.multiplier ?? "1") : null;

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey && event.key === "Enter") {
        event.preventDefault();
        document.querySelector<HTMLFormElement>("[data-ticket]")?.requestSubmit();
      }
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);

  const shown = useCallback(async (): Promise<ToConfirm> => {
    const { confirm } = await ask<OrderShown>("POST", "/api/v1/orders/preview", { body: order });
    if (!confirm) throw new Error(t("live.changed"));
    return confirm;
  }, [order, t]);

  async function place(word?: LiveWord): Promise<void> {
    const body = word ? { ...order, live: word } : order;
    const taken = await ask<Taken>("POST", "/api/v1/orders", { body, key: key.current }).catch((error: unknown) => {
      if (error instanceof Problem && error.code === "denied") key.current = crypto.randomUUID(); // the old one is answered with this denial from now on
      throw error;
    });
    say(t("ticket.taken", { side: t(`side.${taken.side}`, { defaultValue: taken.side }), quantity: quantity(taken.quantity), symbol: taken.symbol }), "good", taken.order_id);
    refresh("orders", "positions", "account", "fills");
    close();
  }

  async function send(event: FormEvent): Promise<void> {
    event.preventDefault();
    event.stopPropagation();
    if (!order || busy || lock) return;
    setBusy(true);
    setRefused(null);
    try {
      if (environment === "live" && (await ask<OrderShown>("POST", "/api/v1/orders/preview", { body: order })).confirm) {
        setAsking(true);
        return;
      }
      await place();
    } catch (error) {
      setRefused(error);
      complain(error);
      refresh("orders");
    } finally {
      setBusy(false);
    }
  }

  function part(percent: string): void {
    const held = position?.sellable_quantity ?? position?.quantity;
    if (!held) return;
    const wanted = over(times(held, percent), "100", 12) ?? held;
    change({ quantity: floored(wanted, percent === "100" ? "0" : (instrument?.lot ?? "1")) });
  }

  const chips = ([["bid", quote?.bid], ["last", quote?.last], ["ask", quote?.ask]] as const).filter((each): each is [typeof each[0], string] => each[1] != null);

  return (
    <Dialog open onClose={close} title={t("ticket.new")} drawer about={environment === "live" ? t("environment.liveMore") : t("environment.paperMore")}>
      {!mayTrade && <p className="mb-3 rounded border border-line bg-raised p-2 text-amber">{t("ticket.mayNot")}</p>}
      {asking && <LiveConfirm title={t("live.order")} shown={shown} onSend={place} onClose={() => setAsking(false)} />}
      <form data-ticket onSubmit={(event) => void send(event)} className="space-y-3">
        <div role="radiogroup" aria-label={t("col.side")} className="grid grid-cols-2 gap-2">
          {(["buy", "sell"] as const).map((side) => (
            <button key={side} type="button" role="radio" aria-checked={typed.side === side} onClick={() => change({ side })} className={clsx("h-9 rounded border font-semibold", typed.side === side ? (side === "buy" ? "border-transparent bg-up-solid text-white" : "border-transparent bg-down-solid text-white") : "border-line bg-raised text-soft")}>
              {t(`side.${side.toUpperCase()}`)}
            </button>
          ))}
        </div>
        <div>
          <Field label={t("col.symbol")} list={options} value={typed.symbol} onChange={(event) => change({ symbol: event.target.value })} autoFocus={!preset.symbol} placeholder={t("ticket.symbolHint")} required data-ticket-field="symbol" />
          <datalist id={options}>{instruments?.map((each) => <option key={each.symbol} value={each.symbol}>{each.name}</option>)}</datalist>
          {quote && (
            <p className="mt-1 text-xs text-soft tabular-nums">
              {t("col.bid")} <span className="text-text">{price(quote.bid)}</span> × {quantity(quote.bid_size)} · {t("col.ask")} <span className="text-text">{price(quote.ask)}</span> × {quantity(quote.ask_size)}
            </p>
          )}
          {position && <p className="mt-1 text-xs text-soft">{t("ticket.held", { quantity: quantity(position.quantity), sellable: quantity(position.sellable_quantity) })}</p>}
        </div>
        <div className="grid grid-cols-2 gap-3">
          <Choice label={t("col.type")} value={typed.type} onChange={(event) => change({ type: event.target.value as Typed["type"] })} options={(["market", "limit", "stop", "stop_limit"] as const).map((each) => [each, t(`type.${each.toUpperCase()}`)])} data-ticket-field="type" />
          <Choice label={t("col.tif")} value={typed.tif} onChange={(event) => change({ tif: event.target.value as Typed["tif"] })} options={(["DAY", "GTC", "IOC", "FOK"] as const).map((each) => [each, t(`tif.${each}`)])} />
        </div>
        <div>
          <Field label={t("col.quantity")} hint={instrument ? t("ticket.lot", { lot: quantity(instrument.lot), tick: instrument.tick }) : undefined} value={typed.quantity} onChange={(event) => change({ quantity: event.target.value.trim() })} inputMode="decimal" wrong={typed.quantity && !isNumber(typed.quantity) ? t("ticket.notANumber") : ""} required data-ticket-field="quantity" autoFocus={!!preset.symbol} />
          {position && (
            <div className="mt-1 flex gap-1">
              {PARTS.map((each) => (
                <Button key={each} small onClick={() => part(each)}>
                  {each}%
                </Button>
              ))}
            </div>
          )}
        </div>
        {asksStop(typed.type) && <Field label={t("col.stop")} value={typed.stop} onChange={(event) => change({ stop: event.target.value.trim() })} inputMode="decimal" required />}
        {asksPrice(typed.type) && (
          <div>
            <Field label={t("col.limit")} value={typed.price} onChange={(event) => change({ price: event.target.value.trim() })} inputMode="decimal" required data-ticket-field="price" />
            <div className="mt-1 flex gap-1">
              {chips.map(([name, at]) => (
                <Button key={name} small onClick={() => change({ price: at })}>
                  {t(`col.${name}`)} {price(at)}
                </Button>
              ))}
            </div>
          </div>
        )}
        {isFuture && <Choice label={t("col.effect")} value={typed.effect} onChange={(event) => change({ effect: event.target.value })} options={["AUTO", "OPEN", "CLOSE", "CLOSE_TODAY", "CLOSE_YESTERDAY"].map((each) => [each, t(`effect.${each}`)])} />}
        <Field label={t("confirm.reason")} value={typed.reason} onChange={(event) => change({ reason: event.target.value })} maxLength={200} />
        <div className="flex items-baseline justify-between border-t border-line pt-2">
          <span className="text-soft">{t("ticket.value")}</span>
          <span className="text-base font-semibold tabular-nums">
            {money(value)} {instrument?.currency ?? ""}
          </span>
        </div>
        <section aria-label={t("ticket.check")} className="min-h-16">
          <h3 className="mb-1 text-xs font-semibold text-soft">{t("ticket.check")}</h3>
          {!order ? <p className="text-xs text-faint">{t("ticket.incomplete")}</p> : judgement.error ? <p className="text-xs text-red">{judgement.error.message}</p> : judgement.data ? <Lines judgement={judgement.data} /> : <p className="text-xs text-faint">{t("loading")}</p>}
        </section>
        {refused !== null && !judgement.data && <Trouble error={refused} />}
        {lock && <p className="text-amber">{t("ticket.stale")}</p>}
        <Button tone={typed.side} type="submit" className="h-10 w-full text-sm font-semibold" disabled={!order || !mayTrade || lock} busy={busy} data-ticket-send>
          {t(`side.${typed.side.toUpperCase()}`)} {typed.quantity && isNumber(typed.quantity) ? quantity(typed.quantity) : ""} {sought} {typed.type === "market" ? t("type.MARKET") : typed.price && isNumber(typed.price) ? `@ ${price(typed.price)}` : ""}
        </Button>
        <p className="text-center text-2xs text-faint">Ctrl+Enter</p>
      </form>
    </Dialog>
  );
}
