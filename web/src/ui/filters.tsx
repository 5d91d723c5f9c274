// What narrows a table: chips of which one is on, and a field that looks for words in every column.
import clsx from "clsx";
import { useTranslation } from "react-i18next";

interface Props<T extends string> {
  label: string;
  value: T;
  options: readonly (readonly [T, string, (number | undefined)?])[];
  onChange: (value: T) => void;
}

export function Chips<T extends string>({ label, value, options, onChange }: Props<T>) {
  return (
    <div role="radiogroup" aria-label={label} className="flex flex-wrap gap-0.5">
      {options.map(([name, words, count]) => (
        <button key={name} type="button" role="radio" aria-checked={value === name} data-chip={name} onClick={() => onChange(name)} className={clsx("h-6 rounded px-2 text-xs whitespace-nowrap", value === name ? "bg-accent-soft font-semibold text-accent" : "text-soft hover:bg-hover")}>
          {words}
          {count !== undefined && <span className="ml-1 font-normal tabular-nums">{count}</span>}
        </button>
      ))}
    </div>
  );
}

/** One of a few, where chips would be too many. */
export function Pick({ label, value, options, onChange }: { label: string; value: string; options: [string, string][]; onChange: (value: string) => void }) {
  return (
    <select aria-label={label} value={value} onChange={(event) => onChange(event.target.value)} className="h-6 max-w-32 rounded border border-line bg-bg px-1 text-xs text-text">
      {options.map(([name, words]) => (
        <option key={name} value={name}>
          {words}
        </option>
      ))}
    </select>
  );
}

export function Find({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const { t } = useTranslation();
  return (
    <input
      data-find
      type="search"
      aria-label={t("table.find")}
      placeholder={`${t("table.find")}  /`}
      value={value}
      onChange={(event) => onChange(event.target.value)}
      onKeyDown={(event) => event.key === "Escape" && event.currentTarget.blur()}
      className="h-6 w-36 rounded border border-line bg-bg px-2 text-xs"
    />
  );
}
