// The pages before the desk: sign in, and the set-up that the printed link opens.
import { useState, type FormEvent, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Problem, ask } from "@/api/http";
import { useSession } from "@/access/session";
import { useChoices } from "@/look/choices";
import { OTHER } from "@/i18n/languages";
import { Button } from "@/ui/button";
import { Check, Field } from "@/ui/field";

function Card({ title, children }: { title: string; children: ReactNode }) {
  const { language, chooseLanguage } = useChoices();
  return (
    <main className="flex min-h-full items-center justify-center p-4">
      <div className="w-full max-w-sm rounded-lg border border-line bg-panel p-6 shadow-xl">
        <div className="mb-5 flex items-center gap-2">
          <img src="/mark.svg" alt="" width={26} height={26} />
          <span className="font-semibold">Tradeloop</span>
          <Button tone="quiet" small className="ml-auto" onClick={() => chooseLanguage(OTHER[language].language)}>
            {OTHER[language].name}
          </Button>
        </div>
        <h1 className="mb-4 text-lg font-semibold">{title}</h1>
        {children}
      </div>
    </main>
  );
}

export function SignIn({ name: known = "" }: { name?: string }) {
  const { t } = useTranslation();
  const { signIn, ended } = useSession();
  const [name, setName] = useState(known);
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [asksCode, setAsksCode] = useState(false);
  const [wrong, setWrong] = useState("");
  const [busy, setBusy] = useState(false);

  async function send(event: FormEvent): Promise<void> {
    event.preventDefault();
    setBusy(true);
    setWrong("");
    try {
      await signIn(name.trim(), password, code.trim());
    } catch (error) {
      if (error instanceof Problem && error.code === "code_needed") setAsksCode(true);
      else setWrong(error instanceof Error ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  }

  return (
    <Card title={t("signIn.title")}>
      {ended && <p className="mb-3 rounded border border-line bg-raised px-3 py-2 text-amber">{t("signIn.ended")}</p>}
      <form onSubmit={(event) => void send(event)} className="space-y-3">
        <Field label={t("signIn.name")} value={name} onChange={(event) => setName(event.target.value)} autoComplete="username" autoFocus={!known} required />
        <Field label={t("signIn.password")} type="password" value={password} onChange={(event) => setPassword(event.target.value)} autoComplete="current-password" autoFocus={!!known} required />
        {asksCode && (
          <Field label={t("signIn.code")} hint={t("signIn.codeHint")} value={code} onChange={(event) => setCode(event.target.value)} autoComplete="one-time-code" inputMode="text" autoFocus />
        )}
        {wrong && (
          <p className="text-red" role="alert">
            {wrong}
          </p>
        )}
        <Button tone="main" type="submit" className="w-full" busy={busy}>
          {t("signIn.do")}
        </Button>
      </form>
    </Card>
  );
}

const ROLES = ["viewer", "trader", "risk", "admin"] as const;
const LEAST = 12;

export function SetUp({ token, onDone }: { token: string; onDone: (name: string) => void }) {
  const { t } = useTranslation();
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [again, setAgain] = useState("");
  const [alone, setAlone] = useState(true);
  const [wrong, setWrong] = useState("");
  const [busy, setBusy] = useState(false);
  const differs = again !== "" && again !== password;

  async function send(event: FormEvent): Promise<void> {
    event.preventDefault();
    if (again !== password) return;
    setBusy(true);
    setWrong("");
    try {
      await ask("POST", "/api/v1/set-up", { body: { token, name: name.trim(), password, roles: alone ? ROLES : ["admin"] } });
      await useSession.getState().signIn(name.trim(), password, "");
      onDone(name.trim());
    } catch (error) {
      setWrong(error instanceof Error ? error.message : String(error));
      setBusy(false);
    }
  }

  if (!token) return <Card title={t("setUp.title")}>{<p className="text-soft">{t("setUp.noToken")}</p>}</Card>;
  return (
    <Card title={t("setUp.title")}>
      <p className="mb-4 text-soft">{t("setUp.about")}</p>
      <form onSubmit={(event) => void send(event)} className="space-y-3">
        <Field label={t("signIn.name")} value={name} onChange={(event) => setName(event.target.value)} autoComplete="username" autoFocus required />
        <Field label={t("signIn.password")} hint={t("setUp.passwordHint", { count: LEAST })} type="password" value={password} onChange={(event) => setPassword(event.target.value)} autoComplete="new-password" minLength={LEAST} required />
        <Field label={t("setUp.again")} type="password" value={again} onChange={(event) => setAgain(event.target.value)} autoComplete="new-password" wrong={differs ? t("setUp.differs") : ""} required />
        <Check label={t("setUp.alone")} checked={alone} onChange={(event) => setAlone(event.target.checked)} />
        <p className="text-xs text-faint">{t("setUp.aloneMore")}</p>
        {wrong && (
          <p className="text-red" role="alert">
            {wrong}
          </p>
        )}
        <Button tone="main" type="submit" className="w-full" busy={busy} disabled={differs}>
          {t("setUp.do")}
        </Button>
      </form>
    </Card>
  );
}
