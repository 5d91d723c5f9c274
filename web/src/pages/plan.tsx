// A plan before anything is made of it: now, target, what would be ordered, and why not more.
import { useTranslation } from "react-i18next";
import type { Plan, PlanLine } from "@/api/types";
import { minus, over, plus, times } from "@/text/decimal";
import { money, percent, price, quantity } from "@/text/numbers";

function valueOf(line: PlanLine): string | null {
  return line.order_qty === null || line.ref_px === null ? null : times(line.order_qty, line.ref_px);
}

function sum(lines: PlanLine[], side: string): string {
  return lines.filter((line) => line.side === side).reduce((total, line) => plus(total, valueOf(line) ?? "0"), "0");
}

export function PlanTable({ plan }: { plan: Plan }) {
  const { t } = useTranslation();
  const [bought, sold] = [sum(plan.lines, "BUY"), sum(plan.lines, "SELL")];
  const turnover = over(plus(bought, sold), plan.equity, 6);
  const after = minus(plus(plan.cash, sold), bought);
  const heads = ["symbol", "side", "weight", "held", "target", "delta", "refPrice", "value", "why"] as const;
  return (
    <div className="mt-3" data-plan>
      <div className="mb-2 flex flex-wrap gap-x-5 gap-y-1 text-xs text-soft tabular-nums">
        <span>{t("runs.tradeDate")} <b className="text-text">{plan.trade_date}</b></span>
        <span>{t("runs.equity")} <b className="text-text">{money(plan.equity)} {plan.currency}</b></span>
        <span>{t("account.balance")} <b className="text-text">{money(plan.cash)}</b></span>
        <span>{t("side.BUY")} <b className="text-up">{money(bought)}</b></span>
        <span>{t("side.SELL")} <b className="text-down">{money(sold)}</b></span>
        <span>{t("plan.turnover")} <b className="text-text">{turnover === null ? "–" : percent(turnover).replace(/^\+/, "")}</b></span>
        <span>{t("plan.cashAfter")} <b className="text-text">{money(after)}</b></span>
        <span>{t("runs.skipped")} <b className="text-text">{plan.lines.filter((line) => line.order_qty === null || line.order_qty === "0").length}</b></span>
      </div>
      {plan.findings.length > 0 && (
        <ul className="mb-2 space-y-1 rounded border border-red bg-red-soft p-2" role="alert">
          {plan.findings.map((each, place) => (
            <li key={place}><span className="font-mono text-xs">{each["code"]}</span> {each["text"]}</li>
          ))}
        </ul>
      )}
      <div className="overflow-x-auto">
        <table className="w-full min-w-[44rem] tabular-nums">
          <thead className="text-xs text-soft">
            <tr>{heads.map((head, place) => <th key={head} scope="col" className={`px-2 py-1 font-medium ${place > 1 && place < 8 ? "text-right" : "text-left"}`}>{t(`plan.${head}`)}</th>)}</tr>
          </thead>
          <tbody>
            {plan.lines.map((line) => (
              <tr key={`${line.leg}${line.symbol}${line.side}`} className="border-t border-line/50">
                <td className="px-2 py-0.5 font-semibold">{line.symbol}</td>
                <td className={`px-2 ${line.side === "BUY" ? "text-up" : line.side === "SELL" ? "text-down" : "text-faint"}`}>{line.side ? t(`side.${line.side}`, { defaultValue: line.side }) : "–"}</td>
                <td className="px-2 text-right">{line.target_weight === null ? "–" : percent(line.target_weight).replace(/^\+/, "")}</td>
                <td className="px-2 text-right">{quantity(line.held_qty)}</td>
                <td className="px-2 text-right">{quantity(line.target_qty)}</td>
                <td className="px-2 text-right font-semibold">{quantity(line.order_qty)}</td>
                <td className="px-2 text-right">{price(line.ref_px)}</td>
                <td className="px-2 text-right">{money(valueOf(line))}</td>
                <td className="px-2 text-soft">{line.reason || line.code}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}
