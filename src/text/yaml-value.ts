import { parseDocument } from 'yaml';

/** More and longer chains of aliases than any config has; a few lines can stand for millions of values otherwise. */
const MAX_ALIAS_COUNT = 100;

/** The value of a YAML text, or everything that is wrong with it, each as one line. */
export function readYaml(text: string): { readonly value: unknown } | { readonly problems: readonly string[] } {
  const document = parseDocument(text, { prettyErrors: true });
  if (document.errors.length > 0) return { problems: document.errors.map(describe) };
  try {
    const value: unknown = document.toJS({ maxAliasCount: MAX_ALIAS_COUNT }) ?? {};
    return holdsItself(value, new Set())
      ? { problems: ['An anchor has an alias of itself within it, so its value has no end; write the value out'] }
      : { value };
  } catch (error) {
    return { problems: [describe(error as Error)] };
  }
}

function describe(error: Error & { readonly code?: string }): string {
  if (error.code === 'MULTIPLE_DOCS')
    return 'The file has several YAML documents; keep one, without a line "---" in it';
  if (error.message.startsWith('Excessive alias count')) {
    return `Its aliases stand for too many values (more than ${MAX_ALIAS_COUNT} times as many); write the values out`;
  }
  return error.message.split('\n')[0] ?? 'unreadable';
}

function holdsItself(value: unknown, above: Set<unknown>): boolean {
  if (value === null || typeof value !== 'object') return false;
  if (above.has(value)) return true;
  above.add(value);
  const found = Object.values(value).some((child) => holdsItself(child, above));
  above.delete(value);
  return found;
}
