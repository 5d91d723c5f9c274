// The frame around every page: a border that cannot be overlooked where the money is real, the bar, the pages, and what may open.
import clsx from "clsx";
import { Suspense, useEffect, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link, nameBehind, usePath } from "@/frame/route";
import { useMay } from "@/access/session";
import { AlertsDrawer } from "@/frame/alerts";
import { Banners } from "@/frame/banners";
import { Keyboard, Keys } from "@/frame/keyboard";
import { Kill } from "@/frame/kill";
import { PAGES } from "@/frame/pages";
import { TopBar, useEnvironment } from "@/frame/topbar";
import { useStream } from "@/stream/socket";
import { close, useDialogs } from "@/ui/dialogs";
import { later } from "@/ui/later";
import { useHealth, useIsStale } from "@/stream/live";
import { Boundary, Empty, Loading, NotAllowed } from "@/ui/states";
import { complain } from "@/ui/toasts";

const Palette = later(() => import("@/frame/palette"));
const Ticket = later(() => import("@/ticket/ticket"));
const Run = later(() => import("@/pages/run"));

function Menu() {
  const { t } = useTranslation();
  const at = usePath();
  return (
    <nav aria-label={t("menu")} className="hidden w-36 shrink-0 flex-col gap-0.5 border-r border-line bg-panel p-1.5 md:flex">
      {PAGES.map(({ path, word, icon: Icon }) => {
        const here = path === "/" ? at === "/" : at.startsWith(path);
        return (
          <Link key={path} href={path} aria-current={here ? "page" : undefined} className={clsx("flex h-8 items-center gap-2 rounded px-2", here ? "bg-accent-soft font-semibold text-accent" : "text-soft hover:bg-hover hover:text-text")}>
            <Icon size={15} aria-hidden /> {t(`page.${word}`)}
          </Link>
        );
      })}
    </nav>
  );
}

function PhoneMenu() {
  const { t } = useTranslation();
  const at = usePath();
  return (
    <nav aria-label={t("menu")} className="flex shrink-0 border-t border-line bg-panel md:hidden">
      {PAGES.filter((each) => each.phone).map(({ path, word, icon: Icon }) => (
        <Link key={path} href={path} aria-current={at === path ? "page" : undefined} className={clsx("flex flex-1 flex-col items-center gap-0.5 py-1.5 text-2xs", at === path ? "text-accent" : "text-soft")}>
          <Icon size={17} aria-hidden /> {t(`page.${word}`)}
        </Link>
      ))}
    </nav>
  );
}

function Shown({ at }: { at: string }) {
  const { t } = useTranslation();
  const run = nameBehind("/runs/", at);
  if (run !== null) return <Run key={run} id={run} />;
  const found = PAGES.find((each) => each.path === at);
  return found ? <found.page /> : <Empty title={t("state.noPage")}>{at}</Empty>;
}

function useTitle(): void {
  const { t } = useTranslation();
  const at = usePath();
  const environment = useEnvironment();
  const open = useHealth().data?.details?.orders_open ?? 0;
  const stale = useIsStale();
  useEffect(() => {
    const page = PAGES.find((each) => (each.path === "/" ? at === "/" : at.startsWith(each.path)));
    const name = page ? t(`page.${page.word}`) : "";
    document.title = [stale ? "⚠" : open ? `●${open}` : "", environment ? t(`environment.${environment}`) : "", name, "Tradeloop"].filter(Boolean).join(" · ");
  }, [at, environment, open, stale, t]);
}

/** What opens over the page and can not be drawn closes, and says why. */
function Opened({ children }: { children: ReactNode }) {
  return (
    <Boundary name="opened" instead={null} onFault={(error) => { complain(error); close(); }}>
      <Suspense fallback={null}>{children}</Suspense>
    </Boundary>
  );
}

export function Frame() {
  const { t } = useTranslation();
  useStream();
  useTitle();
  const at = usePath();
  const environment = useEnvironment();
  const stale = useIsStale();
  const sees = useMay("read:acct");
  const ticket = useDialogs((now) => now.ticket);
  const palette = useDialogs((now) => now.palette);
  return (
    <div className={clsx("flex h-dvh flex-col border-t-4", environment === "live" ? "border-4 border-[#c9203b]" : environment === "paper" ? "border-[#f5b301]" : "border-line")}>
      <a href="#page" className="sr-only focus:not-sr-only focus:absolute focus:z-[130] focus:bg-panel focus:p-2">
        {t("skip")}
      </a>
      <TopBar />
      <Boundary name={at} instead={null}>
        <Banners />
      </Boundary>
      <div className="flex min-h-0 flex-1">
        <Menu />
        <main id="page" tabIndex={-1} data-stale={stale || undefined} className={clsx("min-h-0 min-w-0 flex-1 overflow-auto p-2 outline-none", stale && "stale-age")}>
          <Boundary name={at}>
            <Suspense fallback={<Loading />}>
              {sees ? (
                <Shown at={at} />
              ) : (
                <NotAllowed scope="read:acct" />
              )}
            </Suspense>
          </Boundary>
        </main>
      </div>
      <PhoneMenu />
      <Keyboard />
      <Kill />
      {palette && (
        <Opened>
          <Palette />
        </Opened>
      )}
      <Keys />
      <AlertsDrawer />
      {ticket && (
        <Opened>
          <Ticket preset={ticket} />
        </Opened>
      )}
    </div>
  );
}
