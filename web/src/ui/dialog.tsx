// Dialogs and the drawer: in front of everything, charts too; Escape closes, and the focus goes back to where it was.
import { Dialog as Base } from "radix-ui";
import { X } from "lucide-react";
import type { KeyboardEvent, ReactNode } from "react";
import { useTranslation } from "react-i18next";
import clsx from "clsx";
import { Boundary } from "@/ui/states";

interface Props {
  open: boolean;
  onClose: () => void;
  title: ReactNode;
  about?: ReactNode;
  children: ReactNode;
  wide?: boolean;
  /** From the right edge, and the page behind it stays readable. */
  drawer?: boolean;
  tone?: "danger" | undefined;
  onKeyDown?: (event: KeyboardEvent) => void;
}

/** Whether that is the stop in the bar: it works in front of everything, and shuts nothing before it does. */
function isStop(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest("[data-stop]") !== null;
}

export function Dialog({ open, onClose, title, about, children, wide, drawer, tone, onKeyDown }: Props) {
  const { t } = useTranslation();
  return (
    <Base.Root open={open} onOpenChange={(next) => !next && onClose()} modal={!drawer}>
      <Base.Portal>
        {!drawer && <Base.Overlay className="fixed inset-x-0 top-[52px] bottom-0 z-[90] bg-shade" />}
        <Base.Content
          aria-describedby={about ? undefined : ""}
          {...(onKeyDown ? { onKeyDown } : {})}
          onInteractOutside={(event) => (drawer || isStop(event.target)) && event.preventDefault()}
          className={clsx(
            "fixed z-[100] flex flex-col border border-line bg-panel text-text shadow-2xl focus:outline-none",
            drawer
              ? "top-[52px] right-0 bottom-0 w-full sm:w-[30rem] sm:border-l" // below the bar: the stop stays in sight
              : ["top-[calc(50%+26px)] left-1/2 max-h-[calc(100dvh-60px)] w-[calc(100vw-1rem)] -translate-x-1/2 -translate-y-1/2 rounded-lg", wide ? "max-w-4xl" : "max-w-lg"],
            tone === "danger" && "border-t-4 border-t-[#c9203b]",
          )}
        >
          <header className="flex items-start gap-3 border-b border-line px-4 py-2.5">
            <div className="min-w-0 flex-1">
              <Base.Title className="text-sm font-semibold">{title}</Base.Title>
              {about && <Base.Description className="mt-0.5 text-xs text-soft">{about}</Base.Description>}
            </div>
            <Base.Close className="rounded p-1 text-soft hover:bg-hover" aria-label={t("close")}>
              <X size={16} aria-hidden />
            </Base.Close>
          </header>
          <div className="min-h-0 flex-1 overflow-y-auto p-4">
            <Boundary name="dialog">{children}</Boundary>
          </div>
        </Base.Content>
      </Base.Portal>
    </Base.Root>
  );
}
