// A panel: a title, what can be done with it, and its content.
import clsx from "clsx";
import { useId, type ReactNode } from "react";
import { Boundary } from "@/ui/states";

interface Props {
  title: ReactNode;
  more?: ReactNode;
  children: ReactNode;
  className?: string;
  /** Without padding, for tables. */
  flush?: boolean;
}

export function Panel({ title, more, children, className, flush }: Props) {
  const id = useId();
  return (
    <section aria-labelledby={id} className={clsx("flex min-h-0 min-w-0 flex-col rounded border border-line bg-panel", className)}>
      <header className="flex min-h-9 flex-wrap items-center gap-2 border-b border-line px-3 py-1">
        <h2 id={id} className="text-xs font-semibold tracking-wide text-soft">
          {title}
        </h2>
        <div className="ml-auto flex flex-wrap items-center gap-1.5">{more}</div>
      </header>
      <div className={clsx("min-h-0 flex-1", flush ? "flex flex-col" : "overflow-auto p-3")}>
        <Boundary name={String(title)}>{children}</Boundary>
      </div>
    </section>
  );
}

export function Facts({ of, columns = 2 }: { of: [ReactNode, ReactNode][]; columns?: 1 | 2 | 3 }) {
  return (
    <dl className={clsx("grid gap-x-6 gap-y-1", columns === 2 && "sm:grid-cols-2", columns === 3 && "sm:grid-cols-2 lg:grid-cols-3")}>
      {of.map(([name, value], place) => (
        <div key={place} className="flex min-w-0 justify-between gap-3 border-b border-line/60 py-1">
          <dt className="shrink-0 text-soft">{name}</dt>
          <dd className="min-w-0 text-right break-words tabular-nums">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
