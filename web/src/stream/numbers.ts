// The book-keeping of the stream: which number of each topic is the last, and what has to be asked for again. No socket here.

export interface Frame {
  t: string;
  topic?: string;
  n?: number;
  last?: boolean;
  part?: number;
  stream?: string;
  items?: unknown[];
  put?: unknown[];
  drop?: (string | number)[];
  quotes?: unknown[];
  numbers?: Record<string, number>;
  now?: string;
  topics?: string[];
  code?: string;
  detail?: string;
}

/** What a frame means to whoever keeps the data. */
export type Meant =
  | { is: "whole"; topic: string; items: unknown[] }
  | { is: "change"; topic: string; put: unknown[]; drop: (string | number)[] }
  | { is: "nothing" };

export class Numbers {
  stream = "";
  private readonly last = new Map<string, number>();
  private readonly parts = new Map<string, unknown[]>();
  private readonly asked = new Set<string>();

  /** A stream with another name counts anew. */
  hello(stream: string): void {
    if (stream === this.stream) return;
    this.stream = stream;
    this.last.clear();
    this.parts.clear();
  }

  /** Behind which number to go on; null where all has to come. */
  from(topic: string): number | null {
    return this.last.get(topic) ?? null;
  }

  /** The topic is asked for: until it comes, its deltas mean nothing. */
  subscribed(topic: string): void {
    this.asked.add(topic);
    this.parts.delete(topic);
  }

  /** What a frame means, and which topics have a gap and are to be subscribed to again. */
  take(frame: Frame): { meant: Meant; again: string[] } {
    const topic = frame.topic ?? "";
    const n = frame.n ?? 0;
    switch (frame.t) {
      case "snapshot": {
        const sofar = frame.part === 1 ? [] : (this.parts.get(topic) ?? []);
        const items = sofar.concat(frame.items ?? []);
        if (!frame.last) {
          this.parts.set(topic, items);
          return nothing();
        }
        this.parts.delete(topic);
        this.asked.delete(topic);
        this.last.set(topic, n);
        return { meant: { is: "whole", topic, items }, again: [] };
      }
      case "resumed":
        this.asked.delete(topic);
        this.last.set(topic, n);
        return nothing();
      case "delta": {
        if (this.asked.has(topic)) return nothing();
        if (n !== (this.last.get(topic) ?? -1) + 1) return { meant: { is: "nothing" }, again: [topic] };
        this.last.set(topic, n);
        return { meant: { is: "change", topic, put: frame.put ?? [], drop: frame.drop ?? [] }, again: [] };
      }
      case "beat": {
        const behind = Object.entries(frame.numbers ?? {}).filter(([name, number]) => !this.asked.has(name) && number > (this.last.get(name) ?? -1));
        return { meant: { is: "nothing" }, again: behind.map(([name]) => name) };
      }
      default:
        return nothing();
    }
  }
}

function nothing(): { meant: Meant; again: string[] } {
  return { meant: { is: "nothing" }, again: [] };
}
