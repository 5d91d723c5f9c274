// The lines of the pre-trade check: what would stop the order first, then every limit with its figures, then what passed.
import { CircleAlert, CircleCheck, CircleX } from "lucide-react";
import { useTranslation } from "react-i18next";
import type { Judgement } from "@/api/types";
import { useChoices } from "@/look/choices";
import type { Checked, Denial, Figured } from "@/ticket/check";
import { price, quantity } from "@/text/numbers";
import { isNumber } from "@/text/decimal";

export function sentence(denial: Denial, language: "en" | "zh"): string {
  return language === "zh" && denial.text_zh ? denial.text_zh : denial.text;
}

function figure(text: string | null): string {
  return text !== null && isNumber(text) ? quantity(text) : (text ?? "–");
}

export function Lines({ judgement }: { judgement: Judgement }) {
  const { t } = useTranslation();
  const language = useChoices((now) => now.language);
  const checks = judgement.checks as unknown as Checked[];
  const limits = judgement.limits as unknown as Figured[];
  const denied = judgement.denied as unknown as Denial | null;
  const passed = checks.filter((each) => each.passed === true).length;
  const failed = checks.filter((each) => each.passed === false);
  return (
    <div className="space-y-2 text-xs" data-judgement={denied ? "denied" : judgement.waits ? "waits" : "passes"}>
      {denied && (
        <div className="flex gap-2 rounded border border-red bg-red-soft p-2" role="alert">
          <CircleX size={15} className="mt-0.5 shrink-0 text-red" aria-hidden />
          <div>
            <p>{sentence(denied, language)}</p>
            <p className="mt-0.5 text-soft">{language === "zh" && denied.remedy_zh ? denied.remedy_zh : denied.remedy}</p>
          </div>
        </div>
      )}
      {!denied && judgement.waits && (
        <p className="flex gap-2 text-amber">
          <CircleAlert size={15} aria-hidden /> {t("ticket.waits")}
        </p>
      )}
      {failed.filter((each) => each.denied && each.denied.rule !== denied?.rule).map((each) => (
        <p key={each.check} className="flex gap-2 text-red">
          <CircleX size={14} className="shrink-0" aria-hidden /> {each.denied ? sentence(each.denied, language) : each.text}
        </p>
      ))}
      {limits.length > 0 && (
        <table className="w-full">
          <caption className="sr-only">{t("ticket.limits")}</caption>
          <thead className="text-faint">
            <tr>
              <th className="text-left font-normal">{t("ticket.rule")}</th>
              <th className="text-right font-normal">{t("ticket.was")}</th>
              <th className="text-right font-normal">{t("ticket.adds")}</th>
              <th className="text-right font-normal">{t("ticket.limit")}</th>
              <th className="text-right font-normal">{t("ticket.state")}</th>
            </tr>
          </thead>
          <tbody>
            {limits.map((each, place) => (
              <tr key={place} className={each.beyond ? "text-red" : ""}>
                <td className="font-mono">{each.rule}</td>
                <td className="text-right tabular-nums">{figure(each.was)}</td>
                <td className="text-right tabular-nums">{figure(each.this_order)}</td>
                <td className="text-right tabular-nums">{figure(each.limit)}</td>
                <td className="text-right">{each.beyond ? (each.shadow ? t("ticket.shadow") : t("ticket.beyond")) : each.missing ? each.missing : t("ticket.within")}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {!denied && failed.length === 0 && (
        <p className="flex items-center gap-2 text-green">
          <CircleCheck size={15} aria-hidden /> {t("ticket.passed", { count: passed })}
        </p>
      )}
      <details className="text-soft">
        <summary className="cursor-pointer">{t("ticket.every", { count: checks.length })}</summary>
        <ul className="mt-1 grid grid-cols-2 gap-x-3">
          {checks.map((each) => (
            <li key={each.check} className="flex justify-between gap-2">
              <span className="font-mono">{each.check}</span>
              <span className={each.passed === false ? "text-red" : each.passed ? "text-green" : "text-faint"}>{each.passed === null ? t("ticket.notAsked") : each.passed ? t("ticket.ok") : t("ticket.no")}</span>
            </li>
          ))}
        </ul>
      </details>
    </div>
  );
}

export function Spread({ bid, ask, last }: { bid: string | null; ask: string | null; last: string | null }) {
  return (
    <span className="tabular-nums">
      <span className="text-up">{price(bid)}</span> / <span className="text-down">{price(ask)}</span> · {price(last)}
    </span>
  );
}

