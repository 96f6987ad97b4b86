import { languageOfSource } from '../checks/language.ts';
import { hasText } from '../checks/reply-checks.ts';
import type { RouteRange, RouteRule, Tier } from '../workflows/workflow.ts';

/** What a route may know of a document. */
export interface RoutedDocument {
  readonly text: string;
  readonly tokens: number;
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
}

/** Patterns are bounded per place; this bounds the places. */
const SEARCHED_CHARS = 100_000;

/** The index of the first rule that holds for a document; -1: none does. */
export function ruleFor(rules: readonly RouteRule[], document: RoutedDocument): number {
  // Found once, and only where a rule comes to it: most texts need no detector, which is slow to load.
  let language: string | undefined;
  let isLooked = false;
  const languageOf = () => {
    if (!isLooked) language = languageOfSource(document.text);
    isLooked = true;
    return language;
  };
  return rules.findIndex((rule) => holds(rule, document, languageOf));
}

function holds(
  { tokens, characters, languages, metadata, has }: RouteRule,
  document: RoutedDocument,
  languageOf: () => string | undefined,
): boolean {
  if (!isWithin(document.tokens, tokens) || !isWithin(document.text.length, characters)) return false;
  if (metadata !== undefined && !Object.entries(metadata).every(([field, values]) => isOne(document, field, values))) {
    return false;
  }
  if (has !== undefined) {
    const searched = document.text.slice(0, SEARCHED_CHARS);
    if (!has.some((sought) => hasText(searched, sought))) return false;
  }
  if (languages === undefined) return true;
  const language = languageOf();
  return language !== undefined && languages.includes(language);
}

function isWithin(length: number, { above, atMost }: RouteRange = {}): boolean {
  return (above === undefined || length > above) && (atMost === undefined || length <= atMost);
}

function isOne({ metadata = {} }: RoutedDocument, field: string, values: readonly string[]): boolean {
  return Object.hasOwn(metadata, field) && values.includes(textOf(metadata[field]));
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
}

/** Index of the tier that a route names; the first one where it names none, or none of this cascade. */
export function startTier(cascade: readonly Tier[], name: string | undefined): number {
  return Math.max(
    0,
    cascade.findIndex(({ model }) => model.name === name),
  );
}
