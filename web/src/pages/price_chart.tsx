// The price since the page was opened, one point a second, with the average cost and working orders as lines. The desk keeps no
// history of quotes, and this says from when on it has seen them.
import { AreaSeries, ColorType, LineStyle, createChart, type IChartApi, type IPriceLine, type ISeriesApi, type UTCTimestamp } from "lightweight-charts";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import type { Quoted } from "@/api/types";
import { useChoices } from "@/look/choices";
import { colours } from "@/look/colours";
import { useOrders, usePositions } from "@/stream/live";
import { drawn } from "@/text/decimal";

interface Point {
  time: UTCTimestamp;
  value: number;
}

const MOST = 20_000;
/** Of every symbol that was looked at, while the page is open. */
const seen = new Map<string, Point[]>();

function note(quote: Quoted): Point[] {
  const points = seen.get(quote.symbol) ?? [];
  seen.set(quote.symbol, points);
  if (quote.last === null) return points;
  const zone = /([+-])(\d\d):(\d\d)$/.exec(quote.at_local);
  const shift = zone ? (zone[1] === "-" ? -1 : 1) * (Number(zone[2]) * 3600 + Number(zone[3]) * 60) : 0;
  const time = (Math.floor(Date.parse(quote.at) / 1000) + shift) as UTCTimestamp; // the chart knows no zones: it is given local ones
  const before = points.at(-1);
  if (before && before.time === time) before.value = drawn(quote.last);
  else if (!before || before.time < time) points.push({ time, value: drawn(quote.last) });
  if (points.length > MOST) points.splice(0, points.length - MOST);
  return points;
}

export default function PriceChart({ quote }: { quote: Quoted }) {
  const { t } = useTranslation();
  const { theme, upDown, language } = useChoices();
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<IChartApi>(null);
  const line = useRef<ISeriesApi<"Area">>(null);
  const marks = useRef<IPriceLine[]>([]);
  const drawnTo = useRef(0);
  const position = usePositions().data?.positions.find((each) => each.symbol === quote.symbol && each.quantity !== "0");
  const orders = (useOrders({ open: true, limit: 1_000 }).data?.orders ?? []).filter((each) => each.symbol === quote.symbol && each.price !== null);

  useEffect(() => {
    if (!box.current) return undefined;
    const made = createChart(box.current, { autoSize: true, rightPriceScale: { borderVisible: false }, timeScale: { timeVisible: true, secondsVisible: true, borderVisible: false } });
    chart.current = made;
    line.current = made.addSeries(AreaSeries, { lineWidth: 2, priceLineVisible: true });
    return () => {
      made.remove();
      chart.current = null;
      line.current = null;
      drawnTo.current = 0;
      marks.current = [];
    };
  }, []);

  useEffect(() => {
    const look = colours();
    chart.current?.applyOptions({
      layout: { background: { type: ColorType.Solid, color: look.panel }, textColor: look.soft, fontSize: 11, attributionLogo: true },
      grid: { vertLines: { color: look.line }, horzLines: { color: look.line } },
      localization: { locale: language === "zh" ? "zh-CN" : "en-US" },
    });
    line.current?.applyOptions({ lineColor: look.accent, topColor: `${look.accent}40`, bottomColor: `${look.accent}05` });
  }, [theme, upDown, language]);

  useEffect(() => {
    const points = note(quote);
    const last = points.at(-1);
    if (!line.current || !last) return;
    if (drawnTo.current) line.current.update({ ...last });
    else line.current.setData(points.map((each) => ({ ...each })));
    drawnTo.current = last.time;
  }, [quote]);

  const lines = JSON.stringify([position?.average_price, orders.map((each) => [each.side, each.price, each.remaining_quantity])]);
  useEffect(() => {
    const series = line.current;
    if (!series) return;
    const look = colours();
    marks.current.forEach((each) => series.removePriceLine(each));
    const [average, working] = JSON.parse(lines) as [string | null | undefined, [string, string, string][]];
    marks.current = working.map(([side, at, left]) => series.createPriceLine({ price: drawn(at), color: side === "BUY" ? look.up : look.down, lineStyle: LineStyle.Dashed, lineWidth: 1, axisLabelVisible: true, title: `${t(`side.${side}`)} ${left}` }));
    if (average) marks.current.push(series.createPriceLine({ price: drawn(average), color: look.faint, lineStyle: LineStyle.Dotted, lineWidth: 1, axisLabelVisible: true, title: t("col.average") }));
  }, [lines, theme, upDown, t]);

  return (
    <figure aria-label={t("market.chart", { symbol: quote.symbol })} className="relative min-h-64 flex-1" data-chart="price">
      <div ref={box} className="absolute inset-0" />
    </figure>
  );
}
