// Asks the desk. What goes wrong is a Problem with the desk's own sentence; a session that has ended is told to whoever listens.
import type { ProblemDocument } from "@/api/types";

export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly requestId: string,
    readonly more: Record<string, unknown> = {},
  ) {
    super(detail);
    this.name = "Problem";
  }
}

/** The desk did not answer: what was asked for may have been done or not. */
export const UNREACHED = "unreached";
export const PATIENCE_MS = 15_000;
const FILE_PATIENCE_MS = 120_000;

let token = "";
let whenOut: () => void = () => undefined;
let proof: (() => Promise<boolean>) | null = null;

/** What unsafe requests bring, so that no other page can make them. */
export function keepToken(csrf: string): void {
  token = csrf;
}

export function onSignedOut(told: () => void): void {
  whenOut = told;
}

/** Who asks the person to prove that it is them, where the desk wants that. */
export function onProof(asks: () => Promise<boolean>): void {
  proof = asks;
}

interface Asked {
  query?: Record<string, string | number | boolean | null | undefined>;
  body?: unknown;
  form?: FormData;
  /** The Idempotency-Key: the same key again does nothing twice. */
  key?: string;
  signal?: AbortSignal;
  patience?: number;
  /** What comes is a file, and is given as it is. */
  file?: boolean;
}

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** One request. Throws Problem. */
export async function ask<T>(method: Method, path: string, asked: Asked = {}): Promise<T> {
  try {
    return await once<T>(method, path, asked);
  } catch (error) {
    if (error instanceof Problem && error.code === "not_confirmed" && proof !== null && (await proof())) {
      return await once<T>(method, path, asked);
    }
    throw error;
  }
}

/** A file of the desk, whole. Throws Problem. */
export async function fetched(path: string): Promise<Blob> {
  return ask<Blob>("GET", path, { file: true, patience: FILE_PATIENCE_MS });
}

async function once<T>(method: Method, path: string, asked: Asked): Promise<T> {
  const headers: Record<string, string> = { accept: asked.file ? "*/*" : "application/json" };
  if (method !== "GET" && token) headers["x-csrf-token"] = token;
  if (asked.key) headers["idempotency-key"] = asked.key;
  if (asked.body !== undefined) headers["content-type"] = "application/json";
  const late = AbortSignal.timeout(asked.patience ?? PATIENCE_MS);
  let answer: Response;
  let said: unknown;
  try {
    answer = await fetch(path + written(asked.query), {
      method,
      headers,
      body: asked.form ?? (asked.body === undefined ? undefined : JSON.stringify(asked.body)),
      credentials: "same-origin",
      cache: "no-store",
      signal: asked.signal ? AbortSignal.any([asked.signal, late]) : late,
    });
    said = asked.file && answer.ok ? await answer.blob() : told(answer.headers, await answer.text());
  } catch (error) {
    if (asked.signal?.aborted) throw error;
    throw new Problem(0, UNREACHED, error instanceof Error ? error.message : String(error), "");
  }
  if (answer.ok || (path === "/health" && answer.status === 503)) return said as T;
  const problem = refused(answer.status, said);
  if (problem.code === "not_identified") whenOut();
  throw problem;
}

function told(headers: Headers, words: string): unknown {
  return (headers.get("content-type") ?? "").includes("json") ? JSON.parse(words) : words;
}

function refused(status: number, said: unknown): Problem {
  if (typeof said !== "object" || said === null) return new Problem(status, "http", String(said).slice(0, 200), "");
  const { code, detail, request_id: id, type: _type, title: _title, status: _status, ...more } = said as ProblemDocument & Record<string, unknown>;
  return new Problem(status, code ?? "http", detail ?? String(status), id ?? "", more);
}

function written(query: Asked["query"]): string {
  const given = Object.entries(query ?? {}).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return given.length ? `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}` : "";
}
