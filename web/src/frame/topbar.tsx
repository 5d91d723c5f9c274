// The bar that every page has: which money is traded here, how the account stands, whether the broker and the data are alive,
// what asks for attention, and the stop.
import clsx from "clsx";
import { Bell, Moon, OctagonX, Search, Sun, User } from "lucide-react";
import { Suspense, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useMay } from "@/access/session";
import { usePath } from "@/frame/route";
import { isUnseen } from "@/frame/alerts";
import { worthOf } from "@/frame/worth";
import { OTHER } from "@/i18n/languages";
import { useChoices } from "@/look/choices";
import { useInstruments } from "@/stream/instruments";
import { deskNow } from "@/stream/link";
import { useAccount, useAge, useAlerts, useHalts, useHealth, useIsStale, useNow, usePositions, useQuotes } from "@/stream/live";
import { local, showAs, span } from "@/text/times";
import { Button } from "@/ui/button";
import { open } from "@/ui/dialogs";
import { later } from "@/ui/later";
import { Amount, Gain } from "@/ui/number";
import { Pill } from "@/ui/pill";
import { Boundary } from "@/ui/states";

const UserMenu = later(() => import("@/frame/user_menu"));

export type Environment = "paper" | "live" | "replay";

/** Which money is traded: a recording's is paper too, and says that its time is not ours. */
export function useEnvironment(): Environment | null {
  const details = useHealth().data?.details;
  return details ? (details.is_live ? "live" : "paper") : null;
}

const BADGE: Record<Environment, string> = {
  paper: "bg-[#f5b301] text-[#1b1400]",
  live: "bg-[#c9203b] text-white",
  replay: "bg-[#6a3bd0] text-white",
};

export function Badge() {
  const { t } = useTranslation();
  const environment = useEnvironment();
  if (!environment) return null;
  return (
    <span data-environment={environment} className={clsx("rounded px-2 py-0.5 text-xs font-bold tracking-widest", BADGE[environment])} title={t(`environment.${environment}More`)}>
      {t(`environment.${environment}`)}
    </span>
  );
}

function Summary() {
  const { t } = useTranslation();
  const [chosen, setChosen] = useState("");
  const account = useAccount().data;
  const positions = usePositions().data?.positions;
  const all = worthOf(account?.money ?? [], positions ?? [], useInstruments());
  const worth = all.find((each) => each.currency === chosen) ?? all[0];
  if (!worth) return null;
  const items: [string, React.ReactNode][] = [
    [t("top.net"), <Amount key="n" value={worth.net} className="font-semibold" />],
    [t("top.gain"), <Gain key="g" value={worth.gain} className="font-semibold" />],
    [t("top.available"), <Amount key="a" value={worth.available} />],
    [t("top.cash"), <Amount key="c" value={worth.cash} />],
    [t("top.margin"), <Amount key="m" value={worth.margin} />],
  ];
  return (
    <div className="flex min-w-0 items-center gap-4">
      <label className="hidden items-center gap-1 text-xs text-soft sm:flex">
        <span className="hidden 2xl:inline">{account?.account}</span>
        <select aria-label={t("top.currency")} className="h-6 rounded border border-line bg-bg px-1 text-text" value={worth.currency} onChange={(event) => setChosen(event.target.value)}>
          {all.map((each) => (
            <option key={each.currency}>{each.currency}</option>
          ))}
        </select>
      </label>
      <dl className="flex min-w-0 gap-4">
        {items.map(([name, value], place) => (
          <div key={name} className={clsx("leading-tight", place === 1 && "hidden sm:block", place > 1 && "hidden lg:block", place > 2 && "lg:hidden xl:block", place > 3 && "xl:hidden 2xl:block")}>
            <dt className="text-2xs text-faint">{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

function Brokers() {
  const { t } = useTranslation();
  const details = useHealth().data?.details;
  const age = useAge();
  const stale = useIsStale();
  if (!details) return null;
  return (
    <div className="hidden items-center gap-3 text-xs md:flex">
      <Pill tone={stale ? "warn" : details.broker_ready ? "good" : "bad"} title={details.broker_text || t("top.broker")}>
        {details.broker} {details.broker_ready ? "" : t("top.notReady")}
      </Pill>
      <Pill tone={stale ? "warn" : "good"} title={t("top.ageMore")}>
        <span className="inline-block min-w-9 text-right">{age === null ? "–" : span(age)}</span>
      </Pill>
    </div>
  );
}

/** The desk's present by the clock of the market: the offset is that of the quotes. */
function MarketClock() {
  const { t } = useTranslation();
  useNow();
  const quote = useQuotes().data?.quotes[0];
  const details = useHealth().data?.details;
  const now = deskNow();
  if (quote) showAs(quote.at_local);
  const shown = local(now);
  const apart = Math.abs(now - Date.now()) > 86_400_000;
  return (
    <div className="hidden text-right leading-tight xl:block" title={apart ? t("top.recording") : t("top.clock")}>
      <div className="text-2xs text-faint">
        {quote?.exchange ?? ""} {apart ? t("top.recorded") : ""} {details?.feed_ended ? t("top.feedEnded") : ""}
      </div>
      <div className="tabular-nums">
        {apart && <span className="text-violet">{shown.slice(0, 10)} </span>}
        {shown.slice(11, 19)}
      </div>
    </div>
  );
}

function AlertsBell() {
  const { t } = useTranslation();
  const alerts = useAlerts({ open: true, limit: 100 }).data?.alerts ?? [];
  const unseen = alerts.filter(isUnseen);
  const grave = unseen.some((each) => each.level.toUpperCase() === "CRITICAL");
  return (
    <button type="button" className="relative rounded p-1.5 text-soft hover:bg-hover hover:text-text" aria-label={t("top.alerts", { count: alerts.length, unseen: unseen.length })} onClick={() => open({ alerts: true })}>
      <Bell size={16} aria-hidden />
      {alerts.length > 0 && <span className={clsx("absolute -top-0.5 -right-0.5 rounded-full px-1 text-2xs leading-4 font-bold", grave ? "bg-[#c9203b] text-white" : unseen.length ? "bg-[#f5b301] text-[#1b1400]" : "bg-raised text-soft")}>{alerts.length}</span>}
    </button>
  );
}

function Choices() {
  const { t } = useTranslation();
  const { language, theme, upDown, choose, chooseLanguage, chooseUpDown } = useChoices();
  return (
    <>
      <span className="hidden sm:block">
        <Button tone="quiet" small onClick={() => chooseLanguage(OTHER[language].language)} lang={OTHER[language].language}>
          {OTHER[language].name}
        </Button>
      </span>
      <button type="button" className="hidden rounded p-1.5 text-soft hover:bg-hover hover:text-text sm:block" aria-label={t(theme === "dark" ? "top.light" : "top.dark")} onClick={() => choose({ theme: theme === "dark" ? "light" : "dark" })}>
        {theme === "dark" ? <Sun size={16} aria-hidden /> : <Moon size={16} aria-hidden />}
      </button>
      <button type="button" className="hidden rounded px-1.5 py-1 text-xs hover:bg-hover sm:block" aria-label={t(upDown === "cn" ? "top.toGreenUp" : "top.toRedUp")} title={t(upDown === "cn" ? "top.redUp" : "top.greenUp")} onClick={() => chooseUpDown(upDown === "cn" ? "intl" : "cn")}>
        <span className="text-up" aria-hidden>▲</span>
        <span className="text-down" aria-hidden>▼</span>
      </button>
      <Part>
        <Suspense fallback={<User size={16} aria-hidden className="m-1.5 text-soft" />}>
          <UserMenu />
        </Suspense>
      </Part>
    </>
  );
}

/** What of the bar can not be drawn is left away until the next page: the badge and the stop stay. */
function Part({ children }: { children: ReactNode }) {
  return <Boundary name={usePath()} instead={<span className="text-faint">–</span>}>{children}</Boundary>;
}

export function TopBar() {
  const { t } = useTranslation();
  const halted = (useHalts().data?.halts.length ?? 0) > 0;
  const mayHalt = useMay("halt");
  const stale = useIsStale();
  return (
    <header className="flex h-12 shrink-0 items-center gap-3 border-b border-line bg-panel px-3">
      <Badge />
      <div className={clsx("min-w-0 flex-1 overflow-hidden", stale && "stale-age")}>
        <Part>
          <Summary />
        </Part>
      </div>
      <Part>
        <Brokers />
      </Part>
      <Part>
        <MarketClock />
      </Part>
      <button type="button" className="hidden h-7 items-center gap-2 rounded border border-line bg-bg px-2 text-xs text-faint hover:text-text md:flex" onClick={() => open({ palette: true })}>
        <Search size={13} aria-hidden /> {t("top.search")} <kbd className="font-mono text-2xs">Ctrl K</kbd>
      </button>
      <Part>
        <AlertsBell />
      </Part>
      <Choices />
      <Button tone="danger" data-stop className={clsx("pointer-events-auto font-bold tracking-wider", halted && "beckon")} disabled={!mayHalt} onClick={() => open({ kill: true })} title={mayHalt ? "Ctrl+Shift+K" : t("state.notAllowed")}>
        <OctagonX size={16} aria-hidden /> KILL
      </Button>
    </header>
  );
}
