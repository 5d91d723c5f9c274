// Chooses the columns of a table: each with a box to tick, all but the first, by which rows are known.
import { Columns3 } from "lucide-react";
import { useTranslation } from "react-i18next";
import { toggle, useHiddenOf } from "@/look/columns";
import { Check } from "@/ui/field";

export function ColumnChoice({ table, columns }: { table: string; columns: readonly { id: string; head: string }[] }) {
  const { t } = useTranslation();
  const hidden = useHiddenOf(table);
  return (
    <details className="relative" data-columns onKeyDown={(event) => event.key === "Escape" && event.currentTarget.removeAttribute("open")}>
      <summary className="flex cursor-pointer list-none items-center gap-1 rounded px-1.5 text-soft hover:bg-hover hover:text-text">
        <Columns3 size={12} aria-hidden /> {t("table.columns")}
      </summary>
      <fieldset className="absolute bottom-6 left-0 z-30 max-h-72 w-44 space-y-1 overflow-auto rounded border border-line bg-panel p-2 shadow-xl">
        <legend className="sr-only">{t("table.columns")}</legend>
        {columns.map((each, place) =>
          each.head === "" ? null : <Check key={each.id} label={each.head} checked={!hidden.includes(each.id)} disabled={place === 0} onChange={() => toggle(table, each.id)} />,
        )}
      </fieldset>
    </details>
  );
}
