// Strategies: each with how it stands, what a person may do with it now, what it holds and gained, and everything it asked for.
import clsx from "clsx";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Strategy } from "@/api/types";
import { Holdings } from "@/pages/strategy_holdings";
import { One } from "@/pages/strategy_one";
import { TriggerLog } from "@/pages/strategy_triggers";
import { Versions } from "@/pages/strategy_versions";
import { StandingPill } from "@/pages/words";
import { useStrategies } from "@/stream/live";
import { Panel } from "@/ui/panel";
import { Empty, Loading, Trouble } from "@/ui/states";

export default function StrategyPage() {
  const { t } = useTranslation();
  const query = useStrategies();
  const [chosen, setChosen] = useState("");
  const all = query.data?.strategies;
  const one = all?.find((each) => each.name === chosen) ?? all?.[0];
  return (
    <div className="grid min-h-full gap-2 lg:h-full lg:grid-cols-[minmax(17rem,1fr)_minmax(0,2.6fr)]">
      <div className="flex min-h-0 flex-col gap-2 lg:overflow-auto">
        <Panel title={t("page.strategy")} className="shrink-0">
          {query.error && !all ? <Trouble error={query.error} again={() => void query.refetch()} /> : !all ? <Loading rows={3} /> : !all.length ? <Empty title={t("strategy.none")}>{t("strategy.noneMore")}</Empty> : <List all={all} chosen={one?.name ?? ""} onChoose={setChosen} />}
        </Panel>
        {one && <One key={one.name} strategy={one} />}
        {one && <Versions key={`${one.name} versions`} name={one.name} running={one.version} />}
      </div>
      {one && (
        <div className="flex min-h-0 flex-col gap-2">
          <Holdings key={one.name} name={one.name} />
          <TriggerLog key={`${one.name} log`} name={one.name} />
        </div>
      )}
    </div>
  );
}

function List({ all, chosen, onChoose }: { all: Strategy[]; chosen: string; onChoose: (name: string) => void }) {
  const { t } = useTranslation();
  return (
    <ul className="-m-1 space-y-0.5">
      {all.map((each) => (
        <li key={each.name}>
          <button type="button" aria-pressed={each.name === chosen} data-strategy={each.name} onClick={() => onChoose(each.name)} className={clsx("flex w-full items-center gap-2 rounded px-2 py-1 text-left", each.name === chosen ? "bg-accent-soft" : "hover:bg-hover")}>
            <span className="min-w-0 flex-1">
              <span className="block truncate font-semibold">{each.name}</span>
              <span className="block truncate text-xs text-soft">{each.symbols.join(" ")} · {t("strategy.triggersOf", { count: each.triggers })}</span>
            </span>
            <StandingPill standing={each.standing} />
          </button>
        </li>
      ))}
    </ul>
  );
}
