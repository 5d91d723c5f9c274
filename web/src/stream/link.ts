// How the connection to the desk does: when it was last heard, how often it failed since, when it is tried again.
import { create } from "zustand";
import { waits } from "@/stream/client";

/** From this age on numbers are shown as old. */
export const STALE_MS = 3_000;

interface Link {
  /** By the clock of this browser; 0 before the first answer. */
  heardAt: number;
  failures: number;
  /** When it is tried again, where it failed. */
  againAt: number;
  /** How much the desk's present is ahead of this browser's clock, in milliseconds: a recording lives in its own time. */
  offset: number;
  /** Whether the socket is up: then REST is asked seldom. */
  streams: boolean;
  /** Connect the socket now, whatever the ladder says. */
  tryNow: () => void;
  heard: (deskNow: number | null) => void;
  failed: () => void;
}

export const useLink = create<Link>((set) => ({
  heardAt: 0,
  failures: 0,
  againAt: 0,
  offset: 0,
  streams: false,
  tryNow: () => undefined,
  heard: (deskNow) =>
    set((now) => ({
      heardAt: Date.now(),
      failures: 0,
      againAt: 0,
      offset: deskNow === null ? now.offset : deskNow - Date.now(),
    })),
  failed: () => set((now) => ({ failures: now.failures + 1, againAt: Date.now() + waits(now.failures + 1) })),
}));

/** The desk's present, for text and ages; of the recording where it lives in one. */
export function deskNow(): number {
  return Date.now() + useLink.getState().offset;
}
