// The equity curve with its drawdown below, as ECharts draws them; loaded only where it is looked at.
import { LineChart } from "echarts/charts";
import { DataZoomComponent, GridComponent, TooltipComponent } from "echarts/components";
import { init, use, type EChartsType } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useChoices } from "@/look/choices";
import { colours } from "@/look/colours";
import { drawdownOf, type Worths } from "@/pages/equity";
import { money } from "@/text/numbers";
import { local } from "@/text/times";

use([LineChart, GridComponent, TooltipComponent, DataZoomComponent, CanvasRenderer]);

export default function EquityChart({ worth }: { worth: Worths }) {
  const { t } = useTranslation();
  const { theme, upDown, language } = useChoices();
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<EChartsType>(null);

  useEffect(() => {
    if (!box.current) return undefined;
    const made = init(box.current, null, { renderer: "canvas", locale: language === "zh" ? "ZH" : "EN" });
    chart.current = made;
    const watch = new ResizeObserver(() => made.resize());
    watch.observe(box.current);
    return () => {
      watch.disconnect();
      made.dispose();
      chart.current = null;
    };
  }, [language]);

  useEffect(() => {
    const look = colours();
    const shown: Worths = worth.map(([at, value]) => [Date.parse(`${local(at)}Z`), value]); // the chart shows UTC: it is given the market's clock
    const below = drawdownOf(shown);
    const axis = { axisLine: { lineStyle: { color: look.line } }, axisLabel: { color: look.soft, fontSize: 11 }, splitLine: { lineStyle: { color: look.line, opacity: 0.5 } } };
    const day = (shown.at(-1)?.[0] ?? 0) - (shown[0]?.[0] ?? 0) > 86_400_000;
    const time = { ...axis, type: "time" as const, splitLine: { show: false }, axisLabel: { ...axis.axisLabel, hideOverlap: true, formatter: day ? "{MM}-{dd}" : "{HH}:{mm}:{ss}" } };
    chart.current?.setOption(
      {
        useUTC: true,
        animation: false,
        aria: { enabled: false },
        grid: [{ left: 76, right: 14, top: 12, height: "62%" }, { left: 76, right: 14, top: "76%", height: "15%" }],
        axisPointer: { link: [{ xAxisIndex: "all" }] },
        tooltip: {
          trigger: "axis", backgroundColor: look.panel, borderColor: look.line, textStyle: { color: look.text, fontSize: 12 },
          formatter: (points: { seriesIndex: number; value: [number, number] }[]) =>
            points.length ? [new Date(points[0]?.value[0] ?? 0).toISOString().slice(0, 19).replace("T", " "), ...points.map((each) => (each.seriesIndex === 0 ? `${t("account.worth")} ${money(each.value[1].toFixed(2))}` : `${t("account.drawdown")} ${each.value[1].toFixed(2)}%`))].join("<br>") : "",
        },
        dataZoom: [{ type: "inside", xAxisIndex: [0, 1] }],
        xAxis: [{ ...time, gridIndex: 0, axisLabel: { show: false } }, { ...time, gridIndex: 1 }],
        yAxis: [{ ...axis, type: "value", scale: true, gridIndex: 0 }, { ...axis, type: "value", max: 0, gridIndex: 1, splitNumber: 2, axisLabel: { ...axis.axisLabel, formatter: "{value}%" } }],
        series: [
          { type: "line", step: "end", showSymbol: false, data: shown, lineStyle: { width: 1.5, color: look.accent }, itemStyle: { color: look.accent }, areaStyle: { opacity: 0.08, color: look.accent } },
          { type: "line", step: "end", xAxisIndex: 1, yAxisIndex: 1, showSymbol: false, data: below, lineStyle: { width: 1, color: look.down }, itemStyle: { color: look.down }, areaStyle: { opacity: 0.18, color: look.down } },
        ],
      },
      { notMerge: true },
    );
  }, [worth, theme, upDown, language, t]);

  return <div ref={box} role="img" aria-label={t("account.curve")} className="min-h-64 w-full flex-1" data-chart="equity" />;
}
