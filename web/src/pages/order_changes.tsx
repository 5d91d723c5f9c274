// What a person does to orders: other terms, out of the market, and what became of one whose fate is unknown.
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { ask } from "@/api/http";
import type { Accepted, Order } from "@/api/types";
import { useEnvironment } from "@/frame/topbar";
import { refresh } from "@/stream/live";
import { isNumber } from "@/text/decimal";
import { price, quantity } from "@/text/numbers";
import { Confirm } from "@/ui/confirm";
import { Choice, Field } from "@/ui/field";
import { complain, say } from "@/ui/toasts";

export function Amend({ order, onClose }: { order: Order; onClose: () => void }) {
  const { t } = useTranslation();
  const [size, setSize] = useState(order.quantity);
  const [limit, setLimit] = useState(order.price ?? "");
  const [stop, setStop] = useState(order.stop_price ?? "");
  const key = useRef(crypto.randomUUID());
  const isLive = useEnvironment() === "live";

  async function send(reason: string): Promise<void> {
    for (const text of [size, limit, stop]) if (text && !isNumber(text)) throw new Error(t("ticket.notANumber"));
    const changed = {
      ...(size !== order.quantity ? { quantity: size } : {}),
      ...(limit && limit !== order.price ? { price: limit } : {}),
      ...(stop && stop !== order.stop_price ? { stop_price: stop } : {}),
    };
    if (!Object.keys(changed).length) throw new Error(t("order.nothing"));
    const body = { ...changed, ...(reason ? { reason } : {}) };
    say((await ask<Accepted>("PATCH", `/api/v1/orders/${encodeURIComponent(order.order_id)}`, { body, key: `${key.current}-${size}-${limit}-${stop}` })).done);
    refresh("orders", "order");
  }

  return (
    <Confirm title={`${t("order.amend")}: ${order.symbol}`} about={t("order.amendMore")} does={t("order.amend")} tone="main" reason="wanted" onDo={send} onClose={onClose}>
      <Field label={t("col.quantity")} value={size} onChange={(event) => setSize(event.target.value.trim())} inputMode="decimal" hint={t("order.filledSoFar", { filled: quantity(order.filled_quantity) })} autoFocus data-amend="quantity" />
      {order.price !== null && <Field label={t("col.limit")} value={limit} onChange={(event) => setLimit(event.target.value.trim())} inputMode="decimal" data-amend="price" />}
      {order.stop_price !== null && <Field label={t("col.stop")} value={stop} onChange={(event) => setStop(event.target.value.trim())} inputMode="decimal" />}
      {isLive && <p className="rounded border border-amber p-2" data-amend="live">{t("order.amendLive")}</p>}
    </Confirm>
  );
}

export function CancelOrders({ orders, onClose }: { orders: Order[]; onClose: () => void }) {
  const { t } = useTranslation();

  async function send(reason: string): Promise<void> {
    const sent = await Promise.allSettled(orders.map((order) => ask<Accepted>("POST", `/api/v1/orders/${encodeURIComponent(order.order_id)}/cancel`, { query: { reason } })));
    refresh("orders", "order");
    const done = sent.filter((each) => each.status === "fulfilled").length;
    sent.forEach((each) => each.status === "rejected" && complain(each.reason));
    if (done) say(t("order.cancelled", { count: done }));
  }

  return (
    <Confirm title={t("order.cancelTitle", { count: orders.length })} does={t("order.cancel")} reason="wanted" onDo={send} onClose={onClose}>
      <ul className="max-h-48 space-y-0.5 overflow-auto">
        {orders.map((order) => (
          <li key={order.order_id} className="tabular-nums">
            {t(`side.${order.side}`)} {quantity(order.remaining_quantity)} {order.symbol} {order.price ? `@ ${price(order.price)}` : ""}
          </li>
        ))}
      </ul>
    </Confirm>
  );
}

export function Resolve({ order, onClose }: { order: Order; onClose: () => void }) {
  const { t } = useTranslation();
  const [as, setAs] = useState("NOT_SENT");

  async function send(reason: string): Promise<void> {
    say((await ask<Accepted>("POST", `/api/v1/orders/${encodeURIComponent(order.order_id)}/resolve`, { body: { as, reason } })).done);
    refresh("orders", "order");
  }

  return (
    <Confirm title={`${t("order.resolve")}: ${order.order_id}`} about={t("order.resolveMore")} does={t("order.resolve")} reason="needed" onDo={send} onClose={onClose}>
      <Choice label={t("order.resolveAs")} value={as} onChange={(event) => setAs(event.target.value)} options={[["NOT_SENT", t("order.notSent")], ["CANCELED", t("status.CANCELED")]]} />
    </Confirm>
  );
}
