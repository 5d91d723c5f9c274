// Numbers in cells: aligned, grouped, with the raw value behind them; what rises or falls has a sign, an arrow and a colour.
import clsx from "clsx";
import { isNumber, sign } from "@/text/decimal";
import { money, signed } from "@/text/numbers";

export function Amount({ value, as = money, className, title }: { value: string | null | undefined; as?: (text: string | null | undefined) => string; className?: string; title?: string }) {
  return (
    <span className={clsx("tabular-nums", className)} title={title ?? value ?? undefined}>
      {as(value)}
    </span>
  );
}

export function Gain({ value, as = signed, className, title }: { value: string | null | undefined; as?: (text: string | null | undefined) => string; className?: string; title?: string }) {
  const direction = value != null && isNumber(value) ? sign(value) : 0;
  return (
    <span className={clsx("tabular-nums", direction > 0 && "text-up", direction < 0 && "text-down", className)} title={title ?? value ?? undefined}>
      {as(value)}
    </span>
  );
}
