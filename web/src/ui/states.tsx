// What a page shows where there is nothing, nothing yet, something wrong, or somebody who may not see it.
import { CircleSlash, Lock, RefreshCw, TriangleAlert } from "lucide-react";
import { Component, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Problem, UNREACHED } from "@/api/http";
import { Button } from "@/ui/button";
import { NotBrought } from "@/ui/later";

function Middle({ icon, title, children, role }: { icon: ReactNode; title: ReactNode; children?: ReactNode; role?: "alert" | "status" }) {
  return (
    <div className="flex min-h-40 flex-col items-center justify-center gap-2 px-6 py-8 text-center" role={role}>
      <span className="text-faint" aria-hidden>
        {icon}
      </span>
      <p className="font-medium">{title}</p>
      {children && <div className="max-w-prose text-soft">{children}</div>}
    </div>
  );
}

export function Empty({ title, children }: { title: ReactNode; children?: ReactNode }) {
  return (
    <Middle icon={<CircleSlash size={22} />} title={title}>
      {children}
    </Middle>
  );
}

/** Lines where the rows will be; read as one sentence. */
export function Loading({ rows = 6 }: { rows?: number }) {
  const { t } = useTranslation();
  return (
    <div className="space-y-2 p-3" role="status" aria-label={t("loading")}>
      {Array.from({ length: rows }, (_, row) => (
        <div key={row} className="h-4 animate-pulse rounded bg-raised" style={{ width: `${94 - ((row * 17) % 40)}%` }} />
      ))}
    </div>
  );
}

export function NotAllowed({ scope }: { scope?: string | undefined }) {
  const { t } = useTranslation();
  return (
    <Middle icon={<Lock size={22} />} title={t("state.notAllowed")} role="status">
      {t("state.notAllowedMore", { scope: scope ?? "?" })}
    </Middle>
  );
}

export function Trouble({ error, again }: { error: unknown; again?: (() => void) | undefined }) {
  const { t } = useTranslation();
  if (error instanceof Problem && error.status === 403 && typeof error.more["scope"] === "string") return <NotAllowed scope={error.more["scope"]} />;
  if (error instanceof NotBrought) {
    return (
      <Middle icon={<TriangleAlert size={22} />} title={t("state.notBrought")} role="alert">
        <p>{t("state.notBroughtMore")}</p>
        <Button className="mt-3" onClick={() => location.reload()}>
          <RefreshCw size={14} aria-hidden /> {t("state.anew")}
        </Button>
      </Middle>
    );
  }
  const unreached = error instanceof Problem && error.code === UNREACHED;
  return (
    <Middle icon={<TriangleAlert size={22} />} title={unreached ? t("state.unreached") : t("state.trouble")} role="alert">
      <p>{unreached ? t("state.unreachedMore") : error instanceof Error ? error.message : String(error)}</p>
      {error instanceof Problem && error.requestId && <p className="mt-1 font-mono text-xs text-faint">{t("state.request", { id: error.requestId })}</p>}
      {again && (
        <Button className="mt-3" onClick={again}>
          <RefreshCw size={14} aria-hidden /> {t("again")}
        </Button>
      )}
    </Middle>
  );
}

/** What was refused, in the desk's own words, beside what asked for it. */
export function Refused({ error }: { error: unknown }) {
  const { t } = useTranslation();
  const unreached = error instanceof Problem && error.code === UNREACHED;
  return (
    <div role="alert" className="rounded border border-red bg-red-soft p-2" data-refused>
      <p className="break-words">{unreached ? `${t("state.unreached")}. ${t("state.unreachedMore")}` : error instanceof Error ? error.message : String(error)}</p>
      {error instanceof Problem && error.requestId && <p className="mt-0.5 font-mono text-2xs break-all text-soft">{error.code} · {error.requestId}</p>}
    </div>
  );
}

interface Bounded {
  children: ReactNode;
  /** Another name is another try. */
  name: string;
  /** What stands in its place; what went wrong, and a way to try again, where nothing is said. */
  instead?: ReactNode;
  onFault?: (error: Error) => void;
}

/** One panel's fault is not the page's: what breaks says so in its place, and the frame with its KILL goes on. */
export class Boundary extends Component<Bounded, { error: Error | null }> {
  override state: { error: Error | null } = { error: null };

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  override componentDidCatch(error: Error) {
    this.props.onFault?.(error);
  }

  override componentDidUpdate(before: { name: string }) {
    if (before.name !== this.props.name && this.state.error) this.setState({ error: null });
  }

  override render() {
    if (!this.state.error) return this.props.children;
    return this.props.instead !== undefined ? this.props.instead : <Trouble error={this.state.error} again={() => this.setState({ error: null })} />;
  }
}
