// Which dialog of the frame is open. One at a time: what asks for attention has it alone.
import { create } from "zustand";

export interface Preset {
  symbol?: string;
  side?: "buy" | "sell";
  quantity?: string;
  price?: string;
  effect?: string;
}

interface Open {
  palette: boolean;
  kill: boolean;
  keys: boolean;
  alerts: boolean;
  ticket: Preset | null;
}

export const NONE: Open = { palette: false, kill: false, keys: false, alerts: false, ticket: null };

export const useDialogs = create<Open>(() => NONE);

export function open(what: Partial<Open>): void {
  useDialogs.setState({ ...NONE, ...what });
}

export function close(): void {
  useDialogs.setState(NONE);
}
