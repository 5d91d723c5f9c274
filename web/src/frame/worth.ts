// What the account is worth, by currency: cash, and what the positions in that currency would bring at the newest prices.
import type { Listed, Money, Position } from "@/api/types";
import { isFuture } from "@/stream/instruments";
import { minus, plus } from "@/text/decimal";

export interface Worth {
  currency: string;
  /** Net liquidation value; null while a price or the cash is unknown. */
  net: string | null;
  /** Gained and lost, realised and not, before fees. */
  gain: string | null;
  cash: string | null;
  available: string | null;
  margin: string | null;
  isUsed: boolean;
}

/** A future adds what it has gained; whatever else is held adds its value, and what is owed takes it: of a short sale the cash has what
 *  it brought. Until the desk has said what `listed` is, a long position with a margin is taken for a future. */
export function worthOf(money: readonly Money[], positions: readonly Position[], listed: ReadonlyMap<string, Listed> = new Map()): Worth[] {
  return money
    .map((each) => {
      const held = positions.filter((position) => position.currency === each.currency && position.quantity !== "0");
      const net = total(each.balance, held.map((position) => valueOf(position, isFuture(listed.get(position.symbol)))));
      const open = total("0", held.map((position) => position.unrealized_pnl));
      const gain = open === null || each.realized_pnl === null ? null : plus(open, each.realized_pnl);
      return { currency: each.currency, net, gain, cash: each.balance, available: each.available, margin: each.margin, isUsed: held.length > 0 };
    })
    .sort((a, b) => Number(b.isUsed) - Number(a.isUsed));
}

function valueOf(position: Position, future: boolean | null): string | null {
  if (future ?? (position.margin !== null && position.direction === "LONG")) return position.unrealized_pnl;
  if (position.market_value === null) return null;
  return position.direction === "SHORT" ? minus("0", position.market_value) : position.market_value;
}

function total(first: string | null, rest: (string | null)[]): string | null {
  return rest.reduce<string | null>((sum, each) => (sum === null || each === null ? null : plus(sum, each)), first);
}
