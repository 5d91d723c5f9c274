// Buttons: what they do is in their colour and always in their words.
import clsx from "clsx";
import { forwardRef, type ButtonHTMLAttributes } from "react";

export type Tone = "plain" | "main" | "quiet" | "buy" | "sell" | "danger";

const TONES: Record<Tone, string> = {
  plain: "border border-line bg-raised text-text hover:bg-hover",
  main: "bg-[#1a66cc] text-white hover:bg-[#1558b3]",
  quiet: "text-soft hover:bg-hover hover:text-text",
  buy: "bg-up-solid text-white hover:brightness-110",
  sell: "bg-down-solid text-white hover:brightness-110",
  danger: "bg-[#c9203b] text-white hover:bg-[#b01a33]",
};

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  tone?: Tone;
  small?: boolean;
  busy?: boolean;
}

export const Button = forwardRef<HTMLButtonElement, Props>(function Button({ tone = "plain", small, busy, className, disabled, type, ...rest }, ref) {
  return (
    <button
      ref={ref}
      type={type ?? "button"}
      disabled={disabled || busy}
      aria-busy={busy || undefined}
      className={clsx(
        "inline-flex items-center justify-center gap-1.5 rounded font-medium whitespace-nowrap select-none disabled:opacity-45",
        small ? "h-6 px-2 text-xs" : "h-8 px-3",
        TONES[tone],
        busy && "animate-pulse",
        className,
      )}
      {...rest}
    />
  );
});
