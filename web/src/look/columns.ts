// Which columns of a table a person has put away, in this browser.
import { create } from "zustand";
import { persist } from "zustand/middleware";

interface Hidden {
  hidden: Record<string, string[]>;
}

const NONE: readonly string[] = [];

export const useHidden = create<Hidden>()(persist(() => ({ hidden: {} }), { name: "tradeloop.columns", version: 1 }));

/** The columns of this table that are put away. */
export function useHiddenOf(table: string): readonly string[] {
  return useHidden((now) => now.hidden[table] ?? NONE);
}

/** Put a column away, or show it again. */
export function toggle(table: string, column: string): void {
  useHidden.setState(({ hidden }) => {
    const now = hidden[table] ?? [];
    return { hidden: { ...hidden, [table]: now.includes(column) ? now.filter((each) => each !== column) : [...now, column] } };
  });
}
