// Who is signed in. One session for the whole page: asked for at the start, ended by the person, the desk or time.
import { create } from "zustand";
import { Problem, ask, keepToken, onSignedOut } from "@/api/http";
import type { InSession } from "@/api/types";

type Scope = "read:md" | "read:acct" | "order:paper" | "order:live" | "cancel" | "halt" | "risk:write" | "read:audit" | "admin";

interface State {
  is: "asking" | "out" | "in" | "unreached";
  session: InSession | null;
  /** Whether somebody was in a moment ago: then the page says that it has ended. */
  ended: boolean;
  look: () => Promise<void>;
  signIn: (name: string, password: string, code: string) => Promise<void>;
  signOut: () => Promise<void>;
  keep: (session: InSession) => void;
}

export const useSession = create<State>((set, get) => ({
  is: "asking",
  session: null,
  ended: false,
  keep: (session) => {
    keepToken(session.csrf);
    set({ is: "in", session, ended: false });
  },
  look: async () => {
    try {
      get().keep(await ask<InSession>("GET", "/api/v1/session"));
    } catch (error) {
      if (error instanceof Problem && error.status === 401) set({ is: "out", session: null });
      else set((now) => (now.session === null ? { is: "unreached" } : {}));
    }
  },
  signIn: async (name, password, code) => {
    get().keep(await ask<InSession>("POST", "/api/v1/session", { body: { name, password, code } }));
  },
  signOut: async () => {
    await ask("DELETE", "/api/v1/session");
    keepToken("");
    set({ is: "out", session: null, ended: false });
  },
}));

onSignedOut(() => {
  const was = useSession.getState();
  if (was.is === "in") useSession.setState({ is: "out", session: null, ended: true });
});

/** Whether the person may do that. */
export function useMay(scope: Scope): boolean {
  return useSession((now) => now.session?.scopes.includes(scope) ?? false);
}
