import { signal } from '@preact/signals';

/** The API refused, or could not be reached (`status` 0). */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, detail: string) {
    super(detail);
    this.status = status;
    this.code = code;
  }
}

const STORED_KEY = 'nightmill-key';

/** Kept for this tab only. Empty: none is needed, or none was given yet. */
export const apiKey = signal(sessionStorage.getItem(STORED_KEY) ?? '');
/** Why a key is asked for; undefined: it is not. */
export const keyWanted = signal<string | undefined>(undefined);
let waiting: (() => void)[] = [];

/** What waits for a key is asked again with it. */
export function giveKey(secret: string): void {
  apiKey.value = secret;
  if (secret === '') sessionStorage.removeItem(STORED_KEY);
  else sessionStorage.setItem(STORED_KEY, secret);
  keyWanted.value = undefined;
  for (const go of waiting) go();
  waiting = [];
}

/** A request with the key. Where one is missing or wrong it waits for the person to give one. @throws {ApiError} */
export async function request(path: string, init: RequestInit = {}): Promise<Response> {
  for (;;) {
    const used = apiKey.value;
    const headers = new Headers(init.headers);
    if (used !== '') headers.set('authorization', `Bearer ${used}`);
    const response = await reach(path, { ...init, headers });
    if (response.ok) return response;
    const error = await errorOf(response);
    if (response.status !== 401) throw error;
    if (used === apiKey.value) {
      keyWanted.value = error.message;
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
  }
}

/** @throws {ApiError} */
export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  const response = await request(path, signal === undefined ? {} : { signal });
  return (await response.json()) as T;
}

/** @throws {ApiError} */
export async function send<T>(method: 'POST' | 'PUT', path: string, body?: object): Promise<T | undefined> {
  const response = await request(path, {
    method,
    ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  return response.status === 204 ? undefined : ((await response.json()) as T);
}

export function apiPath(...parts: readonly string[]): string {
  return `/api/v1/${parts.map(encodeURIComponent).join('/')}`;
}

export function withQuery(path: string, query: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => (entry[1] ?? '') !== '');
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function reach(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, init);
  } catch (error) {
    if (init.signal?.aborted === true) throw error;
    throw new ApiError(0, 'unreachable', 'The server does not answer. Is nightmill serve still running?');
  }
}

async function errorOf(response: Response): Promise<ApiError> {
  const text = await response.text();
  try {
    const { code, detail } = JSON.parse(text) as { code: string; detail: string };
    return new ApiError(response.status, code, detail);
  } catch {
    return new ApiError(response.status, 'internal', `The server answered ${response.status}: ${text.slice(0, 200)}`);
  }
}
