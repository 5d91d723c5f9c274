// One order in full: its terms, its ids, what happened to it and when, and its fills.
import { useQuery } from "@tanstack/react-query";
import { Copy } from "lucide-react";
import { useState, type KeyboardEvent } from "react";
import { useTranslation } from "react-i18next";
import { ask } from "@/api/http";
import type { OrderInFull } from "@/api/types";
import { useMay } from "@/access/session";
import { StatusPill } from "@/pages/words";
import { Amend, CancelOrders, Resolve } from "@/pages/order_changes";
import { money, price, quantity } from "@/text/numbers";
import { fine, full, span } from "@/text/times";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { Facts } from "@/ui/panel";
import { Loading, Trouble } from "@/ui/states";
import { say } from "@/ui/toasts";

type Deed = "amend" | "cancel" | "resolve";

export function OrderDrawer({ id, onClose }: { id: string; onClose: () => void }) {
  const { t } = useTranslation();
  const [doing, setDoing] = useState<Deed | null>(null);
  const mayTrade = useMay("order:paper");
  const mayCancel = useMay("cancel");
  const mayResolve = useMay("risk:write");
  const query = useQuery({
    queryKey: ["order", id],
    queryFn: async ({ signal }) => ask<OrderInFull>("GET", `/api/v1/orders/${encodeURIComponent(id)}`, { signal }),
    refetchInterval: (now) => (now.state.data?.order.is_open === false ? false : 1_000),
  });
  const found = query.data;
  const order = found?.order;
  const onKeyDown = (event: KeyboardEvent) => {
    if (!order?.is_open || doing !== null || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "r" && mayTrade) setDoing("amend");
    else if (event.key === "x" && mayCancel) setDoing("cancel");
    else return;
    event.preventDefault();
  };
  const title = order ? `${t(`side.${order.side}`)} ${quantity(order.quantity)} ${order.symbol}` : id;
  return (
    <Dialog open onClose={onClose} title={title} onKeyDown={onKeyDown} drawer>
      {query.error && !found ? <Trouble error={query.error} again={() => void query.refetch()} /> : !found || !order ? <Loading /> : (
        <div className="space-y-4" data-order={order.order_id}>
          <div className="flex flex-wrap items-center gap-2">
            <StatusPill status={order.status} />
            <span className="ml-auto flex gap-1.5">
              {order.status === "UNKNOWN" && mayResolve && <Button small onClick={() => setDoing("resolve")}>{t("order.resolve")}</Button>}
              {order.is_open && mayTrade && <Button small onClick={() => setDoing("amend")}>{t("order.amend")} <kbd className="text-2xs text-faint">r</kbd></Button>}
              {order.is_open && mayCancel && <Button small tone="danger" data-order-cancel onClick={() => setDoing("cancel")}>{t("order.cancel")} <kbd className="text-2xs">x</kbd></Button>}
            </span>
          </div>
          {order.error && <p className="rounded border border-red bg-red-soft p-2" role="alert">{order.error} {order.error_code && <span className="font-mono text-xs text-soft">{order.error_code}</span>}</p>}
          {order.status === "UNKNOWN" && <p className="rounded border border-violet p-2">{t("order.unknownMore")}</p>}
          <Facts
            of={[
              [t("col.type"), `${t(`type.${order.order_type}`, { defaultValue: order.order_type })} · ${order.time_in_force}`],
              [t("col.limit"), price(order.price)],
              [t("col.stop"), price(order.stop_price)],
              [t("col.filled"), `${quantity(order.filled_quantity)} / ${quantity(order.quantity)}`],
              [t("col.average"), price(order.average_price)],
              [t("col.value"), money(order.filled_amount)],
              [t("col.fee"), money(order.commission)],
              [t("col.effect"), t(`effect.${order.position_effect}`, { defaultValue: order.position_effect })],
              [t("col.by"), order.created_by],
              [t("col.approvedBy"), order.approved_by || "–"],
              [t("col.strategy"), order.strategy_id || "–"],
              [t("col.tradingDay"), order.trading_day],
            ]}
          />
          {order.reason && <p className="text-soft">{order.reason}</p>}
          <section>
            <h3 className="mb-1 font-semibold">{t("order.timeline")}</h3>
            <ol className="relative space-y-1.5 border-l border-line pl-4">
              {found.timeline.map((step, place) => {
                const before = found.timeline[place - 1];
                const after = before ? Date.parse(step.at) - Date.parse(before.at) : null;
                return (
                  <li key={place} className="relative">
                    <span aria-hidden className="absolute top-1.5 -left-[1.22rem] size-1.5 rounded-full bg-accent" />
                    <div className="flex items-baseline gap-2">
                      <span className="font-medium">{t(`step.${step.what}`, { defaultValue: step.what })}</span>
                      <span className="ml-auto font-mono text-xs text-soft" title={step.at}>{fine(step.at)}</span>
                      <span className="w-12 text-right font-mono text-2xs text-faint">{after === null ? "" : after < 1000 ? `+${after}ms` : `+${span(after)}`}</span>
                    </div>
                    {(step.text || step.by) && <p className="text-xs break-words text-soft">{[step.text, step.by].filter(Boolean).join(" · ")}</p>}
                  </li>
                );
              })}
            </ol>
          </section>
          {found.fills.length > 0 && (
            <section>
              <h3 className="mb-1 font-semibold">{t("page.trades")}</h3>
              <table className="w-full text-xs tabular-nums">
                <thead className="text-faint">
                  <tr>{["time", "quantity", "price", "fee", "id"].map((each) => <th key={each} className="text-right font-normal first:text-left">{t(`col.${each}`)}</th>)}</tr>
                </thead>
                <tbody>
                  {found.fills.map((fill) => (
                    <tr key={`${fill.exec_id}${fill.exec_type}`} className="border-t border-line/50" title={`${fill.exec_id} ${full(fill.fill_time)}`}>
                      <td>{fine(fill.fill_time)}</td>
                      <td className="text-right">{quantity(fill.quantity)}</td>
                      <td className="text-right">{price(fill.price)}</td>
                      <td className="text-right">{money(fill.commission)}</td>
                      <td className="max-w-28 truncate pl-2 text-right font-mono text-faint">{fill.exec_id}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </section>
          )}
          <section>
            <h3 className="mb-1 font-semibold">{t("order.ids")}</h3>
            <Facts columns={1} of={([["order.ours", order.order_id], ["order.brokers", order.broker_order_id], ["order.run", order.run_id], ["col.strategy", order.strategy_id]] as const).map(([name, id]) => [t(name), <Id key={name} text={id} />])} />
          </section>
          {doing === "resolve" && <Resolve order={order} onClose={() => setDoing(null)} />}
          {doing === "amend" && <Amend order={order} onClose={() => setDoing(null)} />}
          {doing === "cancel" && <CancelOrders orders={[order]} onClose={() => setDoing(null)} />}
        </div>
      )}
    </Dialog>
  );
}

function Id({ text }: { text: string | null }) {
  const { t } = useTranslation();
  if (!text) return <>–</>;
  return (
    <span className="inline-flex items-center gap-1 font-mono text-xs">
      {text}
      <button type="button" className="rounded p-0.5 text-soft hover:bg-hover" aria-label={t("copy")} onClick={() => void navigator.clipboard?.writeText(text).then(() => say(t("copied")))}>
        <Copy size={12} aria-hidden />
      </button>
    </span>
  );
}
