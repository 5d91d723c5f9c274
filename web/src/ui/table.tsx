// The table of the desk: sorted, filtered, thousands of rows of which only those in sight are drawn, and all of it by keyboard.
// Arrow keys move, Enter opens, Home and End go to the ends; the page may take further keys for the row that is chosen.
import { getCoreRowModel, useReactTable, type ColumnDef, type SortingState } from "@tanstack/react-table";
import { useVirtualizer } from "@tanstack/react-virtual";
import clsx from "clsx";
import { ArrowDown, ArrowUp, Download } from "lucide-react";
import { memo, useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore, type KeyboardEvent, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { compare, isNumber } from "@/text/decimal";
import { csvOf, offer } from "@/text/files";
import { useHiddenOf } from "@/look/columns";
import { Button } from "@/ui/button";
import { ColumnChoice } from "@/ui/column_choice";
import { Empty, Loading, Trouble } from "@/ui/states";

export interface Column<T> {
  id: string;
  head: string;
  /** What it is as text: sorted, searched and exported by this. */
  text: (row: T) => string | null | undefined;
  cell?: (row: T) => ReactNode;
  right?: boolean;
  /** A track of a CSS grid: "7rem", "minmax(8rem,1fr)". */
  width?: string;
  /** Left away on a phone. */
  wide?: boolean;
}

interface Props<T> {
  label: string;
  columns: Column<T>[];
  rows: readonly T[] | undefined;
  rowId: (row: T) => string;
  query?: { error: unknown; isPending: boolean; refetch: () => unknown } | undefined;
  empty: ReactNode;
  onOpen?: ((row: T) => void) | undefined;
  onKey?: ((key: string, row: T) => void) | undefined;
  onEnd?: (() => void) | undefined;
  find?: string;
  /** Of the file that is offered; none is without it. */
  file?: string;
  rowClass?: (row: T) => string | undefined;
  chosen?: string | null;
}

export const ROW_PX = 28;
/** Rows drawn above and below those in sight. */
const OVERSCAN = 10;
const HEAD_PX = 29;
const NONE: never[] = [];

const PHONE = matchMedia("(max-width: 640px)");

function onWidth(listener: () => void): () => void {
  PHONE.addEventListener("change", listener);
  return () => PHONE.removeEventListener("change", listener);
}

function useIsPhone(): boolean {
  return useSyncExternalStore(onWidth, () => PHONE.matches);
}

export function Table<T>(props: Props<T>) {
  const isPhone = useIsPhone();
  const kind = props.file?.split("-")[0] ?? "";
  const hidden = useHiddenOf(kind);
  const columns = useMemo(
    () => props.columns.filter((each, place) => !(isPhone && each.wide) && (place === 0 || !hidden.includes(each.id))),
    [isPhone, props.columns, hidden],
  );
  const { label, rows, rowId, query, empty, onOpen, onKey, onEnd, find = "", rowClass } = props;
  const { t } = useTranslation();
  const [sorting, setSorting] = useState<SortingState>([]);
  const [at, setAt] = useState(0);
  const [box, setBox] = useState<HTMLDivElement | null>(null);
  const found = useMemo(() => sought(rows ?? [], columns, find), [rows, columns, find]);
  const definitions = useMemo<ColumnDef<T>[]>(() => columns.map((each) => ({ id: each.id, accessorFn: (row: T) => each.text(row) ?? "" })), [columns]);
  // Rows are sorted here and never given to the library: of a hundred thousand it would make as many objects with every change.
  const table = useReactTable<T>({ data: NONE as T[], columns: definitions, state: { sorting }, onSortingChange: setSorting, manualSorting: true, getCoreRowModel: getCoreRowModel() });
  const shown = useMemo(() => sorted(found, columns, sorting), [found, columns, sorting]);
  const tracks = columns.map((each) => each.width ?? "minmax(5rem,1fr)").join(" ");
  const here = Math.min(at, Math.max(0, shown.length - 1));

  const opening = useRef(onOpen);
  useEffect(() => {
    opening.current = onOpen;
  }, [onOpen]);
  const click = useCallback((index: number, row: T) => {
    setAt(index);
    opening.current?.(row);
  }, []);

  function go(to: number): void {
    const next = Math.max(0, Math.min(shown.length - 1, to));
    setAt(next);
    if (box) reveal(box, next);
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return;
    const row = shown[here];
    const moves: Record<string, number> = { ArrowDown: here + 1, ArrowUp: here - 1, PageDown: here + 20, PageUp: here - 20, Home: 0, End: shown.length - 1 };
    const to = moves[event.key];
    if (to !== undefined) go(to);
    else if (row === undefined) return;
    else if (event.key === "Enter" && onOpen) onOpen(row);
    else if (onKey && event.key.length === 1) onKey(event.key, row);
    else return;
    event.preventDefault();
  }

  function onScroll(): void {
    if (onEnd && box && box.scrollTop + box.clientHeight > box.scrollHeight - 20 * ROW_PX) onEnd();
  }

  if (query?.error && rows === undefined) return <Trouble error={query.error} again={() => void query.refetch()} />;
  if (rows === undefined) return <Loading />;
  if (!shown.length) return find && rows.length ? <Empty title={t("table.noneFound")}>{t("table.noneFoundMore", { find })}</Empty> : <>{empty}</>;
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <div
        ref={setBox}
        role="grid"
        aria-label={label}
        aria-rowcount={shown.length + 1}
        aria-colcount={columns.length}
        aria-activedescendant={shown[here] ? nameOf(label, rowId(shown[here])) : undefined}
        tabIndex={0}
        className="min-h-0 flex-1 overflow-auto"
        onKeyDown={onKeyDown}
        onScroll={onScroll}
      >
        <div className="min-w-max">
          <div role="row" aria-rowindex={1} className="sticky top-0 z-10 grid border-b border-line bg-panel text-xs text-soft" style={{ gridTemplateColumns: tracks }}>
            {table.getFlatHeaders().map((header, place) => {
              const column = columns[place];
              const way = header.column.getIsSorted();
              return (
                <div key={header.id} role="columnheader" {...(column?.head ? {} : { "aria-label": t("table.actions") })} aria-sort={way ? (way === "asc" ? "ascending" : "descending") : "none"} className="min-w-0">
                  {column?.head && <button
                    type="button"
                    tabIndex={-1}
                    className={clsx("flex h-7 w-full items-center gap-1 px-2 font-medium whitespace-nowrap hover:text-text", column?.right && "justify-end")}
                    onClick={header.column.getToggleSortingHandler()}
                  >
                    {column?.head}
                    {way === "asc" && <ArrowUp size={11} aria-hidden />}
                    {way === "desc" && <ArrowDown size={11} aria-hidden />}
                  </button>}
                </div>
              );
            })}
          </div>
          <Rows label={label} box={box} shown={shown} rowId={rowId} columns={columns} tracks={tracks} here={here} chosen={props.chosen} opens={onOpen !== undefined} rowClass={rowClass} onClick={click} />
        </div>
      </div>
      <footer className="flex h-7 shrink-0 items-center gap-3 border-t border-line px-2 text-xs text-faint">
        <span>{t("table.rows", { count: shown.length, all: rows.length })}</span>
        {query?.error ? <span className="text-amber">{t("table.old")}</span> : null}
        {kind && !isPhone && <ColumnChoice table={kind} columns={props.columns} />}
        {props.file && (
          <Button tone="quiet" small className="ml-auto" onClick={() => offer(`${props.file}.csv`, csvOf(props.columns, shown))}>
            <Download size={12} aria-hidden /> CSV
          </Button>
        )}
      </footer>
    </div>
  );
}

interface RowsProps<T> {
  label: string;
  box: HTMLElement | null;
  shown: readonly T[];
  rowId: (row: T) => string;
  columns: Column<T>[];
  tracks: string;
  here: number;
  chosen: string | null | undefined;
  opens: boolean;
  rowClass: ((row: T) => string | undefined) | undefined;
  onClick: (index: number, row: T) => void;
}

/** The rows in sight. To scroll draws them anew, and neither the head nor the foot of the table. */
function Rows<T>({ label, box, shown, rowId, columns, tracks, here, chosen, opens, rowClass, onClick }: RowsProps<T>) {
  const virtual = useVirtualizer({ count: shown.length, getScrollElement: () => box, estimateSize: () => ROW_PX, overscan: OVERSCAN });
  const drawn = Math.ceil((virtual.scrollRect?.height ?? 0) / ROW_PX) + 1 + 2 * OVERSCAN;
  return (
    <div role="rowgroup" className="relative" style={{ height: virtual.getTotalSize() }}>
      {virtual.getVirtualItems().map((item) => {
        const row = shown[item.index];
        if (row === undefined) return null;
        const id = rowId(row);
        return (
          <Row
            key={item.index % drawn} // a row that leaves is written anew for the one that comes: cheaper than to make one
            name={nameOf(label, id)}
            id={id}
            row={row}
            index={item.index}
            start={item.start}
            columns={columns}
            tracks={tracks}
            isHere={item.index === here}
            isChosen={chosen === id}
            opens={opens}
            look={rowClass?.(row)}
            onClick={onClick}
          />
        );
      })}
    </div>
  );
}

/** Scroll no further than it takes to have the row in sight, below the head. */
function reveal(box: HTMLElement, index: number): void {
  const top = index * ROW_PX;
  if (top < box.scrollTop) box.scrollTop = top;
  else if (top + ROW_PX + HEAD_PX > box.scrollTop + box.clientHeight) box.scrollTop = top + ROW_PX + HEAD_PX - box.clientHeight;
}

interface RowProps<T> {
  name: string;
  id: string;
  row: T;
  index: number;
  start: number;
  columns: Column<T>[];
  tracks: string;
  isHere: boolean;
  isChosen: boolean;
  opens: boolean;
  look: string | undefined;
  onClick: (index: number, row: T) => void;
}

/** One row. It is drawn anew when its order, fill or position changes, and not because others scroll past it. */
function PlainRow<T>({ name, id, row, index, start, columns, tracks, isHere, isChosen, opens, look, onClick }: RowProps<T>) {
  return (
    <div
      id={name}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={isChosen}
      data-row={id}
      className={clsx("absolute inset-x-0 grid items-center border-b border-line/50 hover:bg-hover", opens && "cursor-pointer", isHere && "grid-active", isChosen && "bg-accent-soft", look)}
      style={{ gridTemplateColumns: tracks, height: ROW_PX, contain: "strict", transform: `translateY(${start}px)` }}
      onClick={() => onClick(index, row)}
    >
      {columns.map((column) => (
        <div key={column.id} role="gridcell" data-column={column.id} className={clsx("min-w-0 truncate px-2", column.right && "text-right tabular-nums")}>
          {column.cell ? column.cell(row) : column.text(row)}
        </div>
      ))}
    </div>
  );
}

const Row = memo(PlainRow) as typeof PlainRow;

function sought<T>(rows: readonly T[], columns: Column<T>[], find: string): readonly T[] {
  const words = find.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return rows;
  return rows.filter((row) => {
    const text = columns.map((each) => each.text(row) ?? "").join(" ").toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

function sorted<T>(rows: readonly T[], columns: Column<T>[], by: SortingState): readonly T[] {
  const [first] = by;
  const column = columns.find((each) => each.id === first?.id);
  if (!first || !column) return rows;
  const texts = new Map(rows.map((row) => [row, column.text(row) ?? ""]));
  const way = first.desc ? -1 : 1;
  return [...rows].sort((a, b) => way * order(texts.get(a) ?? "", texts.get(b) ?? ""));
}

function nameOf(label: string, id: string): string {
  return `${label}-${id}`.replace(/\s/g, "-");
}

/** Numbers by their size, all else by its letters. */
function order(a: string, b: string): number {
  if (isNumber(a) && isNumber(b)) return compare(a, b);
  return a < b ? -1 : a > b ? 1 : 0;
}
