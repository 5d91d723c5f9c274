// The page begins: what was chosen is put on, and whoever is signed in is asked for.
import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode, useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import { useTranslation } from "react-i18next";
import { go, usePath } from "@/frame/route";
import { SetUp, SignIn } from "@/access/gate";
import { NewPassword } from "@/access/password";
import { Proof } from "@/access/proof";
import { useSession } from "@/access/session";
import { Frame } from "@/frame/frame";
import { ahead } from "@/frame/pages";
import { i18n } from "@/i18n/languages";
import "@/look/theme.css";
import { useChoices, wear } from "@/look/choices";
import { client, waits } from "@/stream/client";
import { Boundary, Trouble } from "@/ui/states";
import { Toasts } from "@/ui/toasts";
import { Problem, UNREACHED } from "@/api/http";

function dress(): void {
  const now = useChoices.getState();
  wear(now);
  void i18n.changeLanguage(now.language);
}

dress();
useChoices.subscribe(dress);
const SET_UP = "/set-up";
// The token is taken out of the address at once: it is good once, and belongs in no history.
const setUpToken = location.pathname === SET_UP ? location.hash.slice(1) : "";
if (setUpToken) history.replaceState(null, "", SET_UP);

function Page() {
  const { t } = useTranslation();
  const { is, session, look } = useSession();
  const at = usePath();
  const [tries, setTries] = useState(1);
  useEffect(() => {
    if (at !== SET_UP) void look();
  }, [look, at]);
  useEffect(() => {
    if (is !== "unreached") return undefined;
    const again = setTimeout(() => {
      setTries((count) => count + 1);
      void look();
    }, waits(tries));
    return () => clearTimeout(again);
  }, [is, look, tries]);
  if (at === SET_UP && is !== "in") return <SetUp token={setUpToken} onDone={() => go("/settings?first")} />;
  if (is === "asking") return <p className="p-6 text-soft" role="status">{t("loading")}</p>;
  if (is === "unreached") return <Trouble error={new Problem(0, UNREACHED, "", "")} again={() => void look()} />;
  if (is === "out" || session === null) return <SignIn />;
  if (session.must_change_password) return <NewPassword forced />;
  return <Frame />;
}

ahead(location.pathname);
const root = document.getElementById("root");
if (root === null) throw new Error("the page has no place for the desk");
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <Boundary name="desk">
        <Page />
        <Proof />
        <Toasts />
      </Boundary>
    </QueryClientProvider>
  </StrictMode>,
);
