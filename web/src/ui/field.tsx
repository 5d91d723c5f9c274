// Fields of forms: a label that belongs to its input, a hint, and what is wrong with what was typed.
import clsx from "clsx";
import { useId, type InputHTMLAttributes, type ReactNode, type SelectHTMLAttributes } from "react";

const BOX = "w-full rounded border border-line bg-bg text-text px-2 h-8 disabled:opacity-50 focus:border-accent";

interface Around {
  label: ReactNode;
  hint?: ReactNode;
  wrong?: ReactNode;
  className?: string | undefined;
}

export function Field({ label, hint, wrong, className, ...rest }: Around & InputHTMLAttributes<HTMLInputElement>) {
  const id = useId();
  return (
    <div className={clsx("min-w-0", className)}>
      <label htmlFor={id} className="mb-1 block text-xs text-soft">
        {label}
      </label>
      <input
        id={id}
        className={clsx(BOX, wrong && "border-red")}
        aria-invalid={wrong ? true : undefined}
        aria-describedby={wrong || hint ? `${id}-more` : undefined}
        autoComplete="off"
        spellCheck={false}
        {...rest}
      />
      {(wrong || hint) && (
        <p id={`${id}-more`} className={clsx("mt-1 text-xs", wrong ? "text-red" : "text-faint")}>
          {wrong || hint}
        </p>
      )}
    </div>
  );
}

export function Choice({ label, hint, className, options, ...rest }: Around & SelectHTMLAttributes<HTMLSelectElement> & { options: [string, string][] }) {
  const id = useId();
  return (
    <div className={clsx("min-w-0", className)}>
      <label htmlFor={id} className="mb-1 block text-xs text-soft">
        {label}
      </label>
      <select id={id} className={BOX} {...rest}>
        {options.map(([value, words]) => (
          <option key={value} value={value}>
            {words}
          </option>
        ))}
      </select>
      {hint && <p className="mt-1 text-xs text-faint">{hint}</p>}
    </div>
  );
}

export function Check({ label, className, ...rest }: { label: ReactNode } & InputHTMLAttributes<HTMLInputElement>) {
  return (
    <label className={clsx("flex items-center gap-2 text-soft", className)}>
      <input type="checkbox" className="size-4 accent-[#1a66cc]" {...rest} />
      <span>{label}</span>
    </label>
  );
}
