// What the account is worth, by currency: cash, and what the positions in that currency would bring at the newest prices.
import type { Money, Position } from "@/api/types";
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

/** A position that is margined adds what it has gained; one that was paid for adds its value. */
export function worthOf(money: readonly Money[], positions: readonly Position[]): Worth[] {
  return money
    .map((each) => {
      const held = positions.filter((position) => position.currency === each.currency && position.quantity !== "0");
      const net = total(each.balance, held.map(valueOf));
      const open = total("0", held.map((position) => position.unrealized_pnl));
      const gain = open === null || each.realized_pnl === null ? null : plus(open, each.realized_pnl);
      return { currency: each.currency, net, gain, cash: each.balance, available: each.available, margin: each.margin, isUsed: held.length > 0 };
    })
    .sort((a, b) => Number(b.isUsed) - Number(a.isUsed));
}

function valueOf(position: Position): string | null {
  if (position.margin !== null) return position.unrealized_pnl;
  if (position.market_value === null) return null;
  return position.direction === "SHORT" ? minus("0", position.market_value) : position.market_value;
}

function total(first: string | null, rest: (string | null)[]): string | null {
  return rest.reduce<string | null>((sum, each) => (sum === null || each === null ? null : plus(sum, each)), first);
}
