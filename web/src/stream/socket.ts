// The socket: a ticket, a connection, subscriptions, and the way back after a loss. It never gives up, but where somebody has to
// sign in. While it is up REST is asked seldom; while it is not, polling goes on as if there were no stream.
import { useEffect } from "react";
import { Problem, ask } from "@/api/http";
import type { Quotes } from "@/api/types";
import { useSession } from "@/access/session";
import { client, waits } from "@/stream/client";
import { keep, keepQuotes } from "@/stream/keep";
import { useLink } from "@/stream/link";
import { Numbers, type Frame } from "@/stream/numbers";
import { ticks, type Tick } from "@/stream/ticks";

const TOPICS = ["orders", "fills", "positions", "account", "runs", "alerts", "breaks", "halts", "system"] as const;
const PROTOCOL = "tradeloop.v1";
const SILENT_MS = 5_000;
const STEADY_MS = 60_000;
const QUOTES_MS = 500;
const SYMBOLS_MOST = 500;
const SIGNED_OUT = 4401;

interface Ticket {
  ticket: string;
  protocol: string;
}

export class Stream {
  private socket: WebSocket | null = null;
  private readonly numbers = new Numbers();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private watch: ReturnType<typeof setInterval> | undefined;
  private heardAt = 0;
  private openedAt = 0;
  private tries = 0;
  private over = false;
  private keeping: ReturnType<typeof setTimeout> | undefined;
  private mayQuotes = false;
  private symbols = "";

  start(): void {
    this.over = false;
    void this.connect();
    this.watch = setInterval(() => {
      if (this.socket && this.heardAt && Date.now() - this.heardAt > SILENT_MS) this.socket.close();
      else this.follow();
    }, 1_000);
  }

  stop(): void {
    this.over = true;
    clearTimeout(this.timer);
    clearInterval(this.watch);
    clearTimeout(this.keeping);
    this.socket?.close();
    useLink.setState({ streams: false, tryNow: () => undefined });
  }

  private async connect(): Promise<void> {
    clearTimeout(this.timer);
    useLink.setState({ tryNow: () => void this.connect() });
    if (this.over || this.socket) return;
    let ticket: Ticket;
    try {
      ticket = await ask<Ticket>("POST", "/api/v1/stream/ticket", { patience: 5_000 });
    } catch (error) {
      if (error instanceof Problem && (error.status === 401 || error.status === 403)) void useSession.getState().look();
      else if (!(error instanceof Problem && error.code === "no_route")) this.later();
      return;
    }
    if (this.over || this.socket) return;
    const address = `${location.origin.replace(/^http/, "ws")}/ws`;
    const socket = new WebSocket(address, [ticket.protocol || PROTOCOL, `ticket.${ticket.ticket}`]);
    this.socket = socket;
    this.heardAt = Date.now();
    socket.onmessage = (event: MessageEvent<string>) => this.take(JSON.parse(event.data) as Frame);
    socket.onclose = (event) => this.closed(event.code);
  }

  private closed(code: number): void {
    this.socket = null;
    useLink.setState({ streams: false });
    if (this.over) return;
    if (code === SIGNED_OUT) {
      void useSession.getState().look();
      return;
    }
    void client.invalidateQueries({ queryKey: ["health"] }); // whether the desk is still there shows at once
    this.later();
  }

  private later(): void {
    if (this.openedAt && Date.now() - this.openedAt > STEADY_MS) this.tries = 0;
    this.openedAt = 0;
    this.tries += 1;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.connect(), waits(this.tries) * (0.8 + Math.random() * 0.4));
  }

  private send(frame: object): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(frame));
  }

  private subscribe(topic: string, anew = false): void {
    const from = anew ? null : this.numbers.from(topic);
    this.numbers.subscribed(topic);
    this.send(from === null ? { op: "subscribe", topic } : { op: "subscribe", topic, stream: this.numbers.stream, from });
  }

  /** Subscribe to the quotes of every symbol that REST has told of, where there are others than before. */
  private follow(): void {
    if (!this.mayQuotes || this.socket?.readyState !== WebSocket.OPEN) return;
    const symbols = (client.getQueryData<Quotes>(["quotes", {}])?.quotes ?? []).map((each) => each.symbol).slice(0, SYMBOLS_MOST);
    if (!symbols.length || symbols.join() === this.symbols) return;
    this.symbols = symbols.join();
    this.send({ op: "subscribe", topic: "quotes", symbols });
  }

  private take(frame: Frame): void {
    this.heardAt = Date.now();
    if (frame.t === "hello") {
      this.openedAt = Date.now();
      this.numbers.hello(frame.stream ?? "");
      const may = new Set(frame.topics ?? []);
      for (const topic of TOPICS) if (may.has(topic)) this.subscribe(topic);
      this.mayQuotes = may.has("quotes");
      this.symbols = "";
      this.follow();
      useLink.setState({ streams: true });
    }
    if (frame.t === "quotes") {
      this.quotes((frame.quotes ?? []) as Tick[]);
      return;
    }
    if (frame.now) useLink.getState().heard(Date.parse(frame.now));
    const { meant, again } = this.numbers.take(frame);
    keep(client, meant);
    for (const topic of again) this.subscribe(topic, true);
  }

  private quotes(quotes: Tick[]): void {
    ticks.take(quotes);
    this.keeping ??= setTimeout(() => {
      this.keeping = undefined;
      keepQuotes(client, ticks);
    }, QUOTES_MS);
  }
}

/** The stream, for as long as somebody is signed in. */
export function useStream(): void {
  const id = useSession((now) => now.session?.session_id);
  useEffect(() => {
    if (!id) return undefined;
    const stream = new Stream();
    stream.start();
    return () => stream.stop();
  }, [id]);
}
